import assert from "node:assert/strict";
import { test, type TestContext } from "node:test";
import { HttpAgent } from "@ag-ui/client";
import { Chat } from "@ai-sdk/react";
import { DefaultChatTransport, type UIMessage } from "ai";
import OpenAI from "openai";
import { createMemoryStore } from "../../src/lib/log/memory.ts";
import { streamKey } from "../../src/lib/model/key.ts";
import { notHung } from "../../src/lib/testing/engine-support.ts";
import { agentOf, serving } from "../support/serving.ts";

// A writer loses its stream in the middle of a turn, and another process starts the turn over while the frontend still reads (SEMANTICS 19).

/** A server whose turn says half of an answer and hangs, and what makes another server begin the turn anew. */
async function losing(t: TestContext): Promise<{ readonly url: string; startOver(): Promise<void> }> {
  let now = 1_000_000;
  const store = createMemoryStore({ now: () => now });
  const agent = agentOf(
    async function* (turn, signal) {
      yield { kind: "text", text: turn.attempt === 1 ? "half" : "the whole answer" };
      if (turn.attempt === 1) await new Promise((resolve) => signal.addEventListener("abort", resolve));
    },
    { onCrash: "restart" },
  );
  const { url } = await serving(t, [agent], { store });
  return {
    url,
    async startOver() {
      const { tasks } = await store.index.list({ limit: 1 });
      const key = tasks[0]?.key ?? assert.fail("no task");
      await store.log.open(streamKey(key, key.agent, key.task), { owner: "thief", expect: tasks[0]?.epoch ?? 0 });
      now += 6000;
      await serving(t, [agent], { store });
    },
  };
}

test("AG-UI: the run ends with an error that names the task, and the same run again reads the new attempt", async (t) => {
  const { url, startOver } = await losing(t);
  const agent = new HttpAgent({ url: `${url}/agui/agent`, threadId: "thread", initialMessages: [{ id: "m1", role: "user", content: "go" }] });
  const errors: { code?: string; message: string }[] = [];
  const onRunErrorEvent = ({ event }: { event: { code?: string; message: string } }): void => void errors.push(event);
  const run = agent.runAgent({}, { onTextMessageContentEvent: () => void startOver(), onRunErrorEvent });
  await notHung("the run", run, 60_000).catch(() => {});
  assert.equal(errors[0]?.code, "SUPERSEDED");
  assert.match(errors[0]?.message ?? "", /\/t\/agent\/[0-9a-f-]{36}/);
  await notHung("the second run", agent.runAgent(), 60_000);
  assert.deepEqual(
    agent.messages.map(({ content }) => content),
    ["go", "the whole answer"],
  );
});

test("AI SDK: the chat ends with an error that names the task, and a resume reads the new attempt", async (t) => {
  const { url, startOver } = await losing(t);
  const chat = new Chat<UIMessage>({ id: "chat", transport: new DefaultChatTransport({ api: `${url}/ai/agent` }), onError: () => {} });
  let begun = false;
  chat["~registerMessagesCallback"](() => {
    if (begun || !JSON.stringify(chat.messages).includes("half")) return;
    begun = true;
    void startOver();
  });
  await notHung("the answer", chat.sendMessage({ text: "go" }), 60_000);
  assert.match(chat.error?.message ?? "", /\/t\/agent\/[0-9a-f-]{36}/);
  await notHung("the resume", chat.resumeStream(), 60_000);
  assert.equal(chat.messages.length, 2);
  assert.deepEqual(
    chat.messages[1]?.parts.flatMap((part) => (part.type === "text" ? [part.text] : [])),
    ["the whole answer"],
  );
});

test("OpenAI: the stream ends with an error that names the task", async (t) => {
  const { url, startOver } = await losing(t);
  const client = new OpenAI({ baseURL: `${url}/v1`, apiKey: "none" });
  const stream = await client.chat.completions.create({ model: "agent", messages: [{ role: "user", content: "go" }], stream: true });
  const read = async (): Promise<void> => {
    for await (const chunk of stream) if (chunk.choices[0]?.delta.content === "half") await startOver();
  };
  await notHung("the stream", assert.rejects(read(), /started over.*\/t\/agent\/[0-9a-f-]{36}/), 60_000);

  const second = await losing(t);
  const other = new OpenAI({ baseURL: `${second.url}/v1`, apiKey: "none" });
  let id = "";
  const errors: string[] = [];
  for await (const event of await other.responses.create({ model: "agent", input: "go", stream: true })) {
    if (event.type === "response.created") id = event.response.id;
    if (event.type === "response.output_text.delta") await second.startOver();
    if (event.type === "response.failed") errors.push(event.response.error?.message ?? "");
  }
  assert.match(errors.join(), /started over/);
  const text = async (): Promise<string> => (await other.responses.retrieve(id)).output_text;
  const deadline = Date.now() + 60_000;
  while ((await text()) !== "the whole answer" && Date.now() < deadline) await new Promise(setImmediate);
  assert.equal(await text(), "the whole answer");
});
