import type { StreamEntry } from "../../../src/lib/model/api.ts";
import { createStreamRules, type RuleBreak } from "./stream-rules.ts";

/** Judges a stream's entries one after the other, some at a time, so that the page stays quick with 100,000 of them. */
export interface Judge {
  /** How many entries are judged. */
  readonly judged: number;
  /** The entries that break rules, by seq, and what they break. */
  readonly bad: ReadonlyMap<number, readonly RuleBreak[]>;
  /** Judges on, until all are judged or `now()` has passed `until`. True if there is more to do. */
  advance(entries: readonly StreamEntry[], until: number, now: () => number): boolean;
}

/** A judge of one stream. `check` says what an event breaks by itself; `isWhole` whether every entry comes. */
export function createJudge(check: (event: unknown) => readonly RuleBreak[], { isWhole }: { readonly isWhole: boolean }): Judge {
  const rules = createStreamRules({ isWhole });
  const bad = new Map<number, readonly RuleBreak[]>();
  let judged = 0;
  return {
    get judged() {
      return judged;
    },
    bad,
    advance(entries, until, now) {
      while (judged < entries.length) {
        const entry = entries[judged];
        if (entry === undefined) break;
        judged += 1;
        const breaks = [...check(entry.event), ...rules.take(entry)];
        if (breaks.length > 0) bad.set(entry.seq, breaks);
        if (judged % 16 === 0 && now() >= until) return true;
      }
      return false;
    },
  };
}
