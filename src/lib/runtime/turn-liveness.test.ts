import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { createManualTicker } from "../../../test/support/manual-ticker.ts";
import { inlineRuntimeOf, type Step } from "../../../test/support/inline-turn.ts";
import type { Agent } from "../engine/agent.ts";

const QUICK = {
  thresholds: { gapMs: 5000, firstContentMs: 20_000, firstByteMs: 20_000, toolMs: 30_000, connectMs: 4000, slowAfter: 1 },
  onStall: "report",
} as const;

/** Plays `script` and gives the liveness entries of the turn, without times that stand in other members. */
async function entriesOf(script: readonly Step[], liveness: Agent["liveness"] = QUICK) {
  const ticker = createManualTicker();
  return inlineRuntimeOf(script, { ticker, liveness });
}

const text = (word: string): Step => ({ kind: "text", text: word });

describe("liveness entries of a turn", () => {
  it("are none in a turn whose entries show all there is", async () => {
    const { liveness, state } = await entriesOf([
      900,
      text("a"),
      4000,
      text("b"),
      { kind: "tool-call", call: "1", name: "t", arguments: "{}" },
      25_000,
      { kind: "tool-result", call: "1", name: "t", output: "x" },
      900,
      text("c"),
    ]);
    assert.deepEqual([liveness, state], [[], "TASK_STATE_COMPLETED"]);
  });

  it("tell the time to the first content where it was worth a word", async () => {
    const { liveness } = await entriesOf([3000, text("a"), 20, text("b")]);
    assert.deepEqual(liveness, [{ phase: "generating", afterMs: 3000, tokens: 1 }]);
  });

  it("tell a stall once, whole, and a recovery once", async () => {
    const { liveness, state } = await entriesOf([text("a"), 60_000, text("b"), text("c")]);
    const [stalled, ...rest] = liveness;
    assert.ok(stalled?.phase === "stalled");
    const { silenceMs, lastSeq, ...stall } = stalled.stall;
    assert.ok(silenceMs > 5000 && silenceMs <= 5050 + 10, String(silenceMs));
    assert.ok(lastSeq > 0);
    assert.deepEqual(stall, { activity: "generating", threshold: "gapMs", limitMs: 5000, bytesSilenceMs: silenceMs, contents: 1, tokens: 1 });
    assert.deepEqual(rest, [{ phase: "recovered", from: "stalled", activity: "generating" }]);
    assert.equal(state, "TASK_STATE_COMPLETED");
  });

  it("tell what an engine tells of its connection, when it lasts, and that it is over", async () => {
    const { liveness } = await entriesOf([
      { kind: "liveness", signal: { kind: "connecting" } },
      100,
      { kind: "liveness", signal: { kind: "retry-wait", forMs: 30_000 } },
      30_000,
      { kind: "liveness", signal: { kind: "connecting" } },
      100,
      { kind: "liveness", signal: { kind: "working" } },
      100,
      text("a"),
    ]);
    assert.deepEqual(liveness, [{ phase: "retry-wait", forMs: 30_000 }, { phase: "connecting" }, { phase: "prefill" }]);
  });

  it("tell progress that readers do not see, from time to time, and never a stall", async () => {
    const hidden: Step[] = Array.from({ length: 25 }, () => [{ kind: "reasoning", text: "hm" } as const, 1000]).flat();
    const { liveness } = await entriesOf([...hidden, text("a")]);
    assert.deepEqual(
      liveness.map(({ phase }) => phase),
      ["generating", "generating"],
    );
  });
});

describe("a turn that stalls", () => {
  it("fails with INFERENCE_STALLED where the agent says so, and its engine is stopped", async () => {
    const { liveness, state, failure, aborted } = await entriesOf([text("a"), "for ever"], { ...QUICK, onStall: "abort" });
    assert.deepEqual(
      liveness.map(({ phase }) => phase),
      ["stalled"],
    );
    assert.equal(state, "TASK_STATE_FAILED");
    assert.deepEqual([failure?.reason, failure?.retryable, failure?.details?.["threshold"], aborted], ["INFERENCE_STALLED", true, "gapMs", true]);
  });

  it("fails for its working time only where that was limited", async () => {
    const script = Array.from({ length: 20 }, () => [text("a"), 1000] as const).flat();
    const limited = await entriesOf(script, { thresholds: { ...QUICK.thresholds, workMs: 10_000 }, onStall: "abort" });
    assert.deepEqual([limited.state, limited.failure?.reason], ["TASK_STATE_FAILED", "TURN_TOO_LONG"]);
    const free = await entriesOf(script, { ...QUICK, onStall: "abort" });
    assert.equal(free.state, "TASK_STATE_COMPLETED");
  });
});
