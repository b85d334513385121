import assert from "node:assert/strict";
import { after, test } from "node:test";
import { defineAgent } from "../../src/lib/engine/define-agent.ts";
import { openaiChat } from "../../src/lib/engine/openai-chat.ts";
import { createMemoryStore } from "../../src/lib/log/memory.ts";
import { startServer } from "../../src/lib/main/server.ts";
import { notHung } from "../../src/lib/testing/engine-support.ts";
import { bindingClients } from "../bindings/clients.ts";
import { textsOf } from "../support/cursor-reader.ts";
import { promptFor, startFaultyModel } from "../support/faulty-model.ts";

// A model server that makes token n + 1 only after the A2A client has seen token n: whoever collects anywhere on the way deadlocks.

const TOKENS = 40;
const model = await startFaultyModel();
const engine = openaiChat({ baseUrl: model.url, model: "faulty" });
const server = await startServer({ agents: [defineAgent({ id: "main", engine })], store: createMemoryStore(), port: 0, grpcPort: 0 });
const clients = bindingClients(server);
after(async () => {
  for (const client of clients) await client[Symbol.asyncDispose]();
  await server[Symbol.asyncDispose]();
  await engine[Symbol.asyncDispose]();
  await model[Symbol.asyncDispose]();
});

for (const client of clients) {
  test(`${client.name}: a model's answer runs to its end though its server waits for the client at each token`, async () => {
    const texts: string[] = [];
    const step = client.name;
    model.step(step);
    const read = async (): Promise<void> => {
      const message = { messageId: crypto.randomUUID(), role: "ROLE_USER", parts: [{ text: promptFor({ step, tokens: TOKENS }) }] };
      for await (const { event } of client.stream("SendStreamingMessage", { message })) {
        for (const text of textsOf(event)) {
          if (text === "") continue;
          texts.push(text);
          model.step(step);
        }
      }
    };
    await notHung("the stream", read(), 60_000);
    assert.equal(texts.length, TOKENS);
    assert.deepEqual(texts, model.requests.at(-1)?.reply?.texts);
  });
}
