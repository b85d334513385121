import assert from "node:assert/strict";
import { test, type TestContext } from "node:test";
import { lastAssistantMessageIsCompleteWithApprovalResponses } from "ai";
import type { Server } from "../../src/lib/main/server.ts";
import { notHung } from "../../src/lib/testing/engine-support.ts";
import { startCuttingProxy } from "../support/cutting-proxy.ts";
import { lockStep } from "../support/lock-step.ts";
import { agentOf, rpcClient, serving } from "../support/serving.ts";
import { askingAgent, questioningAgent, showingAgent } from "./agents.ts";
import { chatOf, textOf, until } from "./chat.ts";

// The real chat of the AI SDK, the one that `useChat` holds; the hook itself runs in ai.integration.test.ts.

const tasksOf = async (server: Server): Promise<number> => (await rpcClient(`${server.url}/a2a/agent`).must<{ totalSize: number }>("ListTasks", {})).totalSize;

test("the AI SDK's chat gets each token as the model makes it", async (t) => {
  const step = lockStep(40);
  const server = await serving(t, [agentOf(() => step.run())]);
  const chat = chatOf(server.url);
  let seen = "";
  chat["~registerMessagesCallback"](() => {
    const text = textOf(chat.lastMessage?.role === "assistant" ? chat.lastMessage : undefined);
    if (text.length > seen.length) step.see();
    seen = text;
  });
  await notHung("the answer", chat.sendMessage({ text: "go" }), 60_000);
  assert.equal(seen, step.tokens.join(""));
  assert.equal(chat.status, "ready");
});

for (const bytes of [900, 2000, 5000]) {
  test(`a chat that is cut after ${bytes} bytes resumes with nothing missing and nothing doubled`, async (t) => {
    const step = lockStep(300);
    const server = await serving(t, [agentOf(() => step.run())]);
    await using proxy = await startCuttingProxy((connection) => (connection === 0 ? bytes : undefined));
    proxy.target = server.port;
    const chat = chatOf(`http://127.0.0.1:${proxy.port}`, { onError: () => {} });
    let length = 0;
    chat["~registerMessagesCallback"](() => {
      const now = textOf(chat.messages[1]).length;
      if (now > length) {
        length = now;
        step.see();
      }
    });
    await notHung("the first part", chat.sendMessage({ text: "go" }), 60_000);
    assert.equal(chat.status, "error");
    const before = textOf(chat.messages[1]);
    assert.ok(before.length < step.tokens.join("").length, "it was cut before its end");
    await notHung("the rest", chat.resumeStream(), 60_000);
    assert.equal(proxy.cuts, 1);
    assert.equal(chat.messages.length, 2);
    assert.equal(textOf(chat.messages[1]), step.tokens.join(""));
    assert.equal(chat.status, "ready");
    assert.equal(await tasksOf(server), 1);
  });
}

test("a resume after the end still brings the rest; a chat without a task has nothing to resume", async (t) => {
  const server = await serving(t, [showingAgent()]);
  const empty = chatOf(server.url, { id: "nobody" });
  await empty.resumeStream();
  assert.deepEqual(empty.messages, []);
  const chat = chatOf(server.url);
  await chat.sendMessage({ text: "go" });
  const other = chatOf(server.url, { messages: chat.messages.slice(0, 1) });
  await other.resumeStream();
  assert.deepEqual(other.messages, chat.messages);
  await chat.resumeStream();
  assert.deepEqual(chat.messages, other.messages);
});

test("reasoning, tools, child agents, files, data and usage are parts of the message", async (t) => {
  const server = await serving(t, [showingAgent()]);
  const passing: string[] = [];
  const chat = chatOf(server.url, { onData: (part) => void passing.push(part.type) });
  await chat.sendMessage({ text: "go" });
  assert.equal(chat.error, undefined);
  const told = chat.messages[1]?.parts.map((part) => {
    if (part.type === "text" || part.type === "reasoning") return [part.type, part.text];
    if (part.type === "dynamic-tool") return [part.toolName, part.state, part.input, part.output ?? part.errorText];
    if (part.type === "file") return [part.type, part.url];
    return "data" in part ? [part.type, part.data] : part.type;
  });
  assert.deepEqual(told, [
    "step-start",
    ["reasoning", "I think so."],
    ["data-status", { text: "Looking it up" }],
    ["lookup", "output-available", { q: "x" }, { found: 1 }],
    ["ask", "output-error", {}, "no"],
    ["data-agent", { name: "helper", state: "done" }],
    ["dig", "output-available", { deep: true }, "dug"],
    ["text", "It is so."],
    ["file", "data:image/png;base64,aGk="],
    ["data-json", { one: 1 }],
  ]);
  assert.ok(passing.includes("data-agent-text"));
  const metadata = chat.messages[1]?.metadata as { usage: { totalTokens: number }; task: string };
  assert.equal(metadata.usage.totalTokens, 9);
  assert.equal(metadata.task, chat.messages[1]?.id);
});

for (const approved of [true, false]) {
  test(`a tool call that waits is answered with ${approved ? "yes" : "no"}, and the answer goes on in the same message`, async (t) => {
    const server = await serving(t, [askingAgent()]);
    const chat = chatOf(server.url, { sendAutomaticallyWhen: lastAssistantMessageIsCompleteWithApprovalResponses });
    await chat.sendMessage({ text: "pay" });
    const part = chat.messages[1]?.parts.find(({ type }) => type === "dynamic-tool");
    assert.ok(part?.type === "dynamic-tool" && part.state === "approval-requested");
    assert.deepEqual(part.input, { sum: 5 });
    await chat.addToolApprovalResponse({ id: part.approval.id, approved, reason: "because" });
    await until(chat, () => chat.status === "ready" && textOf(chat.messages[1]).includes("answered"));
    const said = { approvals: [{ call: "pay-1", approve: approved, reason: "because" }] };
    assert.equal(textOf(chat.messages[1]), `May I? answered ${JSON.stringify(said)}`);
    assert.equal(chat.messages.length, 2);
    assert.equal(await tasksOf(server), 1);
    const other = chatOf(server.url, { messages: chat.messages.slice(0, 1) });
    await other.resumeStream();
    assert.equal(textOf(other.messages[1]), textOf(chat.messages[1]));
  });
}

test("a question of the agent is answered by the next message, in the same task", async (t) => {
  const server = await serving(t, [questioningAgent()]);
  const chat = chatOf(server.url);
  await chat.sendMessage({ text: "hi" });
  assert.equal(textOf(chat.lastMessage), "Who are you?");
  await chat.sendMessage({ text: "Ada" });
  assert.equal(textOf(chat.lastMessage), "Hello Ada");
  assert.equal(chat.messages.length, 4);
  assert.equal(await tasksOf(server), 1);
});

test("the same request twice is one task; an edited message and a regeneration are others", async (t) => {
  const server = await serving(t, [
    agentOf(async function* (turn) {
      yield { kind: "text", text: `heard ${turn.input[0]?.parts[0]?.text ?? ""}` };
    }),
  ]);
  const body = { id: "chat", trigger: "submit-message", messages: [{ id: "m1", role: "user", parts: [{ type: "text", text: "hi" }] }] };
  const post = async (): Promise<string> => {
    const answer = await fetch(`${server.url}/ai/agent`, { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body) });
    assert.equal(answer.headers.get("x-vercel-ai-ui-message-stream"), "v1");
    return answer.text();
  };
  assert.equal(await post(), await post());
  assert.equal(await tasksOf(server), 1);
  const chat = chatOf(server.url);
  await chat.sendMessage({ text: "one" });
  await chat.sendMessage({ text: "two", messageId: chat.messages[0]?.id ?? "" });
  assert.equal(textOf(chat.lastMessage), "heard two");
  await chat.regenerate();
  assert.equal(textOf(chat.lastMessage), "heard two");
  assert.equal(await tasksOf(server), 4);
});

test("stop leaves the turn running, DELETE cancels it, and a failure is the chat's error", async (t) => {
  const server = await serving(t, [endless(t)]);
  const chat = chatOf(server.url);
  const sending = chat.sendMessage({ text: "go" });
  await until(chat, () => textOf(chat.messages[1]).length > 0);
  await chat.stop();
  await sending;
  const states = async (): Promise<readonly string[]> => {
    const listed = await rpcClient(`${server.url}/a2a/agent`).must<{ tasks: { status: { state: string } }[] }>("ListTasks", {});
    return listed.tasks.map(({ status }) => status.state);
  };
  assert.deepEqual(await states(), ["TASK_STATE_WORKING"]);
  const gone = await fetch(`${server.url}/ai/agent/chat/stream`, { method: "DELETE" });
  assert.equal(gone.status, 204);
  assert.deepEqual(await states(), ["TASK_STATE_CANCELED"]);
  const failing = await serving(t, [
    agentOf(async function* () {
      yield { kind: "text", text: "so far" };
      yield { kind: "end", outcome: "failed", message: [{ text: "It broke." }] };
    }),
  ]);
  const broken = chatOf(failing.url, { onError: () => {} });
  await broken.sendMessage({ text: "go" });
  assert.equal(broken.status, "error");
  assert.equal(broken.error?.message, "It broke.");
  assert.equal(textOf(broken.messages[1]), "so far");
});

function endless(t: TestContext): ReturnType<typeof agentOf> {
  const over = Promise.withResolvers<void>();
  t.after(() => over.resolve());
  return agentOf(async function* (_turn, signal) {
    yield { kind: "text", text: "one" };
    signal.addEventListener("abort", () => over.resolve());
    await over.promise;
  });
}
