import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Scorer } from "../../src/lib/campaign/campaign.ts";
import { createMemoryLedger } from "../../src/lib/main/open-ledger.ts";
import { freePort } from "../support/free-port.ts";
import { run } from "../support/run-campaign.ts";
import { against, hello } from "../support/subjects.ts";

describe("a campaign whose judgements fail", () => {
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
    const port = await freePort();
    const campaign = await against(
      t,
      async function* () {
        asked += 1;
        yield* hello();
      },
      { green: { kind: "judge", model: "m", baseUrl: `http://127.0.0.1:${port}/v1`, rubric: "Is it right?" }, items: [{ id: "i0", prompt: "prompt 0" }] },
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
});
