import { batch, type ReadonlySignal, signal } from "@preact/signals";
import type { Liveness, Phase } from "../../../src/lib/liveness/liveness.ts";
import type { Task, TaskState } from "../../../src/lib/model/a2a.ts";
import type { StreamEntry, StreamOpened } from "../../../src/lib/model/api.ts";
import { messageOf } from "../../../src/lib/model/errors.ts";
import { retryDelay } from "./backoff.ts";
import { serverNow } from "./clock.ts";
import { onFrame, onTick, pageNow, pause } from "./frame.ts";
import type { Figures } from "./figures.ts";
import { createReading } from "./reading.ts";
import type { SavedStream } from "./stream-file.ts";
import { createRoom } from "./room.ts";
import { createSignals } from "./signals.ts";
import { connectShared, dropShared } from "./shared.ts";
import { type Conditions, LostWire, type Transport } from "./transport.ts";

/**
 * A followed stream in the page: the same entries for every view that looks at it. Entries come in seq order, none twice; a view keeps an index of its own into
 * `entries` and reads on when `version` changes, which is at most once an animation frame. `generation` changes when the server began anew (`reset`), and when the
 * oldest entries were let go because the page keeps `MAX_HELD_BYTES` of them: then start over, from `snapshot`.
 */
export interface StreamStore {
  readonly agent: string;
  readonly task: string;
  /** `file`: imported, without a server. */
  readonly source: "server" | "file";
  /** Grows in place, and becomes shorter when `generation` changes; never change it. */
  readonly entries: readonly StreamEntry[];
  /** When each entry came, by the server's clock as far as the page knows it, ms since the epoch; parallel to `entries`. An imported or replayed entry has its own `at`. */
  readonly arrivals: readonly number[];
  /** What the task amounted to before the first entry, where earlier ones are gone. */
  readonly snapshot: ReadonlySignal<Task | undefined>;
  /** The numbers of what was let go before the first entry. */
  readonly before: ReadonlySignal<Figures>;
  /** Counts up when entries came, at most once a frame. */
  readonly version: ReadonlySignal<number>;
  readonly generation: ReadonlySignal<number>;
  readonly context: ReadonlySignal<string>;
  readonly state: ReadonlySignal<TaskState | undefined>;
  readonly phase: ReadonlySignal<Phase>;
  /** Numbers: tokens, rate, first content, gaps. By when it came for what arrived live. */
  readonly liveness: ReadonlySignal<Liveness>;
  readonly connection: ReadonlySignal<Connection>;
  /** What reconnecting cost so far. All gaps and repeats of seq are counted, so 0 and 0 is a proof. */
  readonly wire: ReadonlySignal<WireFacts>;
  /** The Task as it stands, folded when asked. */
  fold(): Task | undefined;
  /** Drops the connection, and comes back with the cursor after `forMs` (800). */
  cut(options?: { readonly forMs?: number }): void;
  /** Makes the network worse from now on; `undefined` makes it good again. */
  throttle(conditions: Conditions | undefined): void;
  /**
   * Keeps the entries from `seq` on until the returned function is called, whatever else comes: where there is no room for more, the server is read no further
   * meanwhile (`isHeld`).
   */
  pin(seq: number): () => void;
  readonly isHeld: ReadonlySignal<boolean>;
  /** Gives back this user of the stream; the last one ends the connection. */
  close(): void;
}

/** Where the connection is. */
export type Connection =
  | { readonly kind: "connecting"; readonly attempt: number }
  | { readonly kind: "open" }
  | { readonly kind: "cut"; readonly until: number }
  | { readonly kind: "waiting"; readonly until: number; readonly why: string }
  /** The stream is sealed and wholly here. */
  | { readonly kind: "ended" }
  /** It will not come back by itself. */
  | { readonly kind: "failed"; readonly why: string }
  | { readonly kind: "file" };

/** How often the wire was lost, and what that did to the entries. */
export interface WireFacts {
  readonly resumes: readonly Resume[];
  readonly missed: number;
  readonly repeated: number;
}

/** One resumption. */
export interface Resume {
  /** The last seq before, and the first after; 0 before the first entry. */
  readonly after: number;
  readonly first: number;
  readonly missed: number;
  readonly repeated: number;
  /** From the loss to the first entry after it, ms. */
  readonly tookMs: number;
  readonly opening: StreamOpened["opening"];
}

/** What a stream is opened with; tests give another transport. */
export interface OpenOptions {
  readonly transport?: Transport;
  /** Streams of one agent and task share what is read; those of another place name it here. */
  readonly place?: string;
  /** See `MAX_HELD_BYTES`. */
  readonly maxBytes?: number;
}

/** About so much memory the entries of one stream may take: some 160,000 tokens (50 MiB of heap, measured). Beyond it the oldest are let go. */
export const MAX_HELD_BYTES = 64 * 1024 * 1024;

interface Shared {
  readonly store: StreamStore;
  users: number;
  linger: ReturnType<typeof setTimeout> | undefined;
}

const shared = new Map<string, Shared>();
/** So many entries before a pinned one are kept with it. */
const PIN_BEFORE = 2000;
/** A view that is left for another of the same stream does not cost a connection. */
const LINGER_MS = 3000;

/** Follows a task's stream from its first entry; views of one task share it. Each caller closes once what it opened. */
export function openStream(agent: string, task: string, { transport = connectShared, place = "", maxBytes = MAX_HELD_BYTES }: OpenOptions = {}): StreamStore {
  const key = `${place}\n${agent}\n${task}`;
  let known = shared.get(key);
  if (known === undefined) {
    const made: Shared = {
      users: 0,
      linger: undefined,
      store: follow(agent, task, { transport, maxBytes }, (end) => {
        made.users -= 1;
        if (made.users > 0) return;
        made.linger = setTimeout(() => {
          shared.delete(key);
          end();
        }, LINGER_MS);
      }),
    };
    known = made;
    shared.set(key, made);
  }
  clearTimeout(known.linger);
  known.users += 1;
  return known.store;
}

/** A stream of entries that are at hand: of a file that was opened. */
export function loadStream({ agent, task, snapshot, entries }: Omit<SavedStream, "context">): StreamStore {
  const reading = createReading();
  if (snapshot !== undefined) reading.restore(snapshot, (entries[0]?.seq ?? 1) - 1);
  for (const entry of entries) reading.take(entry, entry.at);
  const { shown, tell } = createSignals(reading, { kind: "file" });
  tell();
  const { entries: kept, arrivals, task: fold } = reading;
  const own = { agent, task, source: "file", entries: kept, arrivals, fold } as const;
  // A file is at hand as a whole.
  return { ...shown, ...own, isHeld: signal(false), pin: () => nothing, cut: nothing, throttle: nothing, close: nothing };
}

function nothing(): void {
  // A file has no wire.
}

function follow(agent: string, task: string, { transport, maxBytes }: Required<Omit<OpenOptions, "place">>, release: (end: () => void) => void): StreamStore {
  const over = new AbortController();
  const reading = createReading();
  const signals = createSignals(reading, { kind: "connecting", attempt: 1 });
  const { connection } = signals;
  let wire = new AbortController();
  let cutFor: number | undefined;
  const conditions = signal<Conditions | undefined>(undefined);
  const pins = new Set<{ readonly from: number }>();
  const room = createRoom();
  /** What came and waits for the next frame. */
  let pending: { readonly entry: StreamEntry; readonly at: number }[] = [];

  const flush = (): void => {
    const all = pending;
    pending = [];
    for (const { entry, at } of all) reading.take(entry, at);
    const isFull = !reading.trim(maxBytes, Math.min(...[...pins].map(({ from }) => from)));
    signals.tell();
    room.set(isFull);
  };
  /** One connection, to its end. */
  const read = async (): Promise<"ended" | "lost"> => {
    const cursor = reading.cursor();
    for await (const told of transport({ agent, task, ...(cursor !== undefined && { after: cursor }) }, { signal: wire.signal, conditions })) {
      if (told.kind === "opened") {
        connection.value = { kind: "open" };
        // What is pending belongs to the connection before.
        flush();
        reading.opened(told.stream);
      } else if (told.kind === "entries") {
        const at = serverNow();
        for (const entry of told.entries) pending.push({ entry, at });
        onFrame(flush);
        await room.wait(wire.signal);
      } else return "ended";
      if (told.kind === "entries") reading.cameTo(told.cursor);
    }
    return "lost";
  };
  const run = async (): Promise<void> => {
    for (let failures = 0; !over.signal.aborted;) {
      let why = "The connection was lost.";
      const before = reading.received();
      try {
        if ((await read()) === "ended") {
          batch(flush);
          connection.value = { kind: "ended" };
          return;
        }
      } catch (error) {
        if (error instanceof LostWire && error.final) {
          connection.value = { kind: "failed", why: error.message };
          return;
        }
        why = messageOf(error);
      }
      if (over.signal.aborted) return;
      batch(flush);
      reading.lost(serverNow());
      failures = reading.received() > before ? 0 : failures + 1;
      const forMs = cutFor ?? retryDelay(failures);
      const until = pageNow() + forMs;
      connection.value = cutFor === undefined ? { kind: "waiting", until, why } : { kind: "cut", until };
      cutFor = undefined;
      await pause(forMs, over.signal);
      wire = new AbortController();
      connection.value = { kind: "connecting", attempt: failures + 1 };
    }
  };
  const untick = onTick(() => {
    // While the wire is lost nobody is silent but the wire.
    if (connection.peek().kind === "open") signals.tick(serverNow());
  });
  const end = (): void => {
    over.abort();
    wire.abort();
    untick();
  };
  void run();
  return {
    ...signals.shown,
    agent,
    task,
    source: "server",
    entries: reading.entries,
    arrivals: reading.arrivals,
    fold: reading.task,
    cut({ forMs = 800 } = {}) {
      if (connection.peek().kind !== "open" && connection.peek().kind !== "connecting") return;
      cutFor = forMs;
      wire.abort();
      // The page's one connection, with every other stream on it.
      if (transport === connectShared) dropShared();
    },
    throttle(given) {
      conditions.value = given;
    },
    isHeld: room.isFull,
    pin(seq) {
      // Some of what was before it, too: to see how it came to that.
      const pinned = { from: Math.max(1, seq - PIN_BEFORE) };
      pins.add(pinned);
      return () => {
        pins.delete(pinned);
        onFrame(flush);
      };
    },
    close: () => release(end),
  };
}
