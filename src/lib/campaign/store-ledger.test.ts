import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, it, type TestContext } from "node:test";
import { createMemoryLedger, openLedger } from "../main/open-ledger.ts";
import type { StreamResponse } from "../model/a2a.ts";
import { IasError } from "../model/errors.ts";
import type { Outcome } from "./attempt.ts";
import { battleKey } from "./attempt.ts";
import type { Ledger } from "./ledger.ts";
import { attemptOf, campaignOf } from "../../../test/support/campaigns.ts";

async function folder(t: TestContext): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), "ias-ledger-"));
  t.after(() => rm(path, { recursive: true, force: true, maxRetries: 3 }));
  return path;
}

const chunk = (text: string): StreamResponse => ({
  artifactUpdate: { taskId: "t", contextId: "c", artifact: { artifactId: "answer", parts: [{ text }] }, append: true },
});
const judged = (answer: string): Outcome => ({ kind: "judged", verdict: { pass: true, score: 1 }, answer });

async function all<T>(source: AsyncIterable<T>): Promise<T[]> {
  const found: T[] = [];
  for await (const one of source) found.push(one);
  return found;
}

const KINDS: readonly (readonly [string, (t: TestContext) => Promise<Ledger>])[] = [
  ["in memory", async () => createMemoryLedger()],
  ["in SQLite", async (t) => openLedger(await folder(t))],
];

for (const [kind, open] of KINDS) {
  describe(`a ledger ${kind}`, () => {
    it("keeps the campaign with its infinite thresholds, once", async (t) => {
      await using ledger = await open(t);
      assert.equal(await ledger.campaign(), undefined);
      const items = Array.from({ length: 3000 }, (_, index) => ({ id: `item-${index}`, prompt: "x".repeat(100) }));
      const campaign = campaignOf({ items });
      const created = await ledger.create(campaign, "hash");
      await using second = createMemoryLedger();
      assert.notEqual((await second.create(campaign, "hash")).nonce, created.nonce, "one of its own");
      const found = await ledger.campaign();
      assert.deepEqual(found?.campaign, campaign);
      assert.deepEqual({ ...found, campaign: undefined }, { ...created, campaign: undefined });
      assert.equal(found.hash, "hash");
      await assert.rejects(ledger.create(campaign, "other"), { code: "conflict", reason: "CAMPAIGN_CHANGED" });
    });

    it("keeps attempts in order of battle and number, and what arrived in each with what the runner saw between", async (t) => {
      await using ledger = await open(t);
      const battle = battleKey("a/b", "item 1", 1);
      const second = await ledger.begin(attemptOf({ battle, attempt: 2 }));
      const first = await ledger.begin(attemptOf({ battle, attempt: 1 }));
      await ledger.begin(attemptOf({ battle: battleKey("a/b", "item 1", 10), attempt: 1 }));
      await assert.rejects(ledger.begin(attemptOf({ battle, attempt: 1 })), { code: "conflict" });
      first.note(chunk("one"));
      first.aside({ kind: "liveness", phase: "generating" });
      first.note(chunk("two"));
      await first.save({ taskId: "t" });
      await first.end({ outcome: judged("onetwo"), endedAt: 5 });
      assert.throws(() => first.note(chunk("late")), { code: "conflict" });
      const events = await all(ledger.events(battle, 1));
      assert.deepEqual(
        events.map(({ seq, event }) => [seq, "artifactUpdate" in event ? "content" : "aside"]),
        [
          [1, "content"],
          [2, "aside"],
          [3, "content"],
        ],
      );
      assert.deepEqual(
        (await all(ledger.events(battle, 1, { after: 2 }))).map(({ seq }) => seq),
        [3],
      );
      const attempts = await ledger.attemptsOf(battle);
      assert.deepEqual(
        attempts.map(({ attempt, taskId, outcome, endedAt }) => ({ attempt, taskId, outcome, endedAt })),
        [
          { attempt: 1, taskId: "t", outcome: judged("onetwo"), endedAt: 5 },
          { attempt: 2, taskId: undefined, outcome: undefined, endedAt: undefined },
        ],
      );
      assert.equal((await all(ledger.attempts())).length, 3);
      await ledger.discount(battle);
      assert.deepEqual(
        (await ledger.attemptsOf(battle)).map(({ discounted }) => discounted),
        [true, undefined],
      );
      await second.end({ outcome: { kind: "canceled" }, endedAt: 6 });
    });

    it("keeps answers of a million characters", async (t) => {
      await using ledger = await open(t);
      const writer = await ledger.begin(attemptOf({ attempt: 1 }));
      const answer = "\u{1F600}".repeat(500_000);
      writer.note(chunk("x"));
      await writer.end({ outcome: judged(answer), endedAt: 1 });
      await ledger.discount(writer.attempt.battle);
      const [found] = await ledger.attemptsOf(writer.attempt.battle);
      assert.deepEqual(found?.outcome, judged(answer));
      assert.equal(found.discounted, true);
      assert.equal((await all(ledger.events(writer.attempt.battle, 1))).length, 1, "the outcome is no event");
    });

    it("holds a writer back that is faster than the store", async (t) => {
      await using ledger = await open(t);
      const writer = await ledger.begin(attemptOf({ attempt: 1 }));
      assert.equal(writer.ready(), undefined);
      for (let i = 0; i < 20; i += 1) writer.note(chunk("x".repeat(100_000)));
      const held = writer.ready();
      assert.ok(held, "2 MB wait");
      await held;
      assert.equal(writer.ready(), undefined);
      await writer.end({ outcome: judged(""), endedAt: 1 });
      assert.equal((await all(ledger.events(writer.attempt.battle, 1))).length, 20);
    });
  });
}

describe("the ledger of a folder", () => {
  it("has one owner, readers beside it, and wishes from anywhere", async (t) => {
    const path = await folder(t);
    assert.throws(() => openLedger(join(path, "no"), { readOnly: true }), { code: "not-found" });
    await using owner = openLedger(path);
    assert.throws(
      () => openLedger(path),
      (error: unknown) => {
        assert.ok(error instanceof IasError);
        assert.deepEqual([error.code, error.reason], ["conflict", "DATA_FOLDER_IN_USE"]);
        assert.match(error.message, new RegExp(`process ${process.pid}\\b.*with --out.*ias campaign status`));
        assert.doesNotMatch(error.message, /--read-only/, "only ias serve has that");
        return true;
      },
    );
    await using reader = openLedger(path, { readOnly: true });
    const writer = await owner.begin(attemptOf({ attempt: 1 }));
    writer.note(chunk("x"));
    await writer.save({ taskId: "t" });
    assert.equal((await all(reader.events(writer.attempt.battle, 1))).length, 1);
    assert.equal((await reader.attemptsOf(writer.attempt.battle))[0]?.taskId, "t");
    await assert.rejects(reader.begin(attemptOf({ attempt: 2 })), { code: "forbidden" });

    await reader.control.write({ paused: true, cancelBattles: ["a/1/1"] });
    await owner.control.write({ requeueBattles: ["b/1/1"], cancelBattles: ["a/2/1"] });
    const wishes = await owner.control.read();
    assert.deepEqual(
      { ...wishes, cancelBattles: wishes.cancelBattles.toSorted() },
      { paused: true, canceled: false, cancelBattles: ["a/1/1", "a/2/1"], requeueBattles: ["b/1/1"] },
    );
    await owner.control.done("cancel", "a/1/1");
    await owner.control.write({ paused: false });
    assert.deepEqual(await reader.control.read(), { paused: false, canceled: false, cancelBattles: ["a/2/1"], requeueBattles: ["b/1/1"] });
  });

  it("goes on after a runner that died: begun attempts are found and resumed, with what they had", async (t) => {
    const path = await folder(t);
    {
      await using ledger = openLedger(path);
      const writer = await ledger.begin(attemptOf({ attempt: 1 }));
      writer.note(chunk("one"));
      await writer.save({ taskId: "t" });
    }
    await using ledger = openLedger(path);
    const [left] = await all(ledger.attempts());
    assert.ok(left);
    const writer = await ledger.resume(left);
    writer.note(chunk("two"));
    await writer.end({ outcome: judged("onetwo"), endedAt: 2 });
    await assert.rejects(ledger.resume(left), (error: unknown) => error instanceof IasError && error.code === "conflict");
    const texts = (await all(ledger.events(left.battle, 1))).map(({ event }) =>
      "artifactUpdate" in event ? event.artifactUpdate.artifact.parts[0]?.text : "",
    );
    assert.deepEqual(texts, ["one", "two"]);
  });

  it("reads 10,000 attempts in far less time than they took to write", { timeout: 300_000 }, async (t) => {
    const path = await folder(t);
    const began = performance.now();
    await using ledger = openLedger(path);
    for (let from = 0; from < 10_000; from += 500) {
      await Promise.all(
        Array.from({ length: 500 }, async (_, index) => {
          const battle = battleKey("purple", `item-${from + index}`, 1);
          const writer = await ledger.begin(attemptOf({ battle, attempt: 1 }));
          writer.note(chunk("x"));
          await writer.end({ outcome: judged("y".repeat(200)), endedAt: 1 });
        }),
      );
    }
    await using reader = openLedger(path, { readOnly: true });
    const started = performance.now();
    let count = 0;
    for await (const attempt of reader.attempts()) count += attempt.outcome === undefined ? 0 : 1;
    const [wroteMs, ms] = [started - began, performance.now() - started];
    assert.equal(count, 10_000);
    t.diagnostic(`read in ${Math.round(ms)} ms, written in ${Math.round(wroteMs)} ms`);
    // Both by the same machine, however slow and busy it is: about a fifth.
    assert.ok(ms < wroteMs, `read in ${Math.round(ms)} ms, written in ${Math.round(wroteMs)} ms`);
  });
});
