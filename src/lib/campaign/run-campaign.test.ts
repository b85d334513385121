import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer as createHttpServer } from "node:http";
import { type AddressInfo, createServer } from "node:net";
import { describe, it, type TestContext } from "node:test";
import { campaignOf } from "../../../test/support/campaigns.ts";
import { run } from "../../../test/support/run-campaign.ts";
import { agentOf, serving } from "../../../test/support/serving.ts";
import type { AgentEvent, Turn } from "../engine/engine.ts";
import { createMemoryLedger } from "../main/open-ledger.ts";
import { DEFAULT_THRESHOLDS } from "../liveness/thresholds.ts";
import { IasError } from "../model/errors.ts";
import type { Campaign, Green, Scorer } from "./campaign.ts";
import type { Progress, Summary } from "./progress.ts";
import { summarize } from "./report/summarize.ts";

type Play = (turn: Turn, signal: AbortSignal) => AsyncIterable<AgentEvent>;

/** A campaign against an agent that does what `play` does. */
async function against(t: TestContext, play: Play, change: Partial<Campaign> = {}): Promise<Campaign> {
  const server = await serving(t, [agentOf(play)]);
  const subjects = [{ id: "purple", url: `${server.url}/a2a/agent`, concurrency: 4, headersFromEnv: {} }];
  return campaignOf({
    subjects,
    items: Array.from({ length: 6 }, (_, index) => ({ id: `i${index}`, prompt: `prompt ${index}`, expected: "hello" })),
    ...change,
  });
}

async function* hello(): AsyncGenerator<AgentEvent> {
  yield { kind: "text", text: "hello " };
  yield { kind: "text", text: "world" };
}

async function* hangs(_: Turn, signal: AbortSignal): AsyncGenerator<AgentEvent> {
  yield { kind: "text", text: "hel" };
  await new Promise((resolve) => signal.addEventListener("abort", resolve, { once: true }));
}

async function closedPort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}

const promptOf = (turn: Turn): string => turn.input.flatMap(({ parts }) => parts.map(({ text }) => text ?? "")).join("");

describe("a campaign", () => {
  it("fights every battle once and counts it", async (t) => {
    const campaign = await against(t, hello);
    const { summary, attempts, progress } = await run(campaign);
    assert.equal(summary.state, "done");
    assert.deepEqual([summary.judged, summary.passed, summary.attempts], [6, 6, 6]);
    for (const { outcome, liveness, measured, taskId } of attempts) {
      assert.ok(outcome?.kind === "judged");
      assert.equal(outcome.answer, "hello world");
      assert.equal(liveness?.mode, "stream");
      assert.equal(measured.contents, 2);
      assert.ok(taskId);
    }
    assert.equal(new Set(attempts.map(({ messageId }) => messageId)).size, 6);
    assert.deepEqual([progress[0]?.kind, progress.at(-1)?.kind], ["started", "ended"]);
  });

  it("goes on where it stood, and does nothing when it is done", async (t) => {
    const asked: string[] = [];
    const campaign = await against(t, async function* (turn) {
      asked.push(promptOf(turn));
      yield* hello();
    });
    await using ledger = createMemoryLedger();
    const stop = new AbortController();
    const first = await run(campaign, { ledger, signal: stop.signal, onProgress: (one) => one.kind === "attempt-ended" && stop.abort() });
    assert.equal(first.summary.state, "running");
    const second = await run(campaign, { ledger });
    assert.equal(second.summary.state, "done");
    assert.deepEqual(
      asked.toSorted(),
      campaign.items.map(({ prompt }) => prompt),
      "each was asked once",
    );
    const third = await run(campaign, { ledger });
    assert.deepEqual([third.summary.judged, third.summary.attempts, asked.length], [6, second.summary.attempts, 6]);
    await assert.rejects(run({ ...campaign, repeat: 2 }, { ledger }), { code: "conflict", reason: "CAMPAIGN_CHANGED" });
  });

  it("is asked anew in another ledger, though nothing of it has changed and its subject remembers", async (t) => {
    const asked: string[] = [];
    const campaign = await against(t, async function* (turn) {
      asked.push(promptOf(turn));
      yield* hello();
    });
    const [monday, tuesday] = [await run(campaign), await run(campaign)];
    assert.deepEqual([monday.summary.judged, tuesday.summary.judged, asked.length], [6, 6, 12]);
    const ids = [...monday.attempts, ...tuesday.attempts];
    for (const name of ["messageId", "contextId", "taskId"] as const) assert.equal(new Set(ids.map((attempt) => attempt[name])).size, 12, name);
  });

  it("sends nothing before all that it needs is there, and its folder can be used when that is put right", async (t) => {
    let asked = 0;
    const right = await against(t, async function* () {
      asked += 1;
      yield* hello();
    });
    const judge: Green = { kind: "judge", model: "m", baseUrl: "http://127.0.0.1:9/v1", apiKeyEnv: "JUDGE_KEY", rubric: "Is it right?" };
    const scorer: Green = { kind: "function", module: "nope.ts", name: "default" };
    const schema: Green = { kind: "json-schema", schema: { type: "objekt" } };
    const [subject] = right.subjects;
    assert.ok(subject);
    const another = { ...subject, id: "another", headersFromEnv: { authorization: "SUBJECT_TOKEN" } };
    const cases: readonly (readonly [Partial<Campaign>, RegExp])[] = [
      [{ green: scorer }, /nope\.ts is not there/],
      [{ green: judge }, /JUDGE_KEY.*not set/],
      [{ green: schema }, /JSON schema cannot be used/],
      [{ items: [...right.items, { id: "last", prompt: "x", green: scorer }] }, /nope\.ts is not there/],
      [{ subjects: [subject, another] }, /SUBJECT_TOKEN is not set/],
      [{ green: judge, subjects: [another] }, /SUBJECT_TOKEN is not set[^]*JUDGE_KEY/],
    ];
    await using ledger = createMemoryLedger();
    const loadScorer = (module: string): Promise<Scorer> => Promise.reject(new IasError("configuration", `${module} is not there`));
    for (const [change, message] of cases) {
      await assert.rejects(run({ ...right, ...change }, { ledger, parts: { loadScorer } }), { code: "configuration", message });
      assert.deepEqual([asked, await ledger.campaign()], [0, undefined]);
    }
    assert.equal((await run(right, { ledger })).summary.state, "done");
    assert.equal(asked, 6);
  });

  it("goes on with other settings, says which and keeps the newest; its target can be raised, not lowered", async (t) => {
    const campaign = await against(t, hello, { target: 3 });
    await using ledger = createMemoryLedger();
    await run(campaign, { ledger });
    const subjects = campaign.subjects.map((subject) => ({ ...subject, concurrency: 1 }));
    const other = {
      ...campaign,
      target: 4,
      concurrency: 1,
      passThreshold: 0.5,
      thresholds: { ...DEFAULT_THRESHOLDS, toolMs: Number.POSITIVE_INFINITY },
      subjects,
    };
    const second = await run(other, { ledger });
    assert.deepEqual([second.summary.state, second.summary.judged], ["done", 4]);
    const told = second.progress.flatMap((one) => (one.kind === "warning" && one.code === "SETTINGS_CHANGED" ? [one.message] : []));
    assert.equal(told.length, 1);
    for (const part of ["concurrency: 4 → 1", "target: 3 → 4", "passThreshold: none → 0.5"]) assert.ok(told.join().includes(part), told.join());
    assert.deepEqual((await ledger.campaign())?.campaign, other, "readers see the newest");
    const third = await run(other, { ledger });
    assert.ok(
      third.progress.every((one) => one.kind !== "warning"),
      "told once",
    );
    const { passThreshold: _, ...without } = other;
    await run(without, { ledger });
    assert.deepEqual((await ledger.campaign())?.campaign, without, "what was taken away is gone");
    await assert.rejects(run({ ...campaign, target: 2 }, { ledger }), { code: "conflict", reason: "CAMPAIGN_CHANGED", message: /target 4; this one is 2/ });
  });

  it("finds a stream that stops, cancels its task and tries again", async (t) => {
    const tries = new Map<string, number>();
    const states: string[] = [];
    const campaign = await against(
      t,
      async function* (turn, signal) {
        const prompt = promptOf(turn);
        tries.set(prompt, (tries.get(prompt) ?? 0) + 1);
        if (prompt === "prompt 2" && tries.get(prompt) === 1) {
          signal.addEventListener("abort", () => states.push("aborted"));
          yield* hangs(turn, signal);
        } else yield* hello();
      },
      { thresholds: { ...DEFAULT_THRESHOLDS, gapMs: 300 } },
    );
    const { summary, attempts } = await run(campaign);
    assert.deepEqual([summary.state, summary.judged, summary.attempts], ["done", 6, 7]);
    const failed = attempts.find(({ outcome }) => outcome?.kind === "failed");
    assert.ok(failed?.outcome?.kind === "failed");
    const { failure } = failed.outcome;
    assert.deepEqual([failure.class, failure.stall?.threshold, failure.stall?.contents, failure.evidence?.kind], ["stall", "gapMs", 1, "unknown"]);
    assert.equal(failed.episodes.at(-1)?.kind, "stalled");
    assert.deepEqual(states, ["aborted"]);
  });

  it("reaches its target by taking items again, and gives up what fails in the same way again", async (t) => {
    const campaign = await against(
      t,
      async function* (turn) {
        if (promptOf(turn) === "prompt 1") yield { kind: "end", outcome: "rejected", message: [{ text: "I will not." }] };
        else yield* hello();
      },
      { target: 14 },
    );
    const { summary, attempts } = await run(campaign);
    assert.deepEqual([summary.state, summary.judged, summary.failed["deterministic"]], ["done", 14, 1]);
    assert.equal(attempts.filter(({ item }) => item === "i1").length, 1);
  });

  it("ends as exhausted when battles are given up", async (t) => {
    const campaign = await against(t, async function* () {
      yield { kind: "text", text: "hel" };
      throw new IasError("engine-failed", "no");
    });
    const { summary } = await run(campaign);
    assert.deepEqual([summary.state, summary.judged, summary.attempts, summary.failed["agent-failed"]], ["exhausted", 0, 12, 6]);
  });

  it("asks for less after 429, waits as long as it is told, and for more when it goes well", async (t) => {
    let refused = 0;
    const campaign = await against(t, async function* () {
      if (refused < 3) {
        refused += 1;
        throw new IasError("engine-failed", "slow down", { reason: "MODEL_RATE_LIMIT", retryable: true, retryAfterMs: 200 });
      }
      yield* hello();
    });
    const { summary, progress } = await run(campaign);
    assert.equal(summary.state, "done");
    const allowed = progress.flatMap((one) => (one.kind === "concurrency" ? [one.allowed] : []));
    assert.equal(allowed[0], 2, "halved once for what was sent before");
    assert.ok(progress.every((one) => one.kind !== "retry" || one.inMs >= 200));
  });

  it("does not wait a day because it is asked to: it says what was asked, what is waited, and that its battle waits", async (t) => {
    let refused = 0;
    const campaign = await against(
      t,
      async function* () {
        refused += 1;
        if (refused <= 2) throw new IasError("engine-failed", "come tomorrow", { reason: "MODEL_RATE_LIMIT", retryable: true, retryAfterMs: 86_400_000 });
        yield* hello();
      },
      { concurrency: 2, retries: { ...campaignOf().retries, maxRetryAfterMs: 300 } },
    );
    await using ledger = createMemoryLedger();
    const looks: Promise<Summary>[] = [];
    const onProgress = (one: Progress): void => {
      if (one.kind === "retry") looks.push(summarize({ campaign, hash: "h", createdAt: 0 }, ledger, "running"));
    };
    const { summary, progress } = await run(campaign, { ledger, onProgress });
    assert.deepEqual([summary.state, summary.waiting, summary.failed], ["done", {}, {}]);
    const [look] = await Promise.all(looks);
    assert.deepEqual([look?.waiting["rate-limit"], look?.failed], [1, {}]);
    const told = progress.flatMap((one) => (one.kind === "warning" && one.code === "RETRY_AFTER_CUT" ? [one.message] : []));
    assert.equal(told.length, 1, "once for all that were refused at a time");
    assert.match(told[0] ?? "", /^purple asks .* 24:00:00 h \(Retry-After\).* 300 ms, as retries\.maxRetryAfterMs says\.$/);
  });

  it("refuses to judge by what a subject does not offer, before anything is asked", async (t) => {
    let asked = 0;
    const play: Play = async function* () {
      asked += 1;
      yield* hello();
    };
    const server = await serving(t, [agentOf(play, { streaming: false }), agentOf(play, { id: "streams" })]);
    const subject = { id: "purple", url: `${server.url}/a2a/agent`, concurrency: 1, headersFromEnv: {} };
    const gone = `http://127.0.0.1:${await closedPort()}/metrics`;
    for (const [change, code, message] of [
      [{ liveness: "stream" }, "configuration", /^purple cannot be judged by its stream.*the card of .* has no capabilities\.streaming\. Ask for `auto`/],
      [{ liveness: "metrics" }, "configuration", /^purple cannot be judged by its engine's counters.*no metricsUrl is known/],
      [{ subjects: [{ ...subject, liveness: "metrics", metricsUrl: gone }] }, "unavailable", /\/metrics cannot be read/],
      [
        {
          subjects: [
            { ...subject, url: `${server.url}/a2a/streams` },
            { ...subject, id: "other", liveness: "stream" },
          ],
        },
        "configuration",
        /^other cannot be/,
      ],
    ] as const)
      await assert.rejects(run(campaignOf({ subjects: [subject], ...change })), { code, reason: "LIVENESS_UNAVAILABLE", message });
    assert.equal(asked, 0);
    const { summary, progress } = await run(campaignOf({ subjects: [subject], green: { kind: "function", module: "x", name: "y" } }));
    const why = "the agent does not stream, and no metricsUrl is known";
    assert.deepEqual(summary.subjects["purple"]?.liveness, [{ mode: "timeout", why, attempts: 1 }]);
    assert.deepEqual(
      progress.filter(({ kind }) => kind === "liveness"),
      [{ kind: "liveness", subject: "purple", mode: "timeout", why }],
    );
    assert.ok(progress.findIndex(({ kind }) => kind === "liveness") < progress.findIndex(({ kind }) => kind === "attempt-started"));
  });

  it("reads counters with the credentials that its file names by their variables", async (t) => {
    const seen: (string | undefined)[] = [];
    const metrics = createHttpServer((request, response) => {
      seen.push(request.headers.authorization);
      const isKnown = request.headers.authorization === "Bearer m1";
      response.writeHead(isKnown ? 200 : 401).end(isKnown ? "vllm:num_requests_running 1\nvllm:generation_tokens_total 5\n" : "who?");
    }).listen(0, "127.0.0.1");
    await once(metrics, "listening");
    t.after(() => metrics.close());
    const metricsUrl = `http://127.0.0.1:${(metrics.address() as AddressInfo).port}/metrics`;
    const campaign = await against(t, hello);
    const subjects = campaign.subjects.map((subject) => ({ ...subject, metricsUrl, liveness: "metrics" as const }));
    await assert.rejects(run({ ...campaign, subjects }), { code: "unavailable", reason: "LIVENESS_UNAVAILABLE" });
    const named = subjects.map((subject) => ({ ...subject, metricsHeadersFromEnv: { authorization: "METRICS_AUTH" } }));
    await assert.rejects(run({ ...campaign, subjects: named }), { code: "configuration", message: /METRICS_AUTH is not set; the header authorization/ });
    const { summary } = await run({ ...campaign, subjects: named }, { parts: { env: { METRICS_AUTH: "Bearer m1" } } });
    assert.deepEqual([summary.state, summary.subjects["purple"]?.liveness[0]?.mode, seen.at(-1)], ["done", "metrics", "Bearer m1"]);
  });

  it("remembers in its next run how long an item takes", async (t) => {
    let hang = false;
    const campaign = await against(
      t,
      async function* (turn, signal) {
        if (hang) yield* hangs(turn, signal);
        else yield* hello();
      },
      {
        items: [{ id: "i0", prompt: "prompt 0", expected: "hello" }],
        liveness: "timeout",
        timeout: { initialMs: 600_000, minMs: 400, maxMs: 600_000, factor: 1, backoff: 1 },
        retries: { ...campaignOf().retries, maxAttempts: 1 },
      },
    );
    await using ledger = createMemoryLedger();
    await run(campaign, { ledger });
    hang = true;
    await ledger.control.write({ requeueBattles: ["purple/i0/1"] });
    const { attempts } = await run(campaign, { ledger });
    const { outcome } = attempts.at(-1) ?? {};
    assert.ok(outcome?.kind === "failed");
    assert.equal(outcome.failure.stall?.threshold, "timeout");
    assert.match(outcome.failure.message, /timeout\.(?:factor|minMs).* 1 past duration\)/);
  });

  it("is paused, canceled and told to fight a battle again from outside", async (t) => {
    let pass = false;
    const campaign = await against(t, hello, { green: { kind: "function", module: "x", name: "y" } });
    await using ledger = createMemoryLedger();
    await ledger.control.write({ paused: true, cancelBattles: ["purple/i3/1"] });
    const states: string[] = [];
    const running = run(campaign, { ledger, score: () => ({ pass, score: pass ? 1 : 0 }), onProgress: (one) => states.push(one.kind) });
    await new Promise((resolve) => setTimeout(resolve, 100));
    assert.deepEqual(states, ["started", "liveness", "warning"]);
    await ledger.control.write({ paused: false });
    const { summary } = await running;
    assert.deepEqual([summary.judged, summary.passed], [5, 0]);
    pass = true;
    await ledger.control.write({ requeueBattles: ["purple/i0/1", "purple/i3/1"] });
    const again = await run(campaign, { ledger, score: () => ({ pass, score: 1 }) });
    assert.deepEqual([again.summary.state, again.summary.judged, again.summary.passed], ["done", 6, 2]);
    assert.deepEqual(
      again.attempts.filter(({ item }) => item === "i0").map(({ discounted }) => discounted),
      [true, undefined],
    );
    assert.deepEqual(await ledger.control.read(), { paused: false, canceled: false, cancelBattles: [], requeueBattles: [] });
  });

  it("does what was wished while its last battle ended, and says that it is paused and what goes on", async (t) => {
    const campaign = await against(t, hello, { items: [{ id: "i0", prompt: "prompt 0", expected: "hello" }] });
    await using ledger = createMemoryLedger();
    let ends = 0;
    const { summary, progress } = await run(campaign, {
      ledger,
      onProgress(one) {
        if (one.kind !== "attempt-ended") return;
        ends += 1;
        // Its runner looks at wishes once a second; the campaign is over before that.
        if (ends === 1) void ledger.control.write({ requeueBattles: ["purple/i0/1"] });
      },
    });
    assert.deepEqual([summary.state, summary.judged, summary.attempts], ["done", 1, 2]);
    assert.deepEqual(
      progress.filter(({ kind }) => kind === "requeued"),
      [{ kind: "requeued", battle: "purple/i0/1", wasJudged: true }],
    );
    await ledger.control.write({ paused: true });
    const again = await run(campaign, { ledger });
    assert.deepEqual(
      again.progress.map((one) => (one.kind === "warning" ? one.code : one.kind)),
      ["started", "PAUSED", "ended"],
    );
    assert.equal(again.summary.state, "done");
  });

  it("warns of a gap in which hidden progress cannot be told", async (t) => {
    const codes = async (gapMs: number): Promise<readonly string[]> => {
      const { progress } = await run(await against(t, hello, { thresholds: { ...DEFAULT_THRESHOLDS, gapMs } }));
      return progress.flatMap((one) => (one.kind === "warning" ? [one.code] : []));
    };
    assert.deepEqual([await codes(14_000), await codes(15_000)], [["GAP_SHORT"], []]);
  });

  it("judges an answer again whose judgement failed, at once, later and when a person wants it, and asks nobody for it again", async (t) => {
    let asked = 0;
    let broken = true;
    let judgements = 0;
    const campaign = await against(
      t,
      async function* () {
        asked += 1;
        yield* hello();
      },
      { green: { kind: "function", module: "x", name: "y" }, items: [{ id: "i0", prompt: "prompt 0" }] },
    );
    const score: Scorer = ({ answer }) => {
      judgements += 1;
      if (broken) throw new Error("the judge is away");
      return { pass: answer === "hello world", score: 1 };
    };
    await using ledger = createMemoryLedger();
    const first = await run(campaign, { ledger, score });
    assert.deepEqual(
      [first.summary.state, first.summary.failed["judge-failed"], asked, judgements],
      ["exhausted", 1, 1, 3],
      "one budget: a judgement and two retries",
    );
    assert.deepEqual(
      first.attempts.map(({ answerOf, measured }) => [answerOf, measured.contents]),
      [
        [undefined, 2],
        [1, 0],
        [1, 0],
      ],
    );
    broken = false;
    await ledger.control.write({ requeueBattles: ["purple/i0/1"] });
    const again = await run(campaign, { ledger, score });
    assert.deepEqual([again.summary.state, again.summary.passed, asked, judgements], ["done", 1, 1, 4]);
    const last = again.attempts.at(-1);
    assert.ok(last?.outcome?.kind === "judged");
    assert.deepEqual([last.answerOf, last.outcome.answer, last.taskId], [1, "hello world", first.attempts[0]?.taskId]);
    // Judged is judged: whoever wants that again wants another answer.
    await ledger.control.write({ requeueBattles: ["purple/i0/1"] });
    assert.equal((await run(campaign, { ledger, score })).attempts.at(-1)?.answerOf, undefined);
    assert.equal(asked, 2);
  });

  it("asks its subject once when its judge's port is closed", async (t) => {
    let asked = 0;
    const closed = await closedPort();
    const campaign = await against(
      t,
      async function* () {
        asked += 1;
        yield* hello();
      },
      { green: { kind: "judge", model: "m", baseUrl: `http://127.0.0.1:${closed}/v1`, rubric: "Is it right?" }, items: [{ id: "i0", prompt: "prompt 0" }] },
    );
    const { summary } = await run(campaign);
    assert.deepEqual([summary.failed["judge-failed"], asked, summary.attempts], [1, 1, 3]);
  });

  it("does not judge again what would fail in the same way, and holds it against no subject", async (t) => {
    let judgements = 0;
    const campaign = await against(t, hello, { green: { kind: "function", module: "x", name: "y" }, items: [{ id: "i0", prompt: "prompt 0" }] });
    const score: Scorer = () => {
      judgements += 1;
      return { pass: true, score: 7 };
    };
    const { summary } = await run(campaign, { score });
    assert.deepEqual([summary.state, judgements, summary.failed, summary.faults], ["exhausted", 1, { "judge-failed": 1 }, 0]);
  });

  it("says when nobody is there", async () => {
    await assert.rejects(run(campaignOf()), { code: "unavailable", reason: "NO_SUBJECT" });
  });
});
