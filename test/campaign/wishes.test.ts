import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { setTimeout as wait } from "node:timers/promises";
import { createMemoryLedger } from "../../src/lib/main/open-ledger.ts";
import { run } from "../support/run-campaign.ts";
import { against, hello } from "../support/subjects.ts";

describe("a campaign that people steer", () => {
  it("is paused, canceled and told to fight a battle again from outside", async (t) => {
    let pass = false;
    const campaign = await against(t, hello, { green: { kind: "function", module: "x", name: "y" } });
    await using ledger = createMemoryLedger();
    await ledger.control.write({ paused: true, cancelBattles: ["purple/i3/1"] });
    const told: string[] = [];
    const paused = Promise.withResolvers<void>();
    const running = run(campaign, {
      ledger,
      score: () => ({ pass, score: pass ? 1 : 0 }),
      onProgress(one) {
        told.push(one.kind);
        if (one.kind === "warning") paused.resolve();
      },
    });
    await paused.promise;
    // Long enough for battles to begin, if nothing held them.
    await wait(100);
    assert.deepEqual(told, ["started", "liveness", "warning"]);
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
});
