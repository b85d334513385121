import assert from "node:assert/strict";
import { test } from "node:test";
import { HttpAgent } from "@ag-ui/client";
import { Chat } from "@ai-sdk/react";
import { DefaultChatTransport, type UIMessage } from "ai";
import OpenAI from "openai";
import { notHung } from "../../src/lib/testing/engine-support.ts";
import { agentOf, serving } from "../support/serving.ts";

test("a quiet stream's heartbeats disturb no client", async (t) => {
  /** Heartbeats that have passed through `counting`; the agent goes on after the second. */
  let beats = 0;
  let second = Promise.withResolvers<void>();
  const counting: typeof fetch = async (input, init) => {
    const response = await fetch(input, init);
    const count = new TransformStream<Uint8Array, Uint8Array>({
      transform(chunk, controller) {
        if (Buffer.from(chunk).includes(": hb")) beats += 1;
        if (beats >= 2) second.resolve();
        controller.enqueue(chunk);
      },
    });
    return new Response(response.body?.pipeThrough(count), { status: response.status, headers: response.headers });
  };
  const agent = agentOf(async function* () {
    yield { kind: "text", text: "one " };
    await second.promise;
    yield { kind: "text", text: "two" };
  });
  const server = await serving(t, [agent], { limits: { heartbeatMs: 100 } });
  const quiet = async (name: string, read: () => Promise<unknown>): Promise<void> => {
    beats = 0;
    second = Promise.withResolvers();
    assert.equal(await notHung(name, read(), 60_000), "one two", name);
    assert.ok(beats >= 2, name);
  };
  await quiet("AG-UI", async () => {
    const client = new HttpAgent({ url: `${server.url}/agui/agent`, initialMessages: [{ id: "m", role: "user", content: "go" }] });
    client.fetch = counting;
    await client.runAgent();
    return client.messages.at(-1)?.content;
  });
  await quiet("AI SDK", async () => {
    const chat = new Chat<UIMessage>({ transport: new DefaultChatTransport({ api: `${server.url}/ai/agent`, fetch: counting }) });
    await chat.sendMessage({ text: "go" });
    return chat.lastMessage?.parts.map((part) => (part.type === "text" ? part.text : "")).join("");
  });
  const openai = new OpenAI({ baseURL: `${server.url}/v1`, apiKey: "none", fetch: counting });
  await quiet("chat completions", async () => {
    let text = "";
    for await (const chunk of await openai.chat.completions.create({ model: "agent", messages: [{ role: "user", content: "go" }], stream: true }))
      text += chunk.choices[0]?.delta.content ?? "";
    return text;
  });
  await quiet("responses", async () => {
    let text = "";
    for await (const event of await openai.responses.create({ model: "agent", input: "go", stream: true }))
      if (event.type === "response.output_text.delta") text += event.delta;
    return text;
  });
});
