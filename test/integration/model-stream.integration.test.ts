import assert from "node:assert/strict";
import { after, test } from "node:test";
import { setTimeout as wait } from "node:timers/promises";
import { Agent, type ModelSettings } from "@openai/agents";
import { z } from "zod";
import type { AgentEvent } from "../../src/lib/engine/engine.ts";
import { openaiAgents } from "../../src/lib/engine/openai-agents.ts";
import type { ModelEndpoint } from "../../src/lib/engine/openai-agents/provider.ts";
import { collect, notHung, textsOf } from "../../src/lib/testing/engine-support.ts";
import { testTurn } from "../../src/lib/testing/test-turn.ts";
import { startModelServer } from "../support/model-server.ts";
import { chatText, responsesText, textsSent } from "../support/model-texts.ts";
import { startRecordingProxy } from "../support/recording-proxy.ts";

// The Agents SDK engine against llama.cpp's own server: what the model server sent is what comes out, chunk by chunk.

const models = await startModelServer();
const proxy = await startRecordingProxy(models.url);
after(async () => {
  await proxy[Symbol.asyncDispose]();
  await models[Symbol.asyncDispose]();
});
const { signal } = new AbortController();

const apis: readonly (readonly [NonNullable<ModelEndpoint["api"]>, string, (data: string) => string])[] = [
  ["chat-completions", "/v1/chat/completions", chatText],
  ["responses", "/v1/responses", responsesText],
];

for (const [api, path, textOf] of apis) {
  test(`${api}: as many text events as the model server sent chunks with text, same strings, same order`, async () => {
    const events = await collect(engine(api, 300).run(testTurn("Say something long."), { signal }));
    const exchange = proxy.exchanges.at(-1);
    assert.ok(exchange?.path === path);
    const sent = textsSent(exchange.data, textOf);
    assert.ok(sent.length > 200, `the model server sent only ${sent.length} chunks with text`);
    assert.deepEqual(textsOf(events), sent);
    const usage = events.find(({ kind }) => kind === "usage");
    assert.ok(usage?.kind === "usage" && usage.usage.outputTokens === 300 && usage.usage.model !== undefined, JSON.stringify(usage));
  });

  test(`${api}: an abort closes the request to the model server, which frees its slot`, async () => {
    const abort = new AbortController();
    let count = 0;
    for await (const event of engine(api, 3000).run(testTurn("Talk."), { signal: abort.signal })) {
      if (event.kind === "text" && (count += 1) === 20) abort.abort();
    }
    assert.equal(await notHung("the exchange", proxy.exchanges.at(-1)?.cut ?? Promise.resolve(false)), true);
    await notHung("the model server's slots", slotsFree());
  });
}

test("four turns at once, each of which gets its own chunks", async () => {
  const from = proxy.exchanges.length;
  const one = engine("chat-completions", 120);
  const turns = ["alpha", "beta", "gamma", "delta"];
  const results = await Promise.all(turns.map((word) => collect(one.run(testTurn(`Speak of ${word}.`), { signal }))));
  for (const [index, word] of turns.entries()) {
    const exchange = proxy.exchanges.slice(from).find(({ request }) => request.includes(word));
    assert.ok(exchange);
    assert.deepEqual(textsOf(results[index] ?? []), textsSent(exchange.data, chatText));
  }
});

test("a structured output of the model server becomes a data part", async () => {
  const agent = new Agent({ name: "A", outputType: z.object({ yes: z.boolean() }) });
  const events: readonly AgentEvent[] = await collect(openaiAgents(agent, real("chat-completions")).run(testTurn("Yes?"), { signal }));
  const artifact = events.find(({ kind }) => kind === "artifact");
  assert.ok(artifact?.kind === "artifact");
  assert.deepEqual(Object.keys(artifact.artifact.parts[0]?.data ?? {}), ["yes"]);
});

function engine(api: NonNullable<ModelEndpoint["api"]>, tokens: number): ReturnType<typeof openaiAgents> {
  // Random weights end at once or never: let them talk for exactly so many tokens.
  const modelSettings: ModelSettings = { maxTokens: tokens, providerData: { ignore_eos: true } };
  return openaiAgents(new Agent({ name: "A", instructions: "Talk.", modelSettings }), real(api));
}

function real(api: NonNullable<ModelEndpoint["api"]>) {
  return { model: "tiny", endpoint: { baseUrl: `${proxy.url}/v1`, api } };
}

async function slotsFree(): Promise<void> {
  for (;;) {
    const slots = (await (await fetch(`${models.url}/slots`)).json()) as { is_processing: boolean }[];
    if (slots.every((slot) => !slot.is_processing)) return;
    await wait(20);
  }
}
