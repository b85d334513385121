import assert from "node:assert/strict";
import { after, test } from "node:test";
import { setTimeout as wait } from "node:timers/promises";
import { defineAgent } from "../../src/lib/engine/define-agent.ts";
import { openaiChat } from "../../src/lib/engine/openai-chat.ts";
import { createMemoryStore } from "../../src/lib/log/memory.ts";
import { startServer } from "../../src/lib/main/server.ts";
import { collect, notHung, textsOf } from "../../src/lib/testing/engine-support.ts";
import { testTurn } from "../../src/lib/testing/test-turn.ts";
import { bindingClients } from "../bindings/clients.ts";
import { textsOf as textsIn } from "../support/cursor-reader.ts";
import { startModelServer } from "../support/model-server.ts";
import { chatText, textsSent } from "../support/model-texts.ts";
import { startRecordingProxy } from "../support/recording-proxy.ts";

// The engine for model servers against llama.cpp's own: what the server sent is what comes out, chunk by chunk, also over A2A.

const models = await startModelServer();
const proxy = await startRecordingProxy(models.url);
// Random weights end at once or never: let them talk for exactly so many tokens.
const engineFor = (tokens: number) => openaiChat({ baseUrl: proxy.url, model: "tiny", system: "Talk.", body: { max_tokens: tokens, ignore_eos: true } });
const engine = engineFor(300);
const server = await startServer({ agents: [defineAgent({ id: "main", engine })], store: createMemoryStore(), port: 0, grpcPort: 0 });
const clients = bindingClients(server);
after(async () => {
  for (const client of clients) await client[Symbol.asyncDispose]();
  await server[Symbol.asyncDispose]();
  await engine[Symbol.asyncDispose]();
  await proxy[Symbol.asyncDispose]();
  await models[Symbol.asyncDispose]();
});
const { signal } = new AbortController();

test("as many text events as the model server sent chunks with text, same strings, same order; counts and the end are told", async () => {
  const events = await collect(engine.run(testTurn("Say something long."), { signal }));
  const sent = textsSent(proxy.exchanges.at(-1)?.data ?? [], chatText);
  assert.ok(sent.length > 200, `the model server sent only ${sent.length} chunks with text`);
  assert.deepEqual(textsOf(events), sent);
  const usage = events.find(({ kind }) => kind === "usage");
  assert.ok(usage?.kind === "usage" && usage.usage.outputTokens === 300, JSON.stringify(usage));
  assert.deepEqual(events.at(-1), { kind: "end", outcome: "completed", metadata: { finishReason: "length" } });
  assert.equal(proxy.exchanges.length, 1, "llama.cpp takes the parameters of vLLM that it does not know");
});

for (const client of clients) {
  test(`${client.name}: one event for each chunk of the model server, same strings, same order`, async () => {
    const texts: string[] = [];
    const message = { messageId: crypto.randomUUID(), role: "ROLE_USER", parts: [{ text: `Talk to ${client.name}.` }] };
    const read = async (): Promise<void> => {
      for await (const { event } of client.stream("SendStreamingMessage", { message })) texts.push(...textsIn(event).filter((text) => text !== ""));
    };
    await notHung("the stream", read(), 60_000);
    const exchange = proxy.exchanges.find(({ request }) => request.includes(client.name));
    assert.deepEqual(texts, textsSent(exchange?.data ?? [], chatText));
    assert.ok(texts.length > 200);
  });
}

test("an abort closes the request to the model server, which frees its slot", async () => {
  const abort = new AbortController();
  let count = 0;
  for await (const event of engineFor(3000).run(testTurn("Talk."), { signal: abort.signal })) {
    if (event.kind === "text" && (count += 1) === 20) abort.abort();
  }
  assert.equal(await notHung("the exchange", proxy.exchanges.at(-1)?.cut ?? Promise.resolve(false)), true);
  await notHung("the model server's slots", slotsFree());
});

test("a model that the server cannot give, and a prompt that it cannot take, fail by name", async () => {
  const long = engine.run(testTurn("word ".repeat(20_000)), { signal });
  await assert.rejects(collect(long), ({ reason, retryable }: { readonly reason?: string; readonly retryable?: boolean }) => {
    assert.deepEqual([reason, retryable], ["MODEL_REQUEST_REFUSED", false]);
    return true;
  });
});

async function slotsFree(): Promise<void> {
  for (;;) {
    const slots = (await (await fetch(`${models.url}/slots`)).json()) as { is_processing: boolean }[];
    if (slots.every((slot) => !slot.is_processing)) return;
    await wait(20);
  }
}
