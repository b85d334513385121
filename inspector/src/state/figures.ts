import { type Liveness, startLiveness } from "../../../src/lib/liveness/liveness.ts";
import { step } from "../../../src/lib/liveness/step.ts";
import { DEFAULT_THRESHOLDS } from "../../../src/lib/liveness/thresholds.ts";
import type { TaskState } from "../../../src/lib/model/a2a.ts";
import type { StreamEntry } from "../../../src/lib/model/api.ts";
import { type Heard, hear } from "./verdict.ts";

/** What the first entries of a stream amount to. */
export interface Figures extends Heard {
  readonly count: number;
  readonly state: TaskState | undefined;
  /** By the entries' own times. */
  readonly liveness: Liveness;
}

/** The figures of no entry; `state` is the task's where it began before. */
export function startFigures(state?: TaskState): Figures {
  return { count: 0, state, liveness: startLiveness(0), verdict: undefined };
}

/** The numbers of a stream at any place of it, each place in at most `EVERY` steps from the nearest that is remembered. */
export interface FiguresBook {
  /** The numbers of what was before and of the first `count` entries, as of `time` (where it is later than the last of them: silence is found by the clock). */
  at(entries: readonly StreamEntry[], count: number, time: number): Figures;
}

/** So far apart numbers are remembered, entries. */
const EVERY = 512;

/** A book of one stream, empty. `before` are the figures of what came before the first entry that it is given. */
export function createFiguresBook(before: Figures): FiguresBook {
  const kept: Figures[] = [];
  let newest: Figures | undefined;

  const nearest = (count: number): Figures => {
    const known = kept[Math.min(kept.length, Math.floor(count / EVERY)) - 1] ?? before;
    return newest !== undefined && newest.count <= before.count + count && newest.count > known.count ? newest : known;
  };
  return {
    at(entries, count, time) {
      let figures = nearest(count);
      for (let place = figures.count - before.count; place < count; place += 1) {
        const entry = entries[place];
        if (entry === undefined) break;
        figures = addEntry(figures, entry);
        if (place + 1 === (kept.length + 1) * EVERY) kept.push(figures);
      }
      newest = figures;
      if (figures.count === 0) return figures;
      return { ...figures, liveness: step(figures.liveness, { kind: "tick", at: time }, DEFAULT_THRESHOLDS).state };
    },
  };
}

/** The figures with one entry more. */
export function addEntry({ count, state, liveness, verdict }: Figures, entry: StreamEntry): Figures {
  const { at, audience, event } = entry;
  const before = count === 0 ? startLiveness(at) : step(liveness, { kind: "tick", at }, DEFAULT_THRESHOLDS).state;
  const told =
    audience !== "public" ? undefined : "task" in event ? event.task.status.state : "statusUpdate" in event ? event.statusUpdate.status.state : undefined;
  return { count: count + 1, state: told ?? state, ...hear({ liveness: before, verdict }, entry, at, DEFAULT_THRESHOLDS) };
}

/** How many entries of a stream have come, with those that the page has let go. */
export function countOf({ before, entries }: { readonly before: { readonly value: Figures }; readonly entries: readonly StreamEntry[] }): number {
  return before.value.count + entries.length;
}
