import assert from "node:assert/strict";
import { after, test } from "node:test";
import { Agent, type StreamEvent } from "@openai/agents";
import { assistantMessage, modelStreamResponder, ScriptedModel } from "@openai/agents/testing";
import { defineAgent } from "../../src/lib/engine/define-agent.ts";
import { openaiAgents } from "../../src/lib/engine/openai-agents.ts";
import { createMemoryStore } from "../../src/lib/log/memory.ts";
import { startServer } from "../../src/lib/main/server.ts";
import { notHung } from "../../src/lib/testing/engine-support.ts";
import { bindingClients } from "../bindings/clients.ts";

// A model that makes token n + 1 only after the client has seen token n: whoever collects anywhere on the way deadlocks.

const TOKENS = 40;
let seen = 0;
let more = Promise.withResolvers<void>();
const model = new ScriptedModel(Array.from({ length: 4 }, () => modelStreamResponder(() => words())));
const server = await startServer({
  agents: [defineAgent({ id: "main", engine: openaiAgents(new Agent({ name: "Stepper", model })) })],
  store: createMemoryStore(),
  port: 0,
  grpcPort: 0,
});
const clients = bindingClients(server);
after(async () => {
  for (const client of clients) await client[Symbol.asyncDispose]();
  await server[Symbol.asyncDispose]();
});

for (const client of clients) {
  test(`${client.name}: an Agents SDK agent runs to its end though its model waits for the client at each token`, async () => {
    seen = 0;
    const texts: string[] = [];
    const read = async (): Promise<void> => {
      const message = { messageId: crypto.randomUUID(), role: "ROLE_USER", parts: [{ text: "go" }] };
      for await (const { event } of client.stream("SendStreamingMessage", { message })) {
        const text: unknown = event.artifactUpdate?.artifact?.parts?.[0]?.text;
        if (typeof text !== "string") continue;
        texts.push(text);
        seen += 1;
        more.resolve();
      }
    };
    await notHung("the stream", read(), 60_000);
    assert.deepEqual(
      texts,
      Array.from({ length: TOKENS }, (_, n) => `t${n} `),
    );
  });
}

async function* words(): AsyncGenerator<StreamEvent> {
  yield { type: "response_started" };
  for (let n = 0; n < TOKENS; n += 1) {
    while (seen < n) {
      more = Promise.withResolvers();
      await more.promise;
    }
    yield { type: "output_text_delta", delta: `t${n} ` };
  }
  const usage = { requests: 1, inputTokens: 1, outputTokens: TOKENS, totalTokens: TOKENS + 1 };
  yield { type: "response_done", response: { id: "r", usage, output: [assistantMessage("whole")] } };
}
