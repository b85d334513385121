import assert from "node:assert/strict";
import { describe, test, type TestContext } from "node:test";
import { setTimeout as wait } from "node:timers/promises";
import type { Campaign } from "../../src/lib/campaign/campaign.ts";
import { connectA2A } from "../../src/lib/client/connect.ts";
import type { AgentEvent, Turn } from "../../src/lib/engine/engine.ts";
import { DEFAULT_THRESHOLDS } from "../../src/lib/liveness/thresholds.ts";
import { campaignOf } from "../support/campaigns.ts";
import { run } from "../support/run-campaign.ts";
import { agentOf, serving } from "../support/serving.ts";

// Agents whose card says that they stream, and nothing more: not all of them send what their model makes as it makes it.

const THRESHOLDS = { ...DEFAULT_THRESHOLDS, firstByteMs: 300, firstContentMs: 300, gapMs: 300 };

async function meet(t: TestContext, play: (turn: Turn, signal: AbortSignal) => AsyncIterable<AgentEvent>, change: Partial<Campaign> = {}) {
  const server = await serving(t, [agentOf(play)]);
  const url = `${server.url}/a2a/agent`;
  const campaign = campaignOf({
    subjects: [{ id: "purple", url, concurrency: 4, headersFromEnv: {} }],
    green: { kind: "function", module: "x", name: "y" },
    thresholds: THRESHOLDS,
    retries: { ...campaignOf().retries, maxAttempts: 1 },
    timeout: { initialMs: 10_000, minMs: 1000, maxMs: 20_000, factor: 3, backoff: 2 },
    ...change,
  });
  const card = (await (await fetch(`${url}/.well-known/agent-card.json`, { headers: { "a2a-version": "1.0" } })).json()) as { capabilities: object };
  const plain = { ...card, capabilities: { ...card.capabilities, extensions: [] } };
  return run(campaign, { parts: { connect: () => connectA2A(plain, { allowLocal: true }) } });
}

describe("an agent that only says that it streams", { concurrency: 3 }, () => {
  test("and collects its answer is not failed for its silence, nor called stalled", async (t) => {
    const { summary, attempts, progress } = await meet(t, async function* () {
      await wait(1500);
      yield { kind: "text", text: "all at once" };
    });
    assert.equal(summary.judged, 1);
    assert.deepEqual(summary.stalls, {});
    assert.ok(progress.every((one) => one.kind !== "phase" || one.phase !== "stalled"));
    assert.match(attempts[0]?.liveness?.why ?? "", /until it has sent content piece by piece, the time-out judges/);
  });

  test("and streams one answer but collects the next is not failed for its silence", async (t) => {
    const { summary, attempts } = await meet(
      t,
      async function* (turn) {
        const collects = JSON.stringify(turn.input).includes("collect");
        for (let count = 0; !collects && count < 10; count += 1) {
          yield { kind: "text", text: "piece " };
          await wait(30);
        }
        if (collects) await wait(1500);
        yield { kind: "text", text: "the end" };
      },
      {
        items: [
          { id: "first", prompt: "stream" },
          { id: "second", prompt: "collect" },
        ],
        concurrency: 1,
      },
    );
    assert.deepEqual([summary.judged, summary.attempts], [2, 2], JSON.stringify(attempts));
  });

  test("and collects its answer is found hung by the time-out, which says why", async (t) => {
    const { summary, attempts, progress } = await meet(
      t,
      async function* (_, signal) {
        await wait(60_000, undefined, { signal }).catch(() => undefined);
        yield { kind: "text", text: "late" };
      },
      { timeout: { initialMs: 800, minMs: 800, maxMs: 800, factor: 3, backoff: 2 } },
    );
    const { outcome } = attempts[0] ?? {};
    assert.ok(outcome?.kind === "failed");
    assert.equal(outcome.failure.class, "stall");
    assert.deepEqual(summary.stalls, { prefill: 1 });
    assert.equal(progress.filter((one) => one.kind === "phase" && one.phase === "stalled").length, 1, "told when it is found, and not before");
    assert.match(outcome.failure.evidence?.text ?? "", /no content piece by piece.*timeout\.initialMs: no duration of this item is known/);
    assert.deepEqual([outcome.failure.stall?.threshold, outcome.failure.stall?.limitMs], ["timeout", 800]);
    assert.match(outcome.failure.message, /^InferenceStalled: no answer after \S+ s while prefill \(timeout allows 0\.8 s\), after 0 tokens\./);
  });

  test("and shows it is judged by its stream from there on", async (t) => {
    const { attempts } = await meet(t, async function* (_, signal) {
      for (let count = 0; count < 10; count += 1) {
        yield { kind: "text", text: "piece " };
        await wait(30);
      }
      await wait(60_000, undefined, { signal }).catch(() => undefined);
    });
    const { outcome } = attempts[0] ?? {};
    assert.ok(outcome?.kind === "failed");
    assert.deepEqual([outcome.failure.class, outcome.failure.stall?.threshold, outcome.failure.stall?.contents], ["stall", "gapMs", 10]);
  });
});
