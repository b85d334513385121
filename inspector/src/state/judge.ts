import { type Liveness, startLiveness } from "../../../src/lib/liveness/liveness.ts";
import { readSignals } from "../../../src/lib/liveness/read-signals.ts";
import { step } from "../../../src/lib/liveness/step.ts";
import { DEFAULT_THRESHOLDS } from "../../../src/lib/liveness/thresholds.ts";
import type { StreamEntry } from "../../../src/lib/model/api.ts";

/** Whether a stream is alive, as the page sees it. */
export interface Judge {
  readonly liveness: Liveness;
  /** An entry that came at `at`, by the server's clock as far as the page knows it. */
  take(entry: StreamEntry, at: number): void;
  /** The clock went on, and nothing came. */
  tick(at: number): void;
}

/** An entry that is older than this when it comes was not written just now. */
const LIVE_MS = 2000;

/** A judge of one stream. What is told again of the past has its own time; what comes now is judged by when it came, so that a bad network is seen. */
export function createJudge(): Judge {
  let liveness = startLiveness(0);
  let started = false;
  return {
    get liveness() {
      return liveness;
    },
    take(entry, came) {
      const at = came - entry.at < LIVE_MS ? came : entry.at;
      if (!started) {
        started = true;
        liveness = startLiveness(at);
      }
      for (const signal of readSignals(entry.event)) liveness = step(liveness, { kind: "signal", at, signal, seq: entry.seq }, DEFAULT_THRESHOLDS).state;
    },
    tick(at) {
      if (started) liveness = step(liveness, { kind: "tick", at }, DEFAULT_THRESHOLDS).state;
    },
  };
}
