import { computed, effect, type ReadonlySignal, signal, untracked } from "@preact/signals";
import type { StreamStore } from "../state/stream.ts";
import { createReplay, extend, isPlaying, play, positionAt, type Replay, seek, setSpeed } from "./clock.ts";
import { isSamePosition, type Position } from "./position.ts";
import { createShown, type Moment } from "./shown.ts";
import { createTimeline } from "./timeline.ts";

/** The replay of one stream, the same for all its views: which part of the stream is shown, and how that moves. */
export interface ReplaySession {
  /** The whole stream, as it is now. */
  readonly stream: StreamStore;
  /** The stream up to the position; at the live end it is the stream itself. */
  readonly shown: StreamStore;
  /** Up to which seq the stream is shown; undefined is the live end. */
  readonly seq: ReadonlySignal<number | undefined>;
  /** The moment that is shown, ms by the entries' clock; undefined is the live end. */
  readonly time: ReadonlySignal<number | undefined>;
  readonly playing: ReadonlySignal<boolean>;
  /** The position is before all that the page still keeps of a long stream. */
  readonly isGone: ReadonlySignal<boolean>;
  readonly speed: ReadonlySignal<number>;
  /** The stretch that there is, ms by the entries' clock. */
  readonly from: ReadonlySignal<number>;
  readonly to: ReadonlySignal<number>;
  /** Plays from the position (from the beginning, where it stands at the end), or stands still. */
  toggle(): void;
  /** Stands still where it is. */
  hold(): void;
  setSpeed(speed: number): void;
  /** To a moment, within the stretch. */
  seekTime(at: number): void;
  /** To the moment when an entry came. */
  seekSeq(seq: number): void;
  /** Back to the live end. */
  leave(): void;
  /** Listens to the address, until the returned function is called. */
  attach(): () => void;
}

/** What holds the position: the address bar. */
export interface ReplayAddress {
  readonly position: ReadonlySignal<Position | undefined>;
  moveTo(position: Position | undefined): void;
}

/** A clock that only goes forward, ms, and something that is done with each picture. */
export interface ReplayFrames {
  now(): number;
  request(run: () => void): number;
  cancel(frame: number): void;
}

/** Browsers refuse an address that changes more often than some six times a second. */
const ADDRESS_MS = 250;
const PIN_STEP = 1000;

/** A replay of `stream` that stands where `address` says. */
export function createReplaySession(stream: StreamStore, address: ReplayAddress, frames: ReplayFrames = browserFrames): ReplaySession {
  const { entries, version, generation } = stream;
  const speed = signal(1);
  /** While it plays: where it is. */
  const moving = signal<{ readonly position: Position; readonly time: number } | undefined>(undefined);
  const timeline = createTimeline();
  let replay: Replay | undefined;
  let frame = 0;
  /** When the address was changed last, and to what: another value comes from outside. */
  let told = 0;
  let toldPosition: Position | undefined;

  const extent = computed(() => {
    void version.value;
    timeline.sync(entries, generation.value);
    return { from: timeline.from, to: timeline.to };
  });
  /** What has come at a moment, as a position; before the first entry it is the first. */
  const positionOf = (time: number): Position => {
    const place = Math.max(0, timeline.countAt(time) - 1);
    return { seq: entries[place]?.seq ?? 1, after: Math.max(0, time - timeline.timeAt(place)) };
  };
  const timeOf = ({ seq, after }: Position): number => timeline.timeAt(timeline.countOf(seq) - 1) + after;
  const position = computed(() => moving.value?.position ?? address.position.value);
  const moment = computed((): Moment | undefined => {
    const at = position.value;
    if (at === undefined) return undefined;
    void extent.value;
    return { count: timeline.countOf(at.seq), time: moving.value?.time ?? timeOf(at) };
  });

  const tell = (next: Position, now: number): void => {
    told = now;
    toldPosition = { seq: next.seq, after: Math.round(next.after) };
    address.moveTo(toldPosition);
  };
  const rest = (): void => {
    frames.cancel(frame);
    replay = undefined;
    moving.value = undefined;
  };
  const stop = (): void => {
    const last = moving.peek();
    if (last !== undefined) tell(last.position, frames.now());
    rest();
  };
  const goesOn = (): boolean => stream.connection.peek().kind === "open";
  const run = (): void => {
    if (replay === undefined) return;
    const now = frames.now();
    const { from, to } = extent.peek();
    replay = extend(replay, from, to);
    const time = positionAt(replay, now);
    const next = positionOf(time);
    moving.value = { position: next, time };
    // Who has caught up with a stream that goes on, goes on with it.
    if (!isPlaying(replay, now)) return goesOn() ? session.leave() : stop();
    if (now - told >= ADDRESS_MS) tell(next, now);
    frame = frames.request(run);
  };
  const goTo = (time: number): void => {
    const now = frames.now();
    if (replay === undefined) tell(positionOf(Math.min(extent.peek().to, Math.max(extent.peek().from, time))), now);
    else replay = seek(replay, time, now);
  };

  const session: ReplaySession = {
    stream,
    shown: createShown(stream, moment),
    seq: computed(() => position.value?.seq),
    time: computed(() => moment.value?.time),
    speed,
    playing: computed(() => moving.value !== undefined),
    isGone: computed(() => {
      void version.value;
      const at = position.value;
      return at !== undefined && stream.before.value.count > 0 && at.seq < (entries[0]?.seq ?? 0);
    }),
    from: computed(() => extent.value.from),
    to: computed(() => extent.value.to),
    toggle() {
      if (replay !== undefined) return stop();
      const { from, to } = extent.peek();
      const now = frames.now();
      const start = moment.peek()?.time;
      const standing = createReplay(from, to);
      replay = play(setSpeed(start === undefined ? standing : seek(standing, start, now), speed.peek(), now), now);
      run();
    },
    hold() {
      if (replay !== undefined) stop();
    },
    setSpeed(next) {
      speed.value = next;
      if (replay !== undefined) replay = setSpeed(replay, next, frames.now());
    },
    seekTime: goTo,
    seekSeq(seq) {
      void extent.peek();
      if (replay !== undefined) goTo(timeOf({ seq, after: 0 }));
      // Of entries at the same moment it is this one.
      else tell({ seq, after: 0 }, frames.now());
    },
    leave() {
      rest();
      toldPosition = undefined;
      address.moveTo(undefined);
    },
    attach() {
      // A link, the back button or another view says where to go.
      const stopListening = effect(() => {
        const given = address.position.value;
        if (replay === undefined || isSamePosition(given, toldPosition)) return;
        untracked(rest);
      });
      // What is looked at is kept, whatever else comes; by the thousand, so that playing does not pin each entry.
      const pinned = computed(() => (position.value === undefined ? undefined : Math.max(1, position.value.seq - (position.value.seq % PIN_STEP))));
      const unpin = effect(() => (pinned.value === undefined ? undefined : stream.pin(pinned.value)));
      return () => {
        stopListening();
        unpin();
        // The address may be another page's by now.
        rest();
      };
    },
  };
  return session;
}

const browserFrames: ReplayFrames = {
  now: () => performance.now(),
  request: (run) => requestAnimationFrame(run),
  cancel: (frame) => cancelAnimationFrame(frame),
};
