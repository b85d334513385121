import assert from "node:assert/strict";
import { test } from "node:test";
import { HttpAgent, type Message } from "@ag-ui/client";
import { Chat } from "@ai-sdk/react";
import { DefaultChatTransport, type UIMessage } from "ai";
import type { Turn } from "../../src/lib/engine/engine.ts";
import type { Server } from "../../src/lib/main/server.ts";
import { agentOf, rpcClient, serving } from "../support/serving.ts";
import { questioningAgent } from "./agents.ts";

/** An agent that says what it was told, and what it knows of the conversation. */
const echo = (replies: "task" | "message" = "task") =>
  agentOf(
    async function* (turn: Turn) {
      const told = turn.input.flatMap(({ parts }) => parts).map(({ text, mediaType }) => text ?? mediaType ?? "");
      const known = (await turn.history()).flatMap(({ parts }) => parts.map(({ text }) => text ?? ""));
      const text = JSON.stringify({ told, known });
      if (replies === "message") yield { kind: "reply", parts: [{ text }] };
      else yield { kind: "text", text };
    },
    { inputModes: ["*/*"], replies },
  );

interface Heard {
  readonly told: readonly string[];
  readonly known: readonly string[];
}

const textOf = (content: unknown): string => (typeof content === "string" ? content : assert.fail("no text"));

const heard = (content: unknown): Heard => JSON.parse(textOf(content)) as Heard;

const countTasks = async (server: Server): Promise<number> =>
  (await rpcClient(`${server.url}/a2a/agent`).must<{ totalSize: number }>("ListTasks", {})).totalSize;

function aguiOf(server: Server, initialMessages: Message[]): HttpAgent {
  return new HttpAgent({ url: `${server.url}/agui/agent`, threadId: "thread", initialMessages });
}

const ELSEWHERE: Message[] = [
  { id: "s", role: "system", content: "Be brief." },
  { id: "a", role: "user", content: "My name is Ada." },
  { id: "b", role: "assistant", content: "Hello Ada." },
];

const LEAD = "Instructions:\nBe brief.\n\nThe conversation so far:\nUser: My name is Ada.\nAssistant: Hello Ada.\n\nThe message to answer:";

test("AG-UI: a thread that began elsewhere comes along once, and a repeated run attaches", async (t) => {
  const server = await serving(t, [echo()]);
  const agent = aguiOf(server, [...ELSEWHERE, { id: "c", role: "user", content: "Who am I?" }]);
  await agent.runAgent();
  assert.deepEqual(heard(agent.messages.at(-1)?.content), { told: [LEAD, "Who am I?"], known: [] });
  const before = agent.messages;
  await agent.runAgent();
  assert.deepEqual(agent.messages, before);
  assert.equal(await countTasks(server), 1);
  agent.addMessage({ id: "d", role: "user", content: "And now?" });
  await agent.runAgent();
  const { told, known } = heard(agent.messages.at(-1)?.content);
  assert.deepEqual(told, ["And now?"]);
  assert.deepEqual(known.slice(0, 2), [LEAD, "Who am I?"]);
});

test("AG-UI: a thread of this server's own is not told twice, also after a reload and by the same runs side by side", async (t) => {
  const server = await serving(t, [echo()]);
  const agent = aguiOf(server, [{ id: "a", role: "user", content: "one" }]);
  await agent.runAgent();
  const reloaded = aguiOf(server, [...agent.messages, { id: "b", role: "user", content: "two" }]);
  const twin = aguiOf(server, [...agent.messages, { id: "b", role: "user", content: "two" }]);
  await Promise.all([reloaded.runAgent(), twin.runAgent()]);
  assert.deepEqual(reloaded.messages, twin.messages);
  assert.equal(await countTasks(server), 2);
  const { told, known } = heard(reloaded.messages.at(-1)?.content);
  assert.deepEqual([told, known[0], known.length], [["two"], "one", 2]);
});

test("AG-UI: a question is answered by the thread's next message where the client knows of no interrupt", async (t) => {
  const server = await serving(t, [questioningAgent()]);
  await aguiOf(server, [{ id: "a", role: "user", content: "hi" }]).runAgent();
  const again = aguiOf(server, [{ id: "a", role: "user", content: "hi" }]);
  await again.runAgent();
  assert.equal(again.pendingInterrupts.length, 1, "the very same message is no answer");
  const reloaded = aguiOf(server, [...again.messages, { id: "b", role: "user", content: "Ada" }]);
  await reloaded.runAgent();
  assert.equal(reloaded.messages.at(-1)?.content, "Hello Ada");
  assert.equal(await countTasks(server), 1);
});

test("AG-UI: tools of the frontend are not passed over in silence, state and properties of any JSON arrive", async (t) => {
  const agent = agentOf(async function* (turn) {
    yield { kind: "text", text: JSON.stringify([turn.input[0]?.parts, turn.input[0]?.metadata]) };
  });
  const server = await serving(t, [agent]);
  const run = async (state: unknown, forwardedProps: unknown, tools: { name: string; description: string; parameters: object }[]) => {
    const client = new HttpAgent({ url: `${server.url}/agui/agent`, initialMessages: [{ id: "a", role: "user", content: "go" }] });
    client.state = state;
    const warnings: unknown[] = [];
    await client.runAgent({ tools, forwardedProps }, { onCustomEvent: ({ event }) => void (event.name === "warning" && warnings.push(event.value)) });
    return { warnings, said: JSON.parse(textOf(client.messages.at(-1)?.content)) as unknown };
  };
  const tools = [{ name: "open_page", description: "Opens a page", parameters: {} }];
  const { warnings, said } = await run("a text", ["list"], tools);
  assert.deepEqual(said, [[{ data: { state: "a text" } }, { text: "go" }], { forwardedProps: ["list"] }]);
  assert.deepEqual(warnings, [
    {
      code: "TOOLS_NOT_CALLED",
      message: "The tools that the frontend defines (open_page) are not called: behind this endpoint is an agent with tools of its own.",
      tools: ["open_page"],
    },
  ]);
  assert.deepEqual(await run({}, {}, []), { warnings: [], said: [[{ text: "go" }], null] });
});

const ui = (id: string, role: "user" | "assistant" | "system", ...parts: UIMessage["parts"]): UIMessage => ({ id, role, parts });

test("AI SDK: a chat that began elsewhere, or with another agent, comes along once", async (t) => {
  const server = await serving(t, [echo()]);
  const messages = [
    ui("s", "system", { type: "text", text: "Be brief." }),
    ui("a", "user", { type: "text", text: "My name is Ada." }),
    ui("b", "assistant", { type: "step-start" }, { type: "text", text: "Hello Ada." }),
  ];
  const chat = new Chat<UIMessage>({ id: "chat", transport: new DefaultChatTransport({ api: `${server.url}/ai/agent` }), messages });
  const said = (): Heard => heard(chat.lastMessage?.parts.find((part) => part.type === "text")?.text);
  await chat.sendMessage({ text: "Who am I?" });
  assert.deepEqual(said(), { told: [LEAD, "Who am I?"], known: [] });
  await chat.sendMessage({ text: "And now?" });
  assert.deepEqual(said().told, ["And now?"]);
  assert.equal(said().known[0], LEAD);
  assert.equal(await countTasks(server), 2);
});

test("an agent that keeps no tasks hears the conversation from the frontend each time", async (t) => {
  const server = await serving(t, [echo("message")]);
  const agent = aguiOf(server, [{ id: "a", role: "user", content: "one" }]);
  await agent.runAgent();
  agent.addMessage({ id: "b", role: "user", content: "two" });
  await agent.runAgent();
  assert.match(heard(agent.messages.at(-1)?.content).told[0] ?? "", /^The conversation so far:\nUser: one\nAssistant: \{/);
});
