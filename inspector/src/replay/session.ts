import { computed, effect, type ReadonlySignal, signal, untracked } from "@preact/signals";
import type { StreamStore } from "../state/stream.ts";
import { createReplay, extend, inOrder, isPlaying, play, positionAt, type Replay, seek, seqAt, setSpeed, timeOf } from "./clock.ts";

/** The replay of one stream, shared by all its views: what it shows of the stream, and how that moves. */
export interface ReplaySession {
  /** Up to which seq the stream is shown; undefined is the live end. */
  readonly seq: ReadonlySignal<number | undefined>;
  /** The moment that is shown, ms by the entries' clock; undefined is the live end. */
  readonly time: ReadonlySignal<number | undefined>;
  readonly playing: ReadonlySignal<boolean>;
  readonly speed: ReadonlySignal<number>;
  /** The stretch that there is. */
  readonly from: ReadonlySignal<number>;
  readonly to: ReadonlySignal<number>;
  toggle(): void;
  setSpeed(speed: number): void;
  seekTime(at: number): void;
  seekSeq(seq: number): void;
  /** Back to the live end. */
  leave(): void;
}

/** Browsers refuse an address that changes more often than some six times a second. */
const ADDRESS_MS = 250;
const sessions = new WeakMap<StreamStore, ReplaySession>();

/** The session of `stream`. The address holds the position: `at` is what it holds, `moveTo` changes it. */
export function replayOf(stream: StreamStore, at: ReadonlySignal<number | undefined>, moveTo: (seq: number | undefined) => void): ReplaySession {
  const known = sessions.get(stream);
  if (known !== undefined) return known;
  const made = createSession(stream, at, moveTo);
  sessions.set(stream, made);
  return made;
}

function createSession(stream: StreamStore, at: ReadonlySignal<number | undefined>, moveTo: (seq: number | undefined) => void): ReplaySession {
  const { entries, version } = stream;
  const speed = signal(1);
  /** While it plays: where it is. */
  const moving = signal<{ readonly seq: number; readonly time: number } | undefined>(undefined);
  let replay: Replay | undefined;
  let ordered: readonly { readonly seq: number; readonly at: number }[] = [];
  let frame = 0;
  /** When the address was changed last, and to what: another value comes from outside. */
  let told = 0;
  let toldSeq: number | undefined;

  let counted = 0;
  let most = 0;
  const extent = computed(() => {
    void version.value;
    if (counted > entries.length) counted = 0;
    if (counted === 0) most = 0;
    for (; counted < entries.length; counted += 1) most = Math.max(most, entries[counted]?.at ?? 0);
    return { from: entries[0]?.at ?? 0, to: most };
  });
  const tell = (seq: number, now: number): void => {
    told = now;
    toldSeq = seq;
    moveTo(seq);
  };
  const stop = (): void => {
    cancelAnimationFrame(frame);
    const last = moving.peek();
    moving.value = undefined;
    replay = undefined;
    if (last !== undefined) tell(last.seq, performance.now());
  };
  const run = (): void => {
    const now = performance.now();
    if (replay === undefined) return;
    if (ordered.length !== entries.length) ordered = inOrder(entries);
    replay = extend(replay, extent.peek().from, extent.peek().to);
    const time = positionAt(replay, now);
    const seq = seqAt(ordered, time);
    moving.value = { seq, time };
    if (!isPlaying(replay, now)) return stop();
    if (now - told >= ADDRESS_MS) tell(seq, now);
    frame = requestAnimationFrame(run);
  };
  // A link, the back button or another view says where to go.
  effect(() => {
    const given = at.value;
    if (given === toldSeq || replay === undefined) return;
    untracked(() => {
      cancelAnimationFrame(frame);
      moving.value = undefined;
      replay = undefined;
    });
  });

  const seq = computed(() => moving.value?.seq ?? at.value);
  const time = computed(() => {
    if (moving.value !== undefined) return moving.value.time;
    void version.value;
    return at.value === undefined ? undefined : timeOf(entries, at.value);
  });
  const session: ReplaySession = {
    seq,
    time,
    speed,
    playing: computed(() => moving.value !== undefined),
    from: computed(() => extent.value.from),
    to: computed(() => extent.value.to),
    toggle() {
      if (replay !== undefined) return stop();
      const { from, to } = extent.peek();
      const now = performance.now();
      ordered = inOrder(entries);
      const start = time.peek();
      replay = play(setSpeed(start === undefined ? createReplay(from, to) : seek(createReplay(from, to), start, now), speed.peek(), now), now);
      run();
    },
    setSpeed(next) {
      speed.value = next;
      if (replay !== undefined) replay = setSpeed(replay, next, performance.now());
    },
    seekTime(given) {
      const now = performance.now();
      if (replay !== undefined) replay = seek(replay, given, now);
      else session.seekSeq(Math.max(1, seqAt(inOrder(entries), given)));
    },
    seekSeq(given) {
      const now = performance.now();
      const moment = timeOf(entries, given);
      if (replay !== undefined && moment !== undefined) replay = seek(replay, moment, now);
      else tell(given, now);
    },
    leave() {
      cancelAnimationFrame(frame);
      moving.value = undefined;
      replay = undefined;
      toldSeq = undefined;
      moveTo(undefined);
    },
  };
  return session;
}

/** Stands still where it is; for views that are left. */
export function holdReplay(stream: StreamStore): void {
  const session = sessions.get(stream);
  if (session?.playing.peek() === true) session.toggle();
}
