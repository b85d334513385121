import { type Liveness, startLiveness } from "../../../src/lib/liveness/liveness.ts";
import { readSignals } from "../../../src/lib/liveness/read-signals.ts";
import { step } from "../../../src/lib/liveness/step.ts";
import { DEFAULT_THRESHOLDS } from "../../../src/lib/liveness/thresholds.ts";
import type { TaskState } from "../../../src/lib/model/a2a.ts";
import type { StreamEntry } from "../../../src/lib/model/api.ts";

/** What the first entries of a stream amount to. */
export interface Figures {
  readonly count: number;
  readonly state: TaskState | undefined;
  /** By the entries' own times. */
  readonly liveness: Liveness;
}

/** The numbers of a stream at any place of it, each place in at most `EVERY` steps from the nearest that is remembered. */
export interface FiguresBook {
  /** The numbers of the first `count` entries, as of `time` (where it is later than the last of them: silence is found by the clock). */
  at(entries: readonly StreamEntry[], count: number, time: number): Figures;
}

/** So far apart numbers are remembered, entries. */
const EVERY = 512;

/** A book of one stream, empty. `begins` is the state before its first entry. */
export function createFiguresBook(begins: TaskState | undefined): FiguresBook {
  const kept: Figures[] = [];
  let newest: Figures | undefined;

  const before = (count: number): Figures => {
    const known = kept[Math.min(kept.length, Math.floor(count / EVERY)) - 1] ?? { count: 0, state: begins, liveness: startLiveness(0) };
    return newest !== undefined && newest.count <= count && newest.count > known.count ? newest : known;
  };
  return {
    at(entries, count, time) {
      let figures = before(count);
      while (figures.count < count) {
        const entry = entries[figures.count];
        if (entry === undefined) break;
        figures = take(figures, entry);
        if (figures.count === (kept.length + 1) * EVERY) kept.push(figures);
      }
      newest = figures;
      if (figures.count === 0) return figures;
      return { ...figures, liveness: step(figures.liveness, { kind: "tick", at: time }, DEFAULT_THRESHOLDS).state };
    },
  };
}

function take({ count, state, liveness }: Figures, { seq, at, audience, event }: StreamEntry): Figures {
  let next = count === 0 ? startLiveness(at) : step(liveness, { kind: "tick", at }, DEFAULT_THRESHOLDS).state;
  for (const signal of readSignals(event)) next = step(next, { kind: "signal", at, signal, seq }, DEFAULT_THRESHOLDS).state;
  const told =
    audience !== "public" ? undefined : "task" in event ? event.task.status.state : "statusUpdate" in event ? event.statusUpdate.status.state : undefined;
  return { count: count + 1, state: told ?? state, liveness: next };
}
