import type { Evidence } from "../liveness/stalled.ts";
import type { Stall } from "../liveness/liveness.ts";
import { joinKey } from "../model/key.ts";
import type { LivenessMode, RetryClass, Verdict } from "./campaign.ts";

/** One try of one battle, as the ledger and `results.jsonl` have it: one line each, in this form. */
export interface Attempt {
  /** `subject/item/repeat`, percent-encoded parts (`joinKey`). */
  readonly battle: string;
  readonly subject: string;
  readonly item: string;
  /** From 1. */
  readonly repeat: number;
  /** From 1. `(ledger, battle, attempt)` is the idempotency key, and `messageId` derives from it. */
  readonly attempt: number;
  readonly messageId: string;
  /** New for each attempt: nothing is carried over. */
  readonly contextId: string;
  /** As soon as the subject named it. */
  readonly taskId?: string;
  /** The earlier attempt whose answer it judges again: nothing is asked, and its numbers are there. */
  readonly answerOf?: number;
  /** ms since the epoch. */
  readonly startedAt: number;
  readonly endedAt?: number;
  /** What stalls were judged by, and why. */
  readonly liveness?: { readonly mode: JudgedBy; readonly why: string };
  /** Absent while it runs. */
  readonly outcome?: Outcome;
  /** A person asked for another: it is kept, and counts for nothing. */
  readonly discounted?: true;
  readonly measured: Measured;
  /** Slow and stalled episodes, oldest first; at most 100 are kept. */
  readonly episodes: readonly Episode[];
}

/** By what an attempt is judged; a stream that has not shown its content piece by piece yet is judged by what else there is. */
export type JudgedBy = Exclude<LivenessMode, "auto">;

/** How an attempt ended. */
export type Outcome =
  | { readonly kind: "judged"; readonly verdict: Verdict; readonly answer: string }
  /** `answered`: the subject had answered, and only the judgement failed; another attempt judges that answer again and asks nothing. */
  | { readonly kind: "failed"; readonly failure: Failure; readonly answered?: true }
  /** The runner died in mid-battle and the subject cannot say what became of it: kept, and a new attempt counts the battle once. */
  | { readonly kind: "unknown"; readonly why: string }
  | { readonly kind: "canceled" };

/** Why an attempt failed. */
export interface Failure {
  /** `deterministic`: the same would happen again (a refusal, a wrong request, an answer that is too large). */
  readonly class: RetryClass | "deterministic";
  /** An `IasError` code or reason. */
  readonly code: string;
  readonly message: string;
  readonly retryAfterMs?: number;
  /** Another try would fail in the same way, whoever is at fault. */
  readonly final?: true;
  readonly stall?: Stall;
  readonly evidence?: Evidence;
}

/** Numbers of one attempt. */
export interface Measured {
  /** Events that arrived, contents among them, and tokens (exact where usage tells). */
  readonly events: number;
  readonly contents: number;
  readonly tokens: number;
  /** To the first content, ms. */
  readonly ttftMs?: number;
  readonly gapP50Ms?: number;
  readonly gapP95Ms?: number;
  readonly gapMaxMs?: number;
  readonly tokensPerSecond?: number;
  /** Without waits for rate limits and people, ms. */
  readonly workedMs: number;
  /** Between start and end, ms. */
  readonly durationMs: number;
}

/** A time in which an attempt was slow or stalled. ms since the attempt's start. */
export interface Episode {
  readonly kind: "slow" | "stalled";
  readonly fromMs: number;
  readonly untilMs?: number;
  readonly activity: string;
  readonly evidence?: Evidence;
}

/** `subject/item/repeat` as a battle's name. */
export function battleKey(subject: string, item: string, repeat: number): string {
  return joinKey(subject, item, String(repeat));
}
