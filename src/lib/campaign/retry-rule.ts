import type { Attempt, Failure } from "./attempt.ts";
import type { Retries, RetryClass } from "./campaign.ts";

/** What of its retries a battle has used: failures that count, in all and by class. */
export interface Used {
  readonly failures: number;
  readonly byClass: Readonly<Partial<Record<RetryClass, number>>>;
}

/** A battle that has not failed yet. */
export const NONE_USED: Used = { failures: 0, byClass: {} };

/** What a failure means for its battle. */
export type AfterFailure =
  | { readonly kind: "given-up"; readonly why: string }
  /** `backoffMs` without its jitter; `pauseMs` is what the subject asked for, at most `maxRetryAfterMs`; `askedMs` is there where it asked for more. */
  | { readonly kind: "retry"; readonly backoffMs: number; readonly pauseMs: number; readonly askedMs?: number };

/** The one rule of what is tried again: the schedule follows it, and every view counts by it. */
export function afterFailure(used: Used, failure: Failure, retries: Retries): { readonly used: Used; readonly meaning: AfterFailure } {
  const failures = used.failures + 1;
  if (failure.class === "deterministic" || failure.final === true) {
    return { used: { ...used, failures }, meaning: { kind: "given-up", why: `the same would happen again: ${failure.message}` } };
  }
  const kind = failure.class;
  const times = (used.byClass[kind] ?? 0) + 1;
  const next: Used = { failures, byClass: { ...used.byClass, [kind]: times } };
  if (times > retries.byClass[kind]) return { used: next, meaning: { kind: "given-up", why: `${times} attempts failed by ${kind}: ${failure.message}` } };
  if (failures >= retries.maxAttempts) {
    return { used: next, meaning: { kind: "given-up", why: `${failures} attempts failed, the last by ${kind}: ${failure.message}` } };
  }
  const backoffMs = Math.min(retries.maxMs, retries.baseMs * 2 ** (times - 1));
  return { used: next, meaning: { kind: "retry", backoffMs, ...pauseOf(failure.retryAfterMs, retries) } };
}

/** Whether another try would fail in the same way. */
export function isFinal({ class: of, final }: Pick<Failure, "class" | "final">): boolean {
  return of === "deterministic" || final === true;
}

/** What of a subject's Retry-After is waited: all of it, but never longer than `maxRetryAfterMs`. */
export function pauseOf(
  retryAfterMs: number | undefined,
  { maxRetryAfterMs }: Pick<Retries, "maxRetryAfterMs">,
): { readonly pauseMs: number; readonly askedMs?: number } {
  const askedMs = retryAfterMs ?? 0;
  return askedMs <= maxRetryAfterMs ? { pauseMs: askedMs } : { pauseMs: maxRetryAfterMs, askedMs };
}

/** How a battle stands. `unbegun`: no attempt of it counts. `waiting`: it is to be tried again. */
export type BattleState = "unbegun" | "running" | "judged" | "canceled" | "waiting" | "given-up";

/** How a battle stands after its attempts, oldest first; and what of its retries they used. */
export function stateOfBattle(
  attempts: readonly Attempt[],
  retries: Retries,
): { readonly state: BattleState; readonly used: Used; readonly last: Attempt | undefined } {
  let state: BattleState = "unbegun";
  let used = NONE_USED;
  let last: Attempt | undefined;
  for (const attempt of attempts) {
    if (attempt.discounted === true) continue;
    last = attempt;
    const { outcome } = attempt;
    if (outcome === undefined) state = "running";
    // Of what nobody knows it costs no retry.
    else if (outcome.kind === "unknown") state = "waiting";
    else if (outcome.kind !== "failed") return { state: outcome.kind, used, last };
    else {
      const after = afterFailure(used, outcome.failure, retries);
      ({ used } = after);
      // Retries may have been fewer or more when it was made: what came after it counts.
      state = after.meaning.kind === "retry" ? "waiting" : "given-up";
    }
  }
  return { state, used, last };
}
