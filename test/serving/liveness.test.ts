import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { messageOf } from "../support/messages.ts";
import { agentOf, EXTENDED, rpcClient, serving } from "../support/serving.ts";

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
