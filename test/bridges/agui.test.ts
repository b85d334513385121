import assert from "node:assert/strict";
import { test } from "node:test";
import { HttpAgent, type BaseEvent } from "@ag-ui/client";
import { notHung } from "../../src/lib/testing/engine-support.ts";
import type { Server } from "../../src/lib/main/server.ts";
import { startCuttingProxy } from "../support/cutting-proxy.ts";
import { lockStep } from "../support/lock-step.ts";
import { agentOf, rpcClient, serving } from "../support/serving.ts";
import { askingAgent, questioningAgent, showingAgent } from "./agents.ts";

function agentAt(url: string, text = "go"): HttpAgent {
  return new HttpAgent({ url: `${url}/agui/agent`, threadId: "thread", initialMessages: [{ id: "m1", role: "user", content: text }] });
}

const tasksOf = async (server: Server): Promise<{ totalSize: number; tasks: { status: { state: string } }[] }> =>
  rpcClient(`${server.url}/a2a/agent`).must("ListTasks", {});

test("the AG-UI client gets each token as the model makes it", async (t) => {
  const step = lockStep(40);
  const server = await serving(t, [agentOf(() => step.run())]);
  const agent = new HttpAgent({ url: `${server.url}/agui/agent`, threadId: "thread", initialMessages: [{ id: "m1", role: "user", content: "go" }] });
  const deltas: string[] = [];
  const events: BaseEvent[] = [];
  const run = agent.runAgent(
    {},
    {
      onEvent: ({ event }) => void events.push(event),
      onTextMessageContentEvent({ event }) {
        deltas.push(event.delta);
        step.see();
      },
    },
  );
  const { newMessages } = await notHung("the run", run, 60_000);
  assert.deepEqual(deltas, step.tokens);
  assert.deepEqual(
    newMessages.map(({ role, content }) => ({ role, content })),
    [{ role: "assistant", content: step.tokens.join("") }],
  );
  assert.equal(events[0]?.type, "RUN_STARTED");
  assert.equal(events.at(-1)?.type, "RUN_FINISHED");
});

test("reasoning, tools, child agents, files, data, notes and usage are events that the client verifies", async (t) => {
  const server = await serving(t, [showingAgent()]);
  const agent = agentAt(server.url);
  const events: BaseEvent[] = [];
  await agent.runAgent({}, { onEvent: ({ event }) => void events.push(event) });
  const types = new Set<string>(events.map(({ type }) => type));
  for (const type of ["STEP_STARTED", "STEP_FINISHED", "SUBAGENT_STARTED", "SUBAGENT_FINISHED", "REASONING_START", "CUSTOM"]) assert.ok(types.has(type), type);
  const finished = events.at(-1);
  assert.deepEqual(finished?.["usage"], [{ model: "m", inputTokens: 4, outputTokens: 5, totalTokens: 9 }]);
  const told = agent.messages.slice(1).map((message) => {
    if (message.role === "activity") return [message.activityType, message.content];
    if (message.role === "assistant" && message.toolCalls !== undefined) return message.toolCalls.map(({ function: call }) => [call.name, call.arguments]);
    return [message.role, message.content];
  });
  assert.deepEqual(told, [
    ["reasoning", "I think so."],
    ["status", { text: "Looking it up" }],
    // The client puts a result behind its call.
    [["lookup", '{"q":"x"}']],
    ["tool", '{"found":1}'],
    [["ask", "{}"]],
    ["tool", "no"],
    ["assistant", "child says"],
    [["dig", '{"deep":true}']],
    ["tool", "dug"],
    ["assistant", "It is so."],
    ["file", { url: "data:image/png;base64,aGk=", mediaType: "image/png", filename: "a.png" }],
    ["data", { value: { one: 1 } }],
  ]);
});

for (const approved of [true, false]) {
  test(`a tool call that waits is an interrupt, resumed with ${approved ? "yes" : "no"}`, async (t) => {
    const server = await serving(t, [askingAgent()]);
    const agent = agentAt(server.url, "pay");
    await agent.runAgent();
    const [interrupt, ...others] = agent.pendingInterrupts;
    assert.deepEqual(others, []);
    assert.equal(interrupt?.reason, "tool_approval");
    const calls = agent.messages.flatMap((message) => (message.role === "assistant" ? (message.toolCalls ?? []) : []));
    assert.deepEqual(
      calls.map(({ id }) => id),
      [interrupt?.toolCallId],
    );
    assert.deepEqual(interrupt?.metadata, { name: "pay", arguments: '{"sum":5}' });
    const resume = [
      { interruptId: interrupt?.id ?? "", status: approved ? ("resolved" as const) : ("cancelled" as const), payload: { approved, reason: "because" } },
    ];
    await agent.runAgent({ resume });
    assert.deepEqual(agent.pendingInterrupts, []);
    const said = { approvals: [{ call: "pay-1", approve: approved, reason: "because" }] };
    assert.equal(agent.messages.at(-1)?.content, `answered ${JSON.stringify(said)}`);
    assert.equal((await tasksOf(server)).totalSize, 1);
    // The same answer again, as after a cut, attaches to the turn that the first began.
    const before = agent.messages;
    agent.pendingInterrupts = interrupt === undefined ? [] : [interrupt];
    await agent.runAgent({ resume });
    assert.deepEqual(agent.messages, before);
    assert.equal((await tasksOf(server)).totalSize, 1);
  });
}

test("two tasks of a thread may name their calls alike", async (t) => {
  const server = await serving(t, [showingAgent()]);
  const agent = agentAt(server.url);
  await agent.runAgent();
  agent.addMessage({ id: "m2", role: "user", content: "again" });
  await agent.runAgent();
  const calls = agent.messages.flatMap((message) => (message.role === "assistant" ? (message.toolCalls ?? []) : []));
  assert.deepEqual(
    calls.map(({ function: call }) => call.arguments),
    ['{"q":"x"}', "{}", '{"deep":true}', '{"q":"x"}', "{}", '{"deep":true}'],
  );
  const before = agent.messages;
  await agent.runAgent();
  // Activities stay where they were: the client keeps them to itself, and does not say that it has them.
  const isActivity = ({ role }: { role: string }): boolean => role === "activity";
  assert.deepEqual(
    agent.messages.filter((message) => !isActivity(message)),
    before.filter((message) => !isActivity(message)),
  );
  assert.deepEqual(agent.messages.filter(isActivity), before.filter(isActivity));
});

test("a question is an interrupt: its answer goes on, its refusal cancels the task", async (t) => {
  const server = await serving(t, [questioningAgent()]);
  const agent = agentAt(server.url);
  await agent.runAgent();
  assert.equal(agent.messages.at(-1)?.content, "Who are you?");
  await agent.runAgent({ resume: [{ interruptId: agent.pendingInterrupts[0]?.id ?? "", status: "resolved", payload: { text: "Ada" } }] });
  assert.equal(agent.messages.at(-1)?.content, "Hello Ada");
  agent.addMessage({ id: "m2", role: "user", content: "again" });
  await agent.runAgent();
  const outcomes: unknown[] = [];
  const resume = [{ interruptId: agent.pendingInterrupts[0]?.id ?? "", status: "cancelled" as const }];
  await agent.runAgent({ resume }, { onRunFinishedEvent: ({ outcome }) => void outcomes.push(outcome) });
  assert.deepEqual(outcomes, ["cancelled"]);
  assert.deepEqual(
    (await tasksOf(server)).tasks.map(({ status }) => status.state),
    ["TASK_STATE_CANCELED", "TASK_STATE_COMPLETED"],
  );
});

test("a run that is cut goes on, and the same run again attaches: nothing missing, nothing doubled", async (t) => {
  const step = lockStep(300);
  const server = await serving(t, [
    agentOf(
      async function* () {
        yield { kind: "reasoning", text: "thinking" };
        yield* step.run();
      },
      { expose: { reasoning: true, toolArguments: false } },
    ),
  ]);
  await using proxy = await startCuttingProxy((connection) => (connection === 0 ? 6000 : undefined));
  proxy.target = server.port;
  const agent = agentAt(`http://127.0.0.1:${proxy.port}`);
  agent.fetch = aborting;
  let length = 0;
  const onMessagesChanged = (): void => {
    const now = agent.messages.findLast(({ role }) => role === "assistant")?.content?.length ?? 0;
    if (now > length) {
      length = now;
      step.see();
    }
  };
  const errors: unknown[] = [];
  await notHung("the first run", agent.runAgent({}, { onMessagesChanged, onRunErrorEvent: ({ event }) => void errors.push(event.code) }), 60_000);
  assert.deepEqual(errors, ["abort"]);
  assert.ok(length > 0 && length < step.tokens.join("").length);
  await notHung("the second run", agent.runAgent({}, { onMessagesChanged }), 60_000);
  assert.equal(proxy.cuts, 1);
  assert.deepEqual(
    agent.messages.map(({ role, content }) => [role, content]),
    [
      ["user", "go"],
      ["reasoning", "thinking"],
      ["assistant", step.tokens.join("")],
    ],
  );
  assert.equal((await tasksOf(server)).totalSize, 1);
});

/** As `fetch`, but a cut is an abort: the client leaves any other error of a body as an unhandled rejection as well. */
async function aborting(url: string, init: RequestInit): Promise<Response> {
  const response = await fetch(url, init);
  const reader = response.body?.getReader();
  const body = new ReadableStream<Uint8Array>({
    async pull(controller) {
      try {
        const read = await reader?.read();
        if (read?.value === undefined) controller.close();
        else controller.enqueue(read.value);
      } catch {
        controller.error(new DOMException("cut", "AbortError"));
      }
    },
  });
  return new Response(body, { headers: response.headers });
}

function answerOf(agent: HttpAgent): string {
  const content = agent.messages.at(-1)?.content;
  return typeof content === "string" ? content : assert.fail("no text");
}

test("what a frontend attaches, shows and knows gets to the agent", async (t) => {
  const server = await serving(t, [
    agentOf(
      async function* (turn) {
        yield { kind: "text", text: JSON.stringify([turn.context, turn.input[0]?.parts, turn.input[0]?.metadata]) };
      },
      { inputModes: ["*/*"] },
    ),
  ]);
  const agent = new HttpAgent({ url: `${server.url}/agui/agent`, threadId: "thread", initialState: { page: 3 } });
  agent.addMessage({
    id: "m1",
    role: "user",
    content: [
      { type: "text", text: "see" },
      { type: "image", source: { type: "data", value: "aGk=", mimeType: "image/png" } },
    ],
  });
  await agent.runAgent({ context: [{ description: "open file", value: "a.ts" }], forwardedProps: { a: 1 } });
  assert.deepEqual(JSON.parse(answerOf(agent)), [
    "thread",
    [{ data: { context: [{ description: "open file", value: "a.ts" }], state: { page: 3 } } }, { text: "see" }, { raw: "aGk=", mediaType: "image/png" }],
    { forwardedProps: { a: 1 } },
  ]);
});

test("a failed turn is RUN_ERROR, and what is no run is refused with what is right", async (t) => {
  const server = await serving(t, [
    agentOf(async function* () {
      yield { kind: "text", text: "so far" };
      yield { kind: "end", outcome: "failed", message: [{ text: "It broke." }] };
    }),
  ]);
  const agent = agentAt(server.url);
  const errors: string[] = [];
  await agent.runAgent({}, { onRunErrorEvent: ({ event }) => void errors.push(event.message) });
  assert.deepEqual(errors, ["It broke."]);
  const post = async (path: string, body: unknown): Promise<unknown[]> => {
    const answer = await fetch(`${server.url}${path}`, { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body) });
    const { error } = (await answer.json()) as { error: { code: string; message: string } };
    return [answer.status, error.code, error.message];
  };
  const run = { threadId: "t", runId: "r", messages: [], tools: [], context: [] };
  assert.deepEqual(await post("/agui/nobody", run), [404, "not-found", 'There is no agent "nobody" here; there are agent.']);
  assert.deepEqual(await post("/agui/agent", run), [400, "invalid-params", "messages must hold a message of the role user: it is what the agent answers."]);
  assert.equal((await post("/agui/agent", { ...run, threadId: 1 }))[0], 400);
  assert.equal((await fetch(`${server.url}/agui/agent`)).status, 405);
});
