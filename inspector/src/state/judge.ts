import { type Liveness, type Phase, startLiveness } from "../../../src/lib/liveness/liveness.ts";
import { step } from "../../../src/lib/liveness/step.ts";
import { DEFAULT_THRESHOLDS } from "../../../src/lib/liveness/thresholds.ts";
import type { StreamEntry } from "../../../src/lib/model/api.ts";
import { type Heard, hear, phaseHeard } from "./verdict.ts";

/** Whether a stream is alive, as the page sees it. */
export interface Judge {
  readonly liveness: Liveness;
  /** What to show: what the owner of the turn says of its silence stands until content or another phase comes. */
  readonly phase: Phase;
  /** An entry that came at `at`, by the server's clock as far as the page knows it. */
  take(entry: StreamEntry, at: number): void;
  /** The clock went on, and nothing came. */
  tick(at: number): void;
}

/** An entry that is older than this when it comes was not written just now. */
const LIVE_MS = 2000;

/** A judge of one stream. What is told again of the past has its own time; what comes now is judged by when it came, so that a bad network is seen. */
export function createJudge(): Judge {
  let heard: Heard = { liveness: startLiveness(0), verdict: undefined };
  let started = false;
  return {
    get liveness() {
      return heard.liveness;
    },
    get phase() {
      return phaseHeard(heard);
    },
    take(entry, came) {
      const at = came - entry.at < LIVE_MS ? came : entry.at;
      if (!started) {
        started = true;
        heard = { liveness: startLiveness(at), verdict: undefined };
      }
      heard = hear(heard, entry, at, DEFAULT_THRESHOLDS);
    },
    tick(at) {
      if (started) heard = { ...heard, liveness: step(heard.liveness, { kind: "tick", at }, DEFAULT_THRESHOLDS).state };
    },
  };
}
