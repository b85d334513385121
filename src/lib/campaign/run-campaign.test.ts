import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { campaignOf } from "../../../test/support/campaigns.ts";
import { run } from "../../../test/support/run-campaign.ts";
import { against, hello, promptOf } from "../../../test/support/subjects.ts";
import { DEFAULT_THRESHOLDS } from "../liveness/thresholds.ts";
import { createMemoryLedger } from "../main/open-ledger.ts";
import { IasError } from "../model/errors.ts";
import type { Campaign, Green, Scorer } from "./campaign.ts";

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

  it("says when nobody is there", async () => {
    await assert.rejects(run(campaignOf()), { code: "unavailable", reason: "NO_SUBJECT" });
  });
});
