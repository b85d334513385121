import assert from "node:assert/strict";
import { test, type TestContext } from "node:test";
import { setImmediate as turn } from "node:timers/promises";
import { defineAgent } from "../../src/lib/engine/define-agent.ts";
import { openaiChat } from "../../src/lib/engine/openai-chat.ts";
import { DEFAULT_THRESHOLDS } from "../../src/lib/liveness/thresholds.ts";
import { campaignOf } from "../support/campaigns.ts";
import { type Behaviour, type FaultyModel, promptFor, startFaultyModel, until } from "../support/faulty-model.ts";
import { createManualClock, type ManualClock } from "../support/manual-clock.ts";
import { type Ran, run } from "../support/run-campaign.ts";
import { serving } from "../support/serving.ts";
import { startPurple } from "../support/purple.ts";

// No living battle fails, however slow it is: ten by an injected clock, with the default thresholds, and some of real time.

const SAY = { say: "forty-two" };

/** Each is silent for almost as long as it may be. A pause comes on top of the gap. */
const ALIVE: readonly Behaviour[] = [
  { ...SAY, gapMs: 25_000, tokens: 13 },
  { ...SAY, gapMs: 29_000, tokens: 11 },
  { ...SAY, gapMs: 20_000, tokens: 5, prefillMs: 200_000 },
  { ...SAY, fault: "prefill", forMs: 299_000 },
  { ...SAY, fault: "queue", forMs: 299_000 },
  { ...SAY, fault: "stall-recover", after: 5, tokens: 10, forMs: 29_000 },
  { ...SAY, fault: "stall-recover", after: 1, tokens: 10, forMs: 4_000, gapMs: 25_000 },
  { ...SAY, fault: "rate-limit", retryAfter: 100, times: 1, gapMs: 25_000, tokens: 5 },
  { ...SAY, reasoning: "let me think about it for some minutes now", gapMs: 28_000 },
  { ...SAY, gapMs: 29_000, tokens: 20 },
];

/** Runs a campaign whose model server, subject's engine and runner all go by one clock, that moves only when all that was made has arrived. */
async function byClock(t: TestContext, behaviours: readonly Behaviour[]): Promise<Ran> {
  const clock = createManualClock();
  const model = await startFaultyModel({ clock });
  t.after(() => model[Symbol.asyncDispose]());
  const engine = openaiChat({ baseUrl: `${model.url}/v1`, model: "faulty", clock });
  t.after(() => engine[Symbol.asyncDispose]());
  const server = await serving(t, [defineAgent({ id: "purple", engine, expose: { reasoning: true, toolArguments: true } })]);
  const campaign = campaignOf({
    subjects: [{ id: "purple", url: `${server.url}/a2a/purple`, concurrency: 10, headersFromEnv: {} }],
    items: behaviours.map((behaviour, index) => ({ id: `i${index}`, prompt: promptFor({ id: index, ...behaviour }), expected: "forty-two" })),
    concurrency: 10,
    retries: { ...campaignOf().retries, maxAttempts: 1 },
  });
  const tokens = new Map<string, number>();
  let ended = 0;
  const running = run(campaign, {
    parts: { clock, monotonic: clock.now },
    onProgress(progress) {
      if (progress.kind === "tokens") tokens.set(progress.battle, progress.tokens);
      if (progress.kind === "attempt-ended") ended += 1;
    },
  });
  let over = false;
  void running.finally(() => (over = true));
  const arrived = (): boolean => [...tokens.values()].reduce((sum, count) => sum + count, 0) === model.counters.generationTokens;
  const retries = behaviours.flatMap(({ fault, retryAfter = 0 }) => (fault === "rate-limit" ? [retryAfter * 1000] : []));
  const begin = clock.now();
  const isSettled = (): boolean => {
    const asked = behaviours.length + retries.filter((ms) => clock.now() - begin >= ms + TICK_MS).length;
    return over || (model.requests.length >= asked && arrived() && ended >= finished(model));
  };
  while (!over) {
    await until("what was made arrives", isSettled);
    await step(clock);
  }
  return running;
}

/** As often as the runner looks. */
const TICK_MS = 250;

async function step(clock: ManualClock): Promise<void> {
  clock.advance(TICK_MS);
  for (let n = 0; n < 3; n += 1) await turn();
}

function finished({ requests }: FaultyModel): number {
  return requests.filter(({ ended, status }) => ended && status === 200).length;
}

test("a campaign of ten that are slow but alive, for minutes of an injected clock, has no failure", async (t) => {
  const { summary, attempts } = await byClock(t, ALIVE);
  assert.deepEqual(
    attempts.filter(({ outcome }) => outcome?.kind !== "judged").map(({ outcome }) => outcome),
    [],
  );
  assert.deepEqual([summary.state, summary.judged, summary.passed, summary.attempts], ["done", 10, 10, 10]);
  assert.deepEqual([summary.failed, summary.retries, summary.stalls], [{}, {}, {}]);
  for (const { item, measured } of attempts) assert.ok(measured.durationMs >= (item === "i5" ? 29_000 : 180_000), `${item} took ${measured.durationMs} ms`);
  const gaps = attempts.map(({ measured }) => measured.gapMaxMs ?? 0);
  t.diagnostic(
    `ten battles of ${attempts.map(({ measured }) => Math.round(measured.durationMs / 1000)).join(", ")} s; longest gap ${Math.max(...gaps)} ms of 30,000`,
  );
  assert.ok(Math.max(...gaps) <= DEFAULT_THRESHOLDS.gapMs);
});

test("by the same clock, one that is silent for longer is found at the first look after its threshold", async (t) => {
  const { attempts } = await byClock(t, [
    { ...SAY, gapMs: 31_000, tokens: 3 },
    { ...SAY, fault: "prefill", forMs: 310_000 },
  ]);
  const stalls = attempts.map(({ outcome }) => (outcome?.kind === "failed" ? outcome.failure.stall : undefined));
  assert.deepEqual(
    stalls.map((stall) => [stall?.threshold, stall?.limitMs]),
    [
      ["gapMs", 30_000],
      ["firstContentMs", 300_000],
    ],
  );
  for (const stall of stalls)
    assert.ok(stall !== undefined && stall.silenceMs > stall.limitMs && stall.silenceMs <= stall.limitMs + 2 * TICK_MS, JSON.stringify(stall));
});

test("of real time, before ias purple: three with a token every three seconds, one that thinks where nobody sees it, one whose parser holds back", async (t) => {
  await using model = await startFaultyModel();
  const url = await startPurple(t, model);
  const behaviours: readonly Behaviour[] = [
    ...[0, 1, 2].map(() => ({ ...SAY, fault: "slow", tokens: 5 }) as const),
    // Both are silent for readers longer than the gap that is allowed; only what the subject tells of their progress keeps them (PROTOCOL.md, LIVE-5).
    { ...SAY, gapMs: 3000, reasoning: "let me think about this for a good while" },
    { ...SAY, gapMs: 3000, fault: "hold", after: 1, tokens: 10 },
  ];
  const gapMs = 20_000;
  const { summary, attempts } = await run(
    campaignOf({
      subjects: [{ id: "purple", url, concurrency: 5, headersFromEnv: {}, metricsUrl: `${model.url}/metrics` }],
      items: behaviours.map((behaviour, id) => ({ id: `i${id}`, prompt: promptFor({ id, ...behaviour }), expected: "forty-two" })),
      concurrency: 5,
      thresholds: { ...DEFAULT_THRESHOLDS, firstContentMs: gapMs, gapMs },
    }),
  );
  assert.deepEqual([summary.judged, summary.passed, summary.attempts, summary.stalls], [5, 5, 5, {}]);
  const [first, second, third, thinking, held] = attempts;
  for (const slow of [first, second, third]) assert.ok(slow?.measured.contents === 5 && slow.measured.durationMs > 11_500, JSON.stringify(slow));
  for (const hidden of [thinking, held]) assert.ok((hidden?.measured.durationMs ?? 0) > gapMs, JSON.stringify(hidden));
});
