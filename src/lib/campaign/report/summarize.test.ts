import assert from "node:assert/strict";
import test from "node:test";
import { attemptOf, campaignOf } from "../../../../test/support/campaigns.ts";
import type { Attempt, Outcome } from "../attempt.ts";
import { summarize } from "./summarize.ts";

const stalled: Outcome = { kind: "failed", failure: { class: "stall", code: "INFERENCE_STALLED", message: "" } };
const judged = (pass: boolean, score: number): Outcome => ({ kind: "judged", answer: "", verdict: { pass, score } });

function attempt(item: string, number: number, change: Partial<Attempt>): Attempt {
  const measured = { events: 1, contents: 1, tokens: 10, ttftMs: number * 100, gapP50Ms: 5, gapP95Ms: 9, gapMaxMs: 50 + number, workedMs: 1, durationMs: 1 };
  return attemptOf({ battle: `purple/${item}/1`, item, attempt: number, endedAt: 1000 + number, measured, ...change });
}

test("a battle counts once, by the attempt that counts; retries are counted by what failed, stalls by what they interrupted", async () => {
  const attempts: readonly Attempt[] = [
    attempt("a", 1, { outcome: stalled, episodes: [{ kind: "stalled", fromMs: 0, activity: "prefill" }] }),
    attempt("a", 2, { outcome: judged(true, 1) }),
    attempt("b", 1, { outcome: judged(true, 1), discounted: true }),
    attempt("b", 2, { outcome: judged(false, 0.5) }),
    attempt("c", 1, { outcome: { kind: "unknown", why: "" } }),
    attempt("c", 2, { outcome: stalled }),
    attempt("d", 1, {}),
    attempt("e", 1, { outcome: { kind: "failed", failure: { class: "transport", code: "unavailable", message: "" } } }),
  ];
  const campaign = campaignOf({ items: ["a", "b", "c", "d", "e"].map((id) => ({ id, prompt: "" })) });
  const ledger = {
    async *attempts() {
      yield* attempts;
    },
  };
  const summary = await summarize({ campaign, hash: "h", createdAt: 7 }, ledger, "exhausted");
  assert.deepEqual(summary, {
    campaign: "test",
    hash: "h",
    state: "exhausted",
    target: 5,
    judged: 2,
    passed: 1,
    meanScore: 0.75,
    failed: { stall: 1, transport: 1 },
    waiting: {},
    faults: 1,
    attempts: 8,
    retries: { stall: 1, unknown: 1 },
    stalls: { prefill: 1 },
    tokens: 80,
    ttftMs: { p50: 100, p95: 200, max: 200 },
    gapMs: { p50: 5, p95: 9, max: 52 },
    startedAt: 7,
    subjects: { purple: { judged: 2, passed: 1, failed: 2, faults: 1, attempts: 8, meanScore: 0.75, liveness: [] } },
  });
  const small = await summarize({ campaign: { ...campaign, target: 2 }, hash: "h", createdAt: 7 }, ledger, "running");
  assert.deepEqual([small.state, small.target, small.endedAt], ["done", 2, 1002]);
});

test("while a campaign runs, a battle that is to be tried again waits and is not given up; what judged is counted with its reason", async () => {
  const failed = (kind: "transport" | "deterministic"): Outcome => ({ kind: "failed", failure: { class: kind, code: "x", message: "" } });
  const [byStream, byTime] = [{ mode: "stream", why: "asked for" } as const, { mode: "timeout", why: "the agent does not stream" } as const];
  const attempts = [
    attempt("a", 1, { outcome: stalled, liveness: byTime }),
    attempt("b", 1, { outcome: { kind: "unknown", why: "" }, liveness: byStream }),
    attempt("c", 1, { outcome: failed("deterministic"), liveness: byStream }),
    ...[1, 2, 3, 4, 5].map((number) => attempt("d", number, { outcome: failed("transport"), liveness: byStream })),
  ];
  const campaign = campaignOf({ items: ["a", "b", "c", "d"].map((id) => ({ id, prompt: "" })) });
  const ledger = {
    async *attempts() {
      yield* attempts;
    },
  };
  const known = { campaign, hash: "h", createdAt: 7 };
  const { failed: given, waiting, faults, subjects } = await summarize(known, ledger, "running");
  assert.deepEqual([given, waiting, faults, subjects["purple"]?.failed], [{ deterministic: 1, transport: 1 }, { stall: 1, unknown: 1 }, 1, 2]);
  assert.deepEqual(subjects["purple"]?.liveness, [
    { ...byStream, attempts: 7 },
    { ...byTime, attempts: 1 },
  ]);
  const over = await summarize(known, ledger, "exhausted");
  assert.deepEqual([over.failed, over.waiting], [{ stall: 1, unknown: 1, deterministic: 1, transport: 1 }, {}], "nobody tries anything again");
});
