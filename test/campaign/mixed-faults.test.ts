import assert from "node:assert/strict";
import { describe, test, type TestContext } from "node:test";
import type { Attempt, Failure } from "../../src/lib/campaign/attempt.ts";
import { defineAgent } from "../../src/lib/engine/define-agent.ts";
import { openaiChat } from "../../src/lib/engine/openai-chat.ts";
import type { Evidence } from "../../src/lib/liveness/stalled.ts";
import { DEFAULT_THRESHOLDS, type Thresholds } from "../../src/lib/liveness/thresholds.ts";
import { type Fault, FAULTS } from "../servers/faulty-model/behaviour.ts";
import type { SeenRequest } from "../servers/faulty-model/server.ts";
import { campaignOf } from "../support/campaigns.ts";
import { type Behaviour, type FaultyModel, startFaultyModel } from "../support/faulty-model.ts";
import { run } from "../support/run-campaign.ts";
import { serving } from "../support/serving.ts";

// Validation campaigns of 25 in which every fault of the faulty model server has the same chance with each request. What the campaign says of each attempt is
// compared with what the server wrote down that it did to this very request; how fast a stall was found is measured in the server too.

const TARGET = 25;
const METRICS_MS = 50;
/** Short, so that a test is; a real campaign's are a hundred times as long. */
const SHORT: Thresholds = { ...DEFAULT_THRESHOLDS, connectMs: 600, firstByteMs: 1500, firstContentMs: 1500, gapMs: 700 };

/** What the faults take; those that are alive stay far under the thresholds. */
const NUMBERS: Readonly<Partial<Record<Fault, Behaviour>>> = {
  slow: { tokens: 6, gapMs: 150 },
  prefill: { tokens: 6, forMs: 400 },
  "stall-recover": { tokens: 6, after: 3, forMs: 200 },
  hold: { tokens: 3000, after: 3, gapMs: 2 },
  "rate-limit": { retryAfter: 1 },
  unavailable: { retryAfter: 1 },
};

interface Expected {
  readonly class: Failure["class"];
  readonly code: string;
  readonly threshold?: string;
  readonly evidence?: Evidence["kind"];
}
const stalled = (threshold: string, evidence: Evidence["kind"]): Expected => ({ class: "stall", code: "INFERENCE_STALLED", threshold, evidence });

/** What a campaign has to say of each fault; undefined where it is none. */
const EXPECTED: Readonly<Record<Fault, Expected | undefined>> = {
  none: undefined,
  slow: undefined,
  prefill: undefined,
  "stall-recover": undefined,
  queue: stalled("firstContentMs", "overload"),
  stall: stalled("gapMs", "engine-stuck"),
  lost: stalled("gapMs", "request-lost"),
  hold: stalled("gapMs", "engine-moves"),
  "no-headers": stalled("firstContentMs", "request-lost"),
  fin: { class: "transport", code: "MODEL_STREAM_CUT" },
  rst: { class: "transport", code: "MODEL_STREAM_CUT" },
  eof: { class: "transport", code: "MODEL_STREAM_CUT" },
  error: { class: "server-error", code: "MODEL_STREAM_ERROR" },
  "no-finish": { class: "server-error", code: "MODEL_NO_FINISH" },
  "finish-error": { class: "server-error", code: "MODEL_FINISH_ERROR" },
  garbage: { class: "server-error", code: "MODEL_STREAM_INVALID" },
  "rate-limit": { class: "rate-limit", code: "MODEL_RATE_LIMIT" },
  unavailable: { class: "server-error", code: "MODEL_UNAVAILABLE" },
  "server-error": { class: "server-error", code: "MODEL_UNAVAILABLE" },
  "bad-request": { class: "deterministic", code: "MODEL_REQUEST_REFUSED" },
};

interface Judged {
  readonly attempt: Attempt;
  readonly request: SeenRequest;
  readonly requests: readonly SeenRequest[];
}

/** Runs a campaign over so many subjects, each with a model server of its own, and pairs each attempt with the request that it was in the server. */
async function fightMix(t: TestContext, subjects: number, perSubject: number, seed: number): Promise<readonly Judged[]> {
  const mix = Object.fromEntries(FAULTS.map((fault) => [fault, 1])) as Record<Fault, number>;
  const models: FaultyModel[] = [];
  const agents = [];
  for (let index = 0; index < subjects; index += 1) {
    const model = await startFaultyModel({ mix, seed: seed + index, parameters: "ignore", defaults: { tokens: 6, after: 3 }, numbers: NUMBERS });
    t.after(() => model[Symbol.asyncDispose]());
    const engine = openaiChat({ baseUrl: `${model.url}/v1`, model: "faulty", maxRetries: 0, connectRetries: 0 });
    t.after(() => engine[Symbol.asyncDispose]());
    models.push(model);
    agents.push(defineAgent({ id: `purple-${index}`, engine }));
  }
  const server = await serving(t, agents);
  const campaign = campaignOf({
    subjects: models.map(({ url }, index) => ({
      id: `purple-${index}`,
      url: `${server.url}/a2a/purple-${index}`,
      concurrency: perSubject,
      headersFromEnv: {},
      metricsUrl: `${url}/metrics`,
    })),
    items: Array.from({ length: 40 }, (_, index) => ({ id: `item-${index}`, prompt: `Question ${index}.` })),
    green: { kind: "regex", pattern: "[^]", flags: "u" },
    target: TARGET,
    concurrency: subjects * perSubject,
    thresholds: SHORT,
    metricsIntervalMs: METRICS_MS,
  });
  const { summary, attempts } = await run(campaign);
  assert.deepEqual([summary.state, summary.judged, summary.passed], ["done", TARGET, TARGET]);
  const used = new Map<string, number>();
  return attempts.map((attempt) => {
    const requests = models[Number(attempt.subject.slice("purple-".length))]?.requests ?? [];
    const key = `${attempt.subject}/${attempt.item}`;
    const of = requests.filter(({ prompt }) => prompt === `Question ${attempt.item.slice("item-".length)}.`);
    const at = used.get(key) ?? 0;
    used.set(key, at + 1);
    const request = of[at] ?? assert.fail(`${attempt.battle} ${attempt.attempt} was not asked: ${JSON.stringify(attempt.outcome)}`);
    return { attempt, request, requests };
  });
}

/** The fault that was played; a retried prompt meets another. */
const faultOf = ({ behaviour }: SeenRequest): Fault => behaviour.fault ?? "none";

function check(
  { attempt, request, requests }: Judged,
  allowed: (request: SeenRequest, requests: readonly SeenRequest[]) => readonly (Evidence["kind"] | undefined)[],
): number | undefined {
  const fault = faultOf(request);
  const expected = EXPECTED[fault];
  const name = `${fault}: ${JSON.stringify(attempt)}`;
  const { outcome } = attempt;
  assert.equal(attempt.liveness?.mode, "stream");
  if (expected === undefined) {
    assert.ok(outcome?.kind === "judged" && outcome.answer === request.reply?.texts.join(""), name);
    assert.ok(
      attempt.episodes.every(({ kind }) => kind === "slow"),
      name,
    );
    return undefined;
  }
  assert.ok(outcome?.kind === "failed", name);
  const { failure } = outcome;
  assert.deepEqual([failure.class, failure.code, failure.stall?.threshold], [expected.class, expected.code, expected.threshold], name);
  if (failure.stall === undefined) return undefined;
  assert.ok(allowed(request, requests).includes(failure.evidence?.kind), name);
  assert.equal(failure.stall.contents, request.reply?.chunks ?? 0, "it says how far it came");
  // In the server's own time: from the last that it wrote until the request was ended.
  const quietAt = request.reply?.chunkAt ?? request.cameAt;
  return (request.closedAt ?? Number.POSITIVE_INFINITY) - quietAt - failure.stall.limitMs;
}

/** Counters are of all requests together: what others met at the same time shows in them too. What is said for sure of one request must be so. */
function possible(request: SeenRequest, requests: readonly SeenRequest[]): readonly (Evidence["kind"] | undefined)[] {
  // The reading from which growth is counted was taken before the silence began.
  const quietAt = (request.reply?.chunkAt ?? request.cameAt) - 4 * METRICS_MS;
  const end = request.closedAt ?? Number.POSITIVE_INFINITY;
  const others = requests.filter((other) => other !== request && other.cameAt < end && (other.closedAt ?? Number.POSITIVE_INFINITY) > quietAt);
  const meanwhile = new Set(others.map(faultOf));
  const own = EXPECTED[faultOf(request)]?.evidence;
  return [
    own,
    ...(meanwhile.has("queue") ? ["overload" as const] : []),
    ...(meanwhile.has("hold") ? ["engine-moves" as const] : []),
    ...(others.length > 0 ? ["unknown" as const] : []),
  ];
}

function tell(t: TestContext, judged: readonly Judged[], late: readonly number[]): void {
  const evidence = judged.flatMap(({ request, attempt: { outcome } }) =>
    outcome?.kind === "failed" && outcome.failure.evidence !== undefined ? [outcome.failure.evidence.kind === EXPECTED[faultOf(request)]?.evidence] : [],
  );
  t.diagnostic(`evidence names the fault itself in ${evidence.filter(Boolean).length} of ${evidence.length} stalls`);
  const faults = Map.groupBy(judged, ({ request }) => faultOf(request));
  t.diagnostic(`${judged.length} attempts: ${[...faults].map(([fault, { length }]) => `${fault} ${length}`).join(", ")}`);
  const worst = Math.max(...late);
  const median = late.toSorted((a, b) => a - b)[late.length >> 1] ?? worst;
  const found = judged.flatMap(({ attempt: { outcome } }) =>
    outcome?.kind === "failed" && outcome.failure.stall !== undefined ? [outcome.failure.stall.silenceMs - outcome.failure.stall.limitMs] : [],
  );
  t.diagnostic(`by the runner's own clock a stall was found after its threshold by at worst ${Math.round(Math.max(...found))} ms`);
  t.diagnostic(`${late.length} stalls; found and ended after their threshold by: median ${Math.round(median)} ms, worst ${Math.round(worst)} ms`);
  assert.ok(late.length >= 5, "the seed brings stalls");
  // The product's promise is a second; five are "not hung" on a machine that does other things too.
  assert.ok(worst < 5000);
  assert.ok(Math.min(...late) > -50, "none before its time");
}

describe("a campaign of 25 under every fault at once reaches its target", () => {
  test("with one battle at a time in each engine, class and evidence are what the server did", async (t) => {
    const judged = await fightMix(t, 5, 1, 1);
    const late = judged.flatMap((one) => check(one, (request) => [EXPECTED[faultOf(request)]?.evidence]) ?? []);
    tell(t, judged, late);
  });

  test("with many battles in one engine, classes are what the server did, and evidence is what its counters can tell", async (t) => {
    const judged = await fightMix(t, 1, 6, 7);
    const late = judged.flatMap((one) => check(one, possible) ?? []);
    tell(t, judged, late);
  });
});
