import assert from "node:assert/strict";
import test from "node:test";
import { attemptOf, campaignOf } from "../../../test/support/campaigns.ts";
import type { Failure, Outcome } from "./attempt.ts";
import { afterFailure, NONE_USED, pauseOf, stateOfBattle } from "./retry-rule.ts";

const retries = { ...campaignOf().retries, maxAttempts: 3, maxRetryAfterMs: 1000 };
const failure = (of: Failure["class"], more: Partial<Failure> = {}): Failure => ({ class: of, code: "x", message: "no", ...more });
const failed = (of: Failure["class"]): Outcome => ({ kind: "failed", failure: failure(of) });
const stateOf = (...outcomes: readonly (Outcome | undefined)[]): string =>
  stateOfBattle(
    outcomes.map((outcome, index) => attemptOf({ attempt: index + 1, ...(outcome && { outcome }) })),
    retries,
  ).state;

test("a battle waits while retries of its class and attempts are left, and is given up after them", () => {
  const judged: Outcome = { kind: "judged", verdict: { pass: true, score: 1 }, answer: "" };
  const unknown: Outcome = { kind: "unknown", why: "" };
  assert.equal(stateOf(), "unbegun");
  assert.equal(stateOf(undefined), "running");
  assert.equal(stateOf(failed("transport"), undefined), "running");
  assert.equal(stateOf(failed("transport")), "waiting");
  assert.equal(stateOf(failed("transport"), failed("stall")), "waiting");
  assert.equal(stateOf(failed("transport"), failed("stall"), failed("transport")), "given-up");
  assert.equal(stateOf(failed("agent-failed"), failed("agent-failed")), "given-up");
  assert.equal(stateOf(failed("deterministic")), "given-up");
  assert.equal(stateOf(unknown, unknown, unknown, unknown), "waiting", "of what nobody knows it costs nothing");
  assert.equal(stateOf(failed("stall"), judged), "judged");
  assert.equal(stateOf({ kind: "canceled" }), "canceled");
  const discounted = attemptOf({ outcome: failed("deterministic"), discounted: true });
  assert.equal(stateOfBattle([discounted], retries).state, "unbegun");
});

test("a Retry-After is waited for whole up to the limit, and beyond it the limit", () => {
  assert.deepEqual(pauseOf(undefined, retries), { pauseMs: 0 });
  assert.deepEqual(pauseOf(1000, retries), { pauseMs: 1000 });
  assert.deepEqual(pauseOf(1001, retries), { pauseMs: 1000, askedMs: 1001 });
  const { meaning } = afterFailure(NONE_USED, failure("rate-limit", { retryAfterMs: 86_400_000 }), retries);
  assert.deepEqual(meaning, { kind: "retry", backoffMs: 1, pauseMs: 1000, askedMs: 86_400_000 });
});
