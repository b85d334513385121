import type { Liveness, Phase } from "../../../src/lib/liveness/liveness.ts";
import type { Task, TaskState } from "../../../src/lib/model/a2a.ts";
import type { StreamEntry, StreamOpened } from "../../../src/lib/model/api.ts";
import { createFold } from "../../../src/lib/model/fold.ts";
import { addEntry, type Figures, startFigures } from "./figures.ts";
import { createJudge } from "./judge.ts";
import type { Resume, WireFacts } from "./stream.ts";
import { weigh } from "./weigh.ts";

/**
 * What the page knows of a stream, as entries come: pure but for its own state, no clock inside. Repeats are dropped and counted, gaps counted: seqs are dense for
 * the owner, who sees every audience. Times are by the server's clock, as far as the page knows it.
 */
export interface Reading {
  /** The newest entries; older ones are let go by `trim`. */
  readonly entries: StreamEntry[];
  readonly arrivals: number[];
  readonly generation: number;
  readonly context: string;
  /** What the task amounted to before the first of `entries`, and its figures. */
  readonly snapshot: Task | undefined;
  readonly before: Figures;
  /** About how much memory the entries take. */
  readonly bytes: number;
  readonly liveness: Liveness;
  readonly phase: Phase;
  readonly wire: WireFacts;
  /** Where to go on after a loss. */
  cursor(): string | undefined;
  /** How many entries ever came, repeats too. */
  received(): number;
  opened(stream: StreamOpened): void;
  /** The transport has handed over everything up to `cursor`. */
  cameTo(cursor: string): void;
  take(entry: StreamEntry, at: number): void;
  lost(at: number): void;
  tick(at: number): void;
  restore(task: Task, seq: number): void;
  /** Lets the oldest entries go until three quarters of `maxBytes` are kept, but none from the seq `pin` on: then `generation` changes. True if there is room. */
  trim(maxBytes: number, pin?: number): boolean;
  state(): TaskState | undefined;
  task(): Task | undefined;
}

/** An empty reading. */
export function createReading(): Reading {
  let fold = createFold();
  let judge = createJudge();
  /** Of the entries that were let go. */
  let floor = createFold();
  let before = startFigures();
  let bytes = 0;
  let cursor: string | undefined;
  let received = 0;
  let last = 0;
  let generation = 0;
  let context = "";
  let snapshot: Task | undefined;
  let wire: WireFacts = { resumes: [], missed: 0, repeated: 0 };
  /** Since when the wire is lost, and what came of the new one so far. */
  let away: { since: number; after: number; repeated: number; opening: StreamOpened["opening"] } | undefined;
  const entries: StreamEntry[] = [];
  const arrivals: number[] = [];

  const restart = (): void => {
    entries.length = 0;
    arrivals.length = 0;
    generation += 1;
    bytes = 0;
    fold = createFold();
    judge = createJudge();
    floor = createFold();
    before = startFigures();
    snapshot = undefined;
    last = 0;
  };

  const restore = (task: Task, seq: number): void => {
    snapshot = task;
    context = task.contextId;
    fold.restore(task, Math.max(1, seq));
    floor.restore(task, Math.max(1, seq));
    before = startFigures(task.status.state);
    last = seq;
  };

  return {
    entries,
    arrivals,
    get generation() {
      return generation;
    },
    get context() {
      return context;
    },
    get snapshot() {
      return snapshot;
    },
    get before() {
      return before;
    },
    get bytes() {
      return bytes;
    },
    get liveness() {
      return judge.liveness;
    },
    get phase() {
      return judge.phase;
    },
    get wire() {
      return wire;
    },
    cursor: () => cursor,
    received: () => received,
    opened(stream) {
      if (away !== undefined) away.opening = stream.opening;
      if (stream.opening === "resume") return;
      if (last > 0) restart();
      if (stream.snapshot === undefined) return;
      snapshot = stream.snapshot as unknown as Task;
      const seq = Number(/(\d+)$/.exec(stream.cursor)?.[1] ?? 0);
      restore(snapshot, seq);
    },
    cameTo(reached) {
      cursor = reached;
    },
    take(entry, at) {
      received += 1;
      if (entry.seq <= last) {
        if (away !== undefined) away.repeated += 1;
        wire = { ...wire, repeated: wire.repeated + 1 };
        return;
      }
      const missed = last === 0 ? 0 : entry.seq - last - 1;
      if (missed > 0) wire = { ...wire, missed: wire.missed + missed };
      if (away !== undefined) {
        const resume: Resume = { after: away.after, first: entry.seq, missed, repeated: away.repeated, tookMs: at - away.since, opening: away.opening };
        wire = { ...wire, resumes: [...wire.resumes, resume] };
        away = undefined;
      }
      last = entry.seq;
      entries.push(entry);
      arrivals.push(at);
      bytes += weigh(entry);
      if (context === "") context = contextOf(entry);
      // The fold counts for itself: a file, or a reader of fewer audiences, may leave some out.
      fold.apply({ ...entry, seq: fold.seq + 1, event: "" }, entry.event);
      judge.take(entry, at);
    },
    lost(at) {
      away ??= { since: at, after: last, repeated: 0, opening: "fresh" };
    },
    tick: (at) => judge.tick(at),
    restore,
    trim(maxBytes, pin = Number.POSITIVE_INFINITY) {
      if (bytes <= maxBytes) return true;
      let count = 0;
      for (const entry of entries) {
        if (bytes <= 0.75 * maxBytes || entry.seq >= pin || count === entries.length - 1) break;
        floor.apply({ ...entry, seq: floor.seq + 1, event: "" }, entry.event);
        before = addEntry(before, entry);
        bytes -= weigh(entry);
        count += 1;
      }
      if (count > 0) {
        entries.splice(0, count);
        arrivals.splice(0, count);
        snapshot = floor.task();
        generation += 1;
      }
      return bytes <= maxBytes;
    },
    state: () => fold.status?.state,
    task: () => fold.task(),
  };
}

function contextOf({ event }: StreamEntry): string {
  if ("task" in event) return event.task.contextId;
  if ("statusUpdate" in event) return event.statusUpdate.contextId;
  if ("artifactUpdate" in event) return event.artifactUpdate.contextId;
  return event.message.contextId ?? "";
}
