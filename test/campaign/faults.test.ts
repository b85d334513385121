import assert from "node:assert/strict";
import { describe, test, type TestContext } from "node:test";
import type { Attempt, Failure } from "../../src/lib/campaign/attempt.ts";
import type { Campaign } from "../../src/lib/campaign/campaign.ts";
import { defineAgent } from "../../src/lib/engine/define-agent.ts";
import { openaiChat } from "../../src/lib/engine/openai-chat.ts";
import { parseEngineMetrics } from "../../src/lib/campaign/engine-metrics.ts";
import { createGuardedFetch } from "../../src/lib/net/guarded-fetch.ts";
import { DEFAULT_THRESHOLDS, type Thresholds } from "../../src/lib/liveness/thresholds.ts";
import { campaignOf } from "../support/campaigns.ts";
import { type Behaviour, promptFor, startFaultyModel } from "../support/faulty-model.ts";
import { run } from "../support/run-campaign.ts";
import { serving } from "../support/serving.ts";

/** Short, so that a test is; a real campaign's are a hundred times as long. */
const SHORT: Thresholds = { ...DEFAULT_THRESHOLDS, connectMs: 600, firstByteMs: 1500, firstContentMs: 1500, gapMs: 500 };

interface Setting {
  readonly streaming: boolean;
  readonly metrics?: "vllm" | "vllm-old" | "llama" | "none";
  readonly slots?: number;
}

/** A campaign against a subject whose model does what the prompts say. */
async function setUp(
  t: TestContext,
  behaviours: readonly Behaviour[],
  { streaming, metrics = "vllm", slots }: Setting,
  change: Partial<Campaign> = {},
): Promise<Campaign> {
  const model = await startFaultyModel({ metrics, ...(slots !== undefined && { slots }) });
  t.after(() => model[Symbol.asyncDispose]());
  const engine = openaiChat({ baseUrl: `${model.url}/v1`, model: "faulty", maxRetries: 0 });
  t.after(() => engine[Symbol.asyncDispose]());
  const server = await serving(t, [defineAgent({ id: "agent", engine, streaming })]);
  return campaignOf({
    subjects: [{ id: "purple", url: `${server.url}/a2a/agent`, concurrency: 10, headersFromEnv: {}, metricsUrl: `${model.url}/metrics` }],
    items: behaviours.map((behaviour, index) => ({ id: `i${index}`, prompt: promptFor({ id: index, ...behaviour }), expected: "forty-two" })),
    concurrency: 10,
    thresholds: SHORT,
    metricsIntervalMs: 100,
    retries: { ...campaignOf().retries, maxAttempts: 1 },
    ...change,
  });
}

function failureOf(attempts: readonly Attempt[]): Failure | undefined {
  const { outcome } = attempts[0] ?? {};
  return outcome?.kind === "failed" ? outcome.failure : undefined;
}

const STREAM_TABLE: readonly (readonly [what: string, behaviour: Behaviour, expected: readonly (string | undefined)[]])[] = [
  ["an engine that stands still", { fault: "stall", after: 5, tokens: 20 }, ["stall", "INFERENCE_STALLED", "gapMs", "engine-stuck"]],
  ["a request that the engine forgets", { fault: "lost", after: 5, tokens: 20 }, ["stall", "INFERENCE_STALLED", "gapMs", "request-lost"]],
  ["a parser that holds tokens back", { fault: "hold", after: 5, tokens: 1000, gapMs: 10 }, ["stall", "INFERENCE_STALLED", "gapMs", "engine-moves"]],
  ["a queue that does not move", { fault: "queue" }, ["stall", "INFERENCE_STALLED", "firstContentMs", "overload"]],
  ["a connection that is reset", { fault: "rst", after: 5, tokens: 20 }, ["transport", "MODEL_STREAM_CUT", undefined, undefined]],
  ["a connection that ends", { fault: "fin", after: 5, tokens: 20 }, ["transport", "MODEL_STREAM_CUT", undefined, undefined]],
  ["an error frame before [DONE]", { fault: "error", after: 5, tokens: 20 }, ["server-error", "MODEL_STREAM_ERROR", undefined, undefined]],
  ["[DONE] without a finish_reason", { fault: "no-finish" }, ["server-error", "MODEL_NO_FINISH", undefined, undefined]],
  ["500", { fault: "server-error" }, ["server-error", "MODEL_UNAVAILABLE", undefined, undefined]],
  ["429", { fault: "rate-limit", retryAfter: 1 }, ["rate-limit", "MODEL_RATE_LIMIT", undefined, undefined]],
  ["400", { fault: "bad-request" }, ["deterministic", "MODEL_REQUEST_REFUSED", undefined, undefined]],
];

describe("a campaign of streams finds, classes and explains", { concurrency: 4 }, () => {
  for (const [what, behaviour, expected] of STREAM_TABLE) {
    test(what, async (t) => {
      const { attempts } = await run(await setUp(t, [behaviour], { streaming: true }));
      const failure = failureOf(attempts);
      assert.equal(attempts[0]?.liveness?.mode, "stream");
      assert.deepEqual([failure?.class, failure?.code, failure?.stall?.threshold, failure?.evidence?.kind], expected);
      // By the runner's own clock, to which a late tick is no silence: however busy the machine, a second is enough.
      if (failure?.stall !== undefined) assert.ok(failure.stall.silenceMs < failure.stall.limitMs + 1000, `found after ${failure.stall.silenceMs} ms`);
    });
  }
});

const METRICS_TABLE: readonly (readonly [what: string, behaviour: Behaviour, metrics: Setting["metrics"], expected: readonly (string | undefined)[]])[] = [
  ["an engine that stands still", { fault: "stall", after: 5, tokens: 20 }, "vllm", ["stall", "firstContentMs", "engine-stuck"]],
  ["an engine that stands still, by old names", { fault: "stall", after: 5, tokens: 20 }, "vllm-old", ["stall", "firstContentMs", "engine-stuck"]],
  ["a request that the engine forgets", { fault: "lost", after: 5, tokens: 20, gapMs: 60 }, "vllm", ["stall", "metricsIntervalMs", "request-lost"]],
  ["a request that the engine never knew", { fault: "no-headers" }, "llama", ["stall", "connectMs", "request-lost"]],
  ["a queue that does not move", { fault: "queue" }, "vllm", ["stall", "firstContentMs", "overload"]],
  ["a subject whose metrics are gone, by its time-out", { fault: "stall", after: 5 }, "none", ["stall", "timeout", "unknown"]],
];

describe("a campaign of blocking requests finds by the engine's counters", { concurrency: 4 }, () => {
  for (const [what, behaviour, metrics, expected] of METRICS_TABLE) {
    test(what, async (t) => {
      const timeout = { initialMs: 1000, minMs: 1000, maxMs: 2000, factor: 2, backoff: 2 };
      const { attempts } = await run(await setUp(t, [behaviour], { streaming: false, ...(metrics && { metrics }) }, { timeout }));
      const failure = failureOf(attempts);
      assert.equal(attempts[0]?.liveness?.mode, metrics === "none" ? "timeout" : "metrics");
      assert.deepEqual([failure?.class, failure?.stall?.threshold, failure?.evidence?.kind], expected);
    });
  }
});

test("a request that the engine forgets is found within two readings of its counters", async (t) => {
  const campaign = await setUp(t, [{ fault: "lost", after: 30, tokens: 60, gapMs: 60 }], { streaming: false }, { metricsIntervalMs: 500 });
  await using guarded = createGuardedFetch({ allowLocal: true });
  let idle = 0;
  let wasBusy = false;
  const fetch = new Proxy(guarded, {
    async apply(target, _of, asked: Parameters<typeof guarded>) {
      const response = await target(...asked);
      const sample = parseEngineMetrics(await response.clone().text());
      wasBusy ||= (sample?.running ?? 0) > 0;
      if (wasBusy && sample?.running === 0) idle += 1;
      return response;
    },
  });
  let found: number | undefined;
  const { attempts } = await run(campaign, {
    parts: { fetch },
    onProgress: (one) => {
      if (one.kind === "phase" && one.phase === "stalled") found ??= idle;
    },
  });
  assert.equal(failureOf(attempts)?.evidence?.kind, "request-lost");
  // A third may be on its way while the second is judged.
  assert.ok(found === 2 || found === 3, `found after ${found} readings`);
});

describe("what is alive is never failed", { concurrency: 4 }, () => {
  // Wider than where faults are looked for: here a machine that is busy elsewhere for half a second must not pass for a stall of the model's.
  const thresholds: Thresholds = { ...DEFAULT_THRESHOLDS, connectMs: 5000, firstByteMs: 10_000, firstContentMs: 10_000, gapMs: 2000 };
  const alive: readonly Behaviour[] = Array.from({ length: 10 }, (_, index) => ({
    say: "the answer is forty-two",
    // Slower than half of the gap, prefills longer than a gap, and silences that end in time.
    ...(index % 3 === 0 ? { gapMs: 1200, tokens: 5 } : index % 3 === 1 ? { prefillMs: 2500 } : { fault: "stall-recover", forMs: 1200, after: 2 }),
  }));

  for (const [what, setting] of [
    ["by its stream", { streaming: true }],
    ["by its engine's counters", { streaming: false }],
    ["by llama.cpp's counters", { streaming: false, metrics: "llama" }],
  ] as const) {
    test(what, async (t) => {
      const campaign = await setUp(t, alive, setting, { thresholds });
      const { summary, attempts } = await run(campaign);
      assert.deepEqual([summary.judged, summary.passed, summary.attempts, summary.stalls], [10, 10, 10, {}]);
      assert.deepEqual(new Set(attempts.map(({ liveness }) => liveness?.mode)), new Set([setting.streaming ? "stream" : "metrics"]));
    });
  }
});

test("a campaign with mixed faults reaches its target", async (t) => {
  const mixed: readonly Behaviour[] = [
    { say: "forty-two" },
    { fault: "stall", after: 2, times: 1, say: "it is forty-two" },
    { fault: "rst", after: 2, times: 1, say: "it is forty-two" },
    { fault: "rate-limit", retryAfter: 1, times: 1, say: "forty-two" },
    { fault: "error", after: 1, times: 1, say: "it is forty-two" },
    { fault: "bad-request" },
  ];
  const campaign = await setUp(t, mixed, { streaming: true }, { target: 25, retries: campaignOf().retries });
  const { summary, attempts } = await run(campaign);
  assert.deepEqual([summary.state, summary.judged, summary.passed], ["done", 25, 25]);
  // Two may be under way before the first is refused; what is refused is asked once.
  const refused = attempts.filter(({ item }) => item === "i5");
  assert.ok(refused.length === 1 || refused.length === 2, `${refused.length}`);
  assert.deepEqual([summary.failed["deterministic"], refused.every(({ attempt }) => attempt === 1)], [refused.length, true]);
  for (const kind of ["stall", "transport", "rate-limit", "server-error"]) assert.ok((summary.retries[kind] ?? 0) >= 1, kind);
});

test("whoever hears that a battle stalled has heard of all of its tokens, also where tokens are told now and then", async (t) => {
  const campaign = await setUp(t, [{ fault: "stall", after: 9, tokens: 20, gapMs: 5 }], { streaming: true });
  const { progress, attempts } = await run(campaign, { parts: { verbose: false } });
  const stalledAt = progress.findIndex((one) => one.kind === "phase" && one.phase === "stalled");
  const told = progress.slice(0, stalledAt).findLast((one) => one.kind === "tokens");
  assert.equal(told?.tokens, 9);
  assert.equal(failureOf(attempts)?.stall?.tokens, 9);
});
