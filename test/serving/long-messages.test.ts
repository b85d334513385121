import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { AgentEvent } from "../../src/lib/engine/engine.ts";
import { DEFAULT_LIMITS } from "../../src/lib/model/limits.ts";
import { IasError } from "../../src/lib/model/errors.ts";
import { messageOf } from "../support/messages.ts";
import { agentOf, EXTENDED, rpcClient, serving, statesOf } from "../support/serving.ts";

const LONG = "a".repeat(1_000_000);

/** What a turn says at its end, and how its task stands then. */
const CASES: Readonly<Record<string, { readonly last: () => AgentEvent; readonly state: string }>> = {
  "long arguments of a tool that waits for approval": {
    last: () => ({ kind: "interrupt", reason: "input", approvals: [{ call: "c", name: "pay", arguments: LONG }] }),
    state: "INPUT_REQUIRED",
  },
  "a long question": { last: () => ({ kind: "interrupt", reason: "input", message: [{ text: LONG }] }), state: "FAILED" },
  "a long last word": { last: () => ({ kind: "end", outcome: "completed", message: [{ text: LONG }] }), state: "FAILED" },
  "a long status": { last: () => ({ kind: "status", message: [{ text: LONG }] }), state: "FAILED" },
  "a long reply": { last: () => ({ kind: "reply", parts: [{ text: LONG }] }), state: "FAILED" },
  "a long error": {
    last: () => {
      throw new IasError("remote-failed", LONG, { details: { said: LONG } });
    },
    state: "FAILED",
  },
};

describe("no frame passes maxFrameBytes", () => {
  for (const [name, { last, state }] of Object.entries(CASES)) {
    it(`with ${name}`, async (t) => {
      const agent = agentOf(
        async function* () {
          yield { kind: "text", text: "hello" };
          yield last();
        },
        { replies: "either" },
      );
      const server = await serving(t, [agent]);
      const client = rpcClient(`${server.url}/a2a/agent`, EXTENDED);
      const frames = await client.all("SendStreamingMessage", { message: messageOf("go") });
      assert.equal(statesOf(frames).at(-1), state);
      for (const { event } of frames) assert.ok(JSON.stringify(event).length <= DEFAULT_LIMITS.maxFrameBytes);
    });
  }
});
