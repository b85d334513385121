import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { AgentEvent, Turn } from "../../src/lib/engine/engine.ts";
import { readExtension } from "../../src/lib/model/extension.ts";
import { messageOf } from "../support/messages.ts";
import { agentOf, EXTENDED, rpcClient, serving, statesOf, textsOf } from "../support/serving.ts";

describe("liveness that an engine tells", () => {
  it("makes no entry and does not come before a message-only reply", async (t) => {
    const server = await serving(t, [
      agentOf(
        async function* () {
          yield { kind: "liveness", signal: { kind: "connecting" } };
          yield { kind: "liveness", signal: { kind: "bytes" } };
          yield { kind: "reply", parts: [{ text: "hello" }] };
        },
        { replies: "message" },
      ),
    ]);
    const frames = await rpcClient(`${server.url}/a2a/agent`, EXTENDED).all("SendStreamingMessage", { message: messageOf("go") });
    assert.deepEqual(
      frames.map(({ event }) => ("message" in event ? event.message.parts : event)),
      [[{ text: "hello" }]],
    );
  });
});

describe("a turn that hangs on a server", () => {
  const hangs = async function* (_turn: Turn, signal: AbortSignal): AsyncGenerator<AgentEvent> {
    yield { kind: "text", text: "so far" };
    await new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason as Error), { once: true }));
  };

  it("fails with InferenceStalled where the agent aborts: extension readers see the stall, plain readers the failure only", async (t) => {
    const server = await serving(t, [agentOf(hangs, { liveness: { thresholds: { gapMs: 300, slowAfter: 1 }, onStall: "abort" } })]);
    for (const headers of [EXTENDED, {}]) {
      const frames = await rpcClient(`${server.url}/a2a/agent`, headers).all("SendStreamingMessage", { message: messageOf("go") });
      assert.equal(statesOf(frames).at(-1), "FAILED");
      const data = frames.flatMap(({ event }) => readExtension(event) ?? []);
      assert.deepEqual(
        data.map((one) => (one.kind === "liveness" ? one.phase : one.kind)),
        headers === EXTENDED ? ["stalled", "failure"] : ["failure"],
      );
      const failure = data.at(-1);
      assert.ok(failure?.kind === "failure" && failure.retryable && failure.reason === "INFERENCE_STALLED");
      assert.equal(failure.details?.["threshold"], "gapMs");
      assert.match(textsOf(frames).join(""), /^so far$/);
    }
  });

  it("goes on where it is only reported, and ends when it is canceled", async (t) => {
    const server = await serving(t, [agentOf(hangs, { liveness: { thresholds: { gapMs: 200, slowAfter: 1 }, onStall: "report" } })]);
    const client = rpcClient(`${server.url}/a2a/agent`, EXTENDED);
    const phases: string[] = [];
    let task = "";
    for await (const { event } of client.frames("SendStreamingMessage", { message: messageOf("go") })) {
      if ("task" in event) task = event.task.id;
      const data = readExtension(event);
      if (data?.kind !== "liveness") continue;
      phases.push(data.phase);
      assert.equal((await client.get(task)).status.state, "TASK_STATE_WORKING");
      await client.must("CancelTask", { id: task });
    }
    assert.deepEqual(phases, ["stalled"]);
    assert.equal((await client.get(task)).status.state, "TASK_STATE_CANCELED");
  });

  it("is refused at its definition where its thresholds cannot be right", () => {
    assert.throws(() => agentOf(hangs, { liveness: { thresholds: { gapMs: -1 }, onStall: "abort" } }), /Agent "agent" .*liveness\.thresholds: .*gapMs is -1/);
    assert.throws(() => agentOf(hangs, { liveness: { onStall: "kill" as "abort" } }), /liveness\.onStall is "kill"; it can be "report", "abort"/);
  });
});
