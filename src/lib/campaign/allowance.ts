/**
 * How many battles a subject takes at once, as its answers show: one more for as many successes as are allowed now (additive increase), half as many after a
 * refusal (multiplicative decrease), once for all that were sent before it. Pure; `now` is ms of any clock.
 */
export interface Allowance {
  /** Battles that may run. */
  readonly allowed: number;
  /** Nothing is sent before (Retry-After). */
  readonly notBefore: number;
  /** Battles that began before this were sent under a larger allowance: their refusals say nothing new. */
  readonly since: number;
}

/** A subject that was not asked yet. */
export function startAllowance(max: number): Allowance {
  return { allowed: max, notBefore: 0, since: 0 };
}

/** After a battle that succeeded. */
export function widen(allowance: Allowance, max: number): Allowance {
  return allowance.allowed >= max ? allowance : { ...allowance, allowed: Math.min(max, allowance.allowed + 1 / allowance.allowed) };
}

/** After a refusal (429, 503) of a battle that began at `beganAt`. */
export function narrow(allowance: Allowance, beganAt: number, now: number, retryAfterMs = 0): Allowance {
  const notBefore = Math.max(allowance.notBefore, now + retryAfterMs);
  if (beganAt < allowance.since) return { ...allowance, notBefore };
  return { allowed: Math.max(1, allowance.allowed / 2), notBefore, since: now };
}
