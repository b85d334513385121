import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Progress, Summary } from "../../src/lib/campaign/progress.ts";
import { summarize } from "../../src/lib/campaign/report/summarize.ts";
import { DEFAULT_THRESHOLDS } from "../../src/lib/liveness/thresholds.ts";
import { createMemoryLedger } from "../../src/lib/main/open-ledger.ts";
import { IasError } from "../../src/lib/model/errors.ts";
import { campaignOf } from "../support/campaigns.ts";
import { run } from "../support/run-campaign.ts";
import { against, hangs, hello, promptOf } from "../support/subjects.ts";

describe("a campaign that tries battles again", () => {
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
});
