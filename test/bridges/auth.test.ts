import assert from "node:assert/strict";
import { test } from "node:test";
import { HttpAgent } from "@ag-ui/client";
import type { UIMessage } from "ai";
import OpenAI from "openai";
import type { Server } from "../../src/lib/main/server.ts";
import { createMemoryStore } from "../../src/lib/log/memory.ts";
import { streamKey } from "../../src/lib/model/key.ts";
import { notHung } from "../../src/lib/testing/engine-support.ts";
import { agentOf, rpcClient, serving } from "../support/serving.ts";
import { authorisingAgent, signIn } from "./agents.ts";
import { chatOf, until } from "./chat.ts";

// At AUTH_REQUIRED streams stay open (SEMANTICS 5): the user signs in elsewhere, and the answer goes on in the same stream.

const a2a = (server: Pick<Server, "url">) => rpcClient(`${server.url}/a2a/agent`);

/** The news that the user has signed in, as another program tells it. */
async function authorise(server: Pick<Server, "url">): Promise<void> {
  const { tasks } = await a2a(server).must<{ tasks: { id: string; status: { state: string } }[] }>("ListTasks", {});
  assert.equal(tasks[0]?.status.state, "TASK_STATE_AUTH_REQUIRED");
  await a2a(server).send("yes", { taskId: tasks[0]?.id ?? "" }, { returnImmediately: true });
}

const countTasks = async (server: Pick<Server, "url">): Promise<number> => (await a2a(server).must<{ totalSize: number }>("ListTasks", {})).totalSize;

/** Texts of a message, and what it says of authorisations. */
function partsOf(message: UIMessage | undefined): readonly unknown[] {
  return (message?.parts ?? []).flatMap((part) =>
    part.type === "text" ? [part.text] : part.type === "data-auth" && "data" in part ? [(part.data as { waits: boolean }).waits ? "waits" : "went on"] : [],
  );
}

const WHOLE = ["Let me see. ", "Sign in at https://id.example", "went on", "Signed in: yes"];

test("AG-UI: the run stays open with an activity, and ends with the whole answer", async (t) => {
  const server = await serving(t, [authorisingAgent()]);
  const agent = new HttpAgent({ url: `${server.url}/agui/agent`, threadId: "thread", initialMessages: [{ id: "m1", role: "user", content: "go" }] });
  const waits: unknown[] = [];
  const run = agent.runAgent(
    {},
    {
      onActivitySnapshotEvent({ event }) {
        if (event.activityType !== "auth_required") return;
        waits.push(event.content["waits"]);
        if (event.content["waits"] === true) void authorise(server);
      },
    },
  );
  await notHung("the run", run, 60_000);
  assert.deepEqual(waits, [true, false]);
  assert.deepEqual(agent.pendingInterrupts, []);
  assert.deepEqual(
    agent.messages.map((message) =>
      message.role === "activity" ? [message.activityType, message.content["message"], message.content["waits"]] : message.content,
    ),
    ["go", "Let me see. ", "Sign in at https://id.example", ["auth_required", "Sign in at https://id.example", false], "Signed in: yes"],
  );
});

test("AG-UI: a message of the thread is the news too, where the first run was left", async (t) => {
  const server = await serving(t, [authorisingAgent()]);
  const agent = new HttpAgent({ url: `${server.url}/agui/agent`, threadId: "thread", initialMessages: [{ id: "m1", role: "user", content: "go" }] });
  const onActivitySnapshotEvent = (): void => agent.abortRun();
  await notHung("the left run", agent.runAgent({}, { onActivitySnapshotEvent }), 60_000);
  agent.addMessage({ id: "m2", role: "user", content: "done" });
  await notHung("the second run", agent.runAgent(), 60_000);
  assert.equal(agent.messages.at(-1)?.content, "Signed in: done");
  assert.equal(await countTasks(server), 1);
});

test("AI SDK: the answer stays open with a data part, resumes from elsewhere meanwhile, and ends whole", async (t) => {
  const server = await serving(t, [authorisingAgent()]);
  const chat = chatOf(server.url);
  const sending = chat.sendMessage({ text: "go" });
  await until(chat, () => partsOf(chat.messages[1]).includes("waits"));
  const reloaded = chatOf(server.url, { messages: structuredClone(chat.messages) });
  const resuming = reloaded.resumeStream();
  await until(reloaded, () => reloaded.status === "streaming");
  await authorise(server);
  await notHung("the answer", Promise.all([sending, resuming]), 60_000);
  assert.deepEqual(partsOf(chat.messages[1]), WHOLE);
  assert.deepEqual(reloaded.messages, chat.messages);
  const later = chatOf(server.url, { messages: chat.messages.slice(0, 1) });
  await later.resumeStream();
  assert.deepEqual(later.messages, chat.messages);
});

test("AI SDK: after stop() a message of the chat is the news, and its answer a message of its own", async (t) => {
  const server = await serving(t, [authorisingAgent()]);
  const chat = chatOf(server.url);
  const sending = chat.sendMessage({ text: "go" });
  await until(chat, () => partsOf(chat.messages[1]).includes("waits"));
  await chat.stop();
  await sending;
  await chat.sendMessage({ text: "done" });
  assert.equal(chat.messages.length, 4);
  assert.deepEqual(partsOf(chat.lastMessage), ["Signed in: done"]);
  assert.equal(await countTasks(server), 1);
  const resumed = chatOf(server.url, { messages: chat.messages.slice(0, 3) });
  await resumed.resumeStream();
  assert.deepEqual(partsOf(resumed.lastMessage), ["Signed in: done"]);
});

test("OpenAI: streams stay open and go on", async (t) => {
  const server = await serving(t, [authorisingAgent()]);
  const client = new OpenAI({ baseURL: `${server.url}/v1`, apiKey: "none" });
  const completion = async (): Promise<string> => {
    let text = "";
    for await (const chunk of await client.chat.completions.create({ model: "agent", messages: [{ role: "user", content: "go" }], stream: true })) {
      const delta = chunk.choices[0]?.delta.content ?? "";
      text += delta;
      if (delta.startsWith("Sign in")) await authorise(server);
    }
    return text;
  };
  assert.equal(await notHung("the completion", completion(), 60_000), "Let me see. Sign in at https://id.exampleSigned in: yes");
  const response = async (): Promise<readonly string[]> => {
    const told: string[] = [];
    for await (const event of await client.responses.create({ model: "agent", input: "go", stream: true })) {
      if (event.type === "response.output_text.done") told.push(event.text);
      if (event.type === "response.output_text.done" && event.text.startsWith("Sign in")) await authorise(server);
      if (event.type === "response.completed") told.push(event.response.status ?? "");
    }
    return told;
  };
  assert.deepEqual(await notHung("the response", response(), 60_000), ["Let me see. ", "Sign in at https://id.example", "Signed in: yes", "completed"]);
});

test("OpenAI: who waits for a whole answer is told what to do, and goes on with it", async (t) => {
  const server = await serving(t, [authorisingAgent()]);
  const client = new OpenAI({ baseURL: `${server.url}/v1`, apiKey: "none" });
  const messages = [{ role: "user" as const, content: "go" }];
  const completion = await notHung("the completion", client.chat.completions.create({ model: "agent", messages }), 60_000);
  assert.equal(completion.choices[0]?.message.content, "Let me see. Sign in at https://id.example");
  const first = await notHung("the response", client.responses.create({ model: "agent", input: "go" }), 60_000);
  assert.deepEqual([first.status, first.output_text], ["in_progress", "Let me see. Sign in at https://id.example"]);
  const second = await client.responses.create({ model: "agent", input: "done", previous_response_id: first.id });
  assert.deepEqual([second.status, second.output_text], ["completed", "Signed in: done"]);
  const whole = await client.responses.retrieve(first.id);
  assert.deepEqual([whole.status, whole.output_text], ["completed", "Let me see. Sign in at https://id.exampleSigned in: done"]);
});

test("an attempt that is started over after the wait voids itself alone, and who comes later is spared it", async (t) => {
  let now = 1_000_000;
  const store = createMemoryStore({ now: () => now });
  const agent = agentOf(
    async function* (turn, signal) {
      if (turn.state === undefined || turn.attempt > 1) return yield* signIn(turn);
      yield { kind: "text", text: "half" };
      await new Promise((resolve) => signal.addEventListener("abort", resolve));
    },
    { onCrash: "restart" },
  );
  const server = await serving(t, [agent], { store });
  const chat = chatOf(server.url, { onError: () => {} });
  const sending = chat.sendMessage({ text: "go" });
  await until(chat, () => partsOf(chat.messages[1]).includes("waits"));
  await authorise(server);
  await until(chat, () => partsOf(chat.messages[1]).includes("half"));
  const [row] = (await store.index.list({ limit: 1 })).tasks;
  const key = row?.key ?? assert.fail("no task");
  await store.log.open(streamKey(key, key.agent, key.task), { owner: "thief", expect: row?.epoch ?? 0 });
  now += 6000;
  await serving(t, [agent], { store });
  await notHung("the answer", sending, 60_000);
  assert.match(chat.error?.message ?? "", /started over/);
  await notHung("the resume", chat.resumeStream(), 60_000);
  assert.deepEqual(partsOf(chat.messages[1]), WHOLE);
  const { tasks } = await a2a(server).must<{ tasks: { id: string }[] }>("ListTasks", {});
  const response = await new OpenAI({ baseURL: `${server.url}/v1`, apiKey: "none" }).responses.retrieve(`resp_${tasks[0]?.id ?? ""}`);
  assert.equal(response.output_text, "Let me see. Sign in at https://id.exampleSigned in: yes");
});
