import assert from "node:assert/strict";
import { test } from "node:test";
import { Agent, tool, type StreamEvent } from "@openai/agents";
import { assistantMessage, functionCall, modelResponder, modelStream, modelStreamResponder, ScriptedModel } from "@openai/agents/testing";
import { testTurn } from "../testing/test-turn.ts";
import type { AgentEvent, Turn } from "./engine.ts";
import { openaiAgents } from "./openai-agents.ts";

const { signal } = new AbortController();
const noArguments = { type: "object" as const, properties: {}, required: [] as string[], additionalProperties: true as const };

test("each chunk of the model is one text event, in its order", async () => {
  const chunks = ["Hel", "lo", " ", "", "wor", "ld"];
  const agent = new Agent({ name: "A", model: new ScriptedModel([modelStream(textStream(chunks))]) });
  const events = await run(agent, testTurn("hi"));
  assert.deepEqual(
    events.filter(({ kind }) => kind === "text").map((event) => event.kind === "text" && event.text),
    chunks.filter((one) => one !== ""),
  );
  assert.deepEqual(events.at(-1), { kind: "usage", usage: { inputTokens: 3, outputTokens: 5, totalTokens: 8 } });
});

test("lock step: the model is asked for token n + 1 only after the consumer asked for what follows token n", async () => {
  let taken = 0;
  let made = 0;
  const ahead: number[] = [];
  async function* slow(): AsyncGenerator<StreamEvent> {
    yield { type: "response_started" };
    for (; made < 50; made += 1) {
      ahead.push(made - taken);
      yield { type: "output_text_delta", delta: `t${made} ` };
    }
    yield done("whole", 1, 1);
  }
  const agent = new Agent({ name: "A", model: new ScriptedModel([modelStream(slow())]) });
  for await (const event of openaiAgents(agent).run(testTurn("hi"), { signal })) {
    if (event.kind !== "text") continue;
    await new Promise((resolve) => setTimeout(resolve, 1)); // time in which a reader ahead would read
    taken += 1;
  }
  assert.equal(taken, 50);
  assert.deepEqual(new Set(ahead), new Set([0]));
});

test("tool calls and results are told, arguments as the model gave them", async () => {
  const clock = tool({ name: "clock", description: "", parameters: noArguments, strict: false, execute: async () => "noon" });
  const model = new ScriptedModel([[functionCall("clock", '{"zone": "UTC"}', { callId: "c1" })], [assistantMessage("It is noon.")]]);
  const events = await run(new Agent({ name: "A", model, tools: [clock] }), testTurn("time?"), { idempotentTools: ["clock"] });
  assert.deepEqual(
    events.filter(({ kind }) => kind !== "usage"),
    [
      { kind: "tool-call", call: "c1", name: "clock", arguments: '{"zone": "UTC"}', idempotent: true },
      { kind: "tool-result", call: "c1", name: "clock", output: "noon" },
      { kind: "text", text: "It is noon." },
    ],
  );
});

test("a tool does not start before its call was handed on", async () => {
  let seen = false;
  let early = false;
  const act = tool({
    name: "act",
    description: "",
    parameters: noArguments,
    strict: false,
    execute: async () => {
      early = !seen;
      return "done";
    },
  });
  const model = new ScriptedModel([[functionCall("act", "{}", { callId: "c1" })], [assistantMessage("ok")]]);
  for await (const event of openaiAgents(new Agent({ name: "A", model, tools: [act] })).run(testTurn("go"), { signal })) {
    if (event.kind !== "tool-call") continue;
    await new Promise((resolve) => setTimeout(resolve, 20));
    seen = true;
  }
  assert.equal(early, false);
});

test("a tool that throws is a failed result, and the run goes on", async () => {
  const boom = tool({
    name: "boom",
    description: "",
    parameters: noArguments,
    strict: false,
    execute: async () => {
      throw new Error("no");
    },
  });
  const model = new ScriptedModel([[functionCall("boom", "{}", { callId: "c1" })], [assistantMessage("sorry")]]);
  const events = await run(new Agent({ name: "A", model, tools: [boom] }), testTurn("go"));
  const result = events.find(({ kind }) => kind === "tool-result");
  assert.ok(result?.kind === "tool-result" && result.failed);
  assert.equal(textOf(events), "sorry");
});

test("reasoning is streamed as it comes, from chat completions and from responses", async () => {
  const events = await run(
    new Agent({
      name: "A",
      model: new ScriptedModel([
        modelStream([
          { type: "response_started" },
          { type: "model", event: { choices: [{ index: 0, delta: { reasoning_content: "think " } }] } },
          { type: "model", event: { choices: [{ index: 0, delta: { reasoning: "more " } }] } },
          { type: "model", event: { type: "response.reasoning_summary_text.delta", delta: "done" } },
          { type: "output_text_delta", delta: "yes" },
          done("yes", 1, 1),
        ]),
      ]),
    }),
    testTurn("why?"),
  );
  assert.deepEqual(
    events.flatMap((event) => (event.kind === "reasoning" ? [event.text] : [])),
    ["think ", "more ", "done"],
  );
});

test("a hand-off is told, and who takes over answers", async () => {
  const expert = new Agent({ name: "Expert", model: new ScriptedModel([[assistantMessage("42")]]) });
  const front = new Agent({ name: "Front", handoffs: [expert], model: new ScriptedModel([[functionCall("transfer_to_Expert", "{}", { callId: "h1" })]]) });
  const events = await run(front, testTurn("?"));
  assert.deepEqual(
    events.filter(({ kind }) => kind !== "usage"),
    [
      { kind: "delegation", from: "Front", to: "Expert", via: "handoff" },
      { kind: "text", text: "42" },
    ],
  );
});

test("an agent as a tool: the child's tokens come in the parent's stream, tagged by path, and so do a grandchild's", async () => {
  const grandchild = new Agent({ name: "Grandchild", model: new ScriptedModel([modelStream(textStream(["g1", "g2"]))]) });
  const child = new Agent({
    name: "Child",
    tools: [grandchild.asTool({ toolName: "ask_grandchild", toolDescription: "" })],
    model: new ScriptedModel([[functionCall("ask_grandchild", '{"input":"deeper"}', { callId: "c2" })], modelStream(textStream(["c1", "c2"]))]),
  });
  const parent = new Agent({
    name: "Parent",
    tools: [child.asTool({ toolName: "ask_child", toolDescription: "" })],
    model: new ScriptedModel([[functionCall("ask_child", '{"input":"deep"}', { callId: "c1" })], modelStream(textStream(["p1", "p2"]))]),
  });
  const events = await run(parent, testTurn("?"));
  const told = events
    .filter(({ kind }) => kind !== "usage")
    .map((event) => `${event.kind} ${label(event)} ${("path" in event && event.path?.join("/")) || ""}`.trim());
  assert.deepEqual(told, [
    "tool-call ask_child",
    "delegation Parent>Child Child",
    "tool-call ask_grandchild Child",
    "delegation Child>Grandchild Child/Grandchild",
    "text g1 Child/Grandchild",
    "text g2 Child/Grandchild",
    "tool-result g1g2 Child",
    "text c1 Child",
    "text c2 Child",
    "tool-result c1c2",
    "text p1",
    "text p2",
  ]);
});

test("an approval ends the turn; its state alone goes on, in a new engine", async () => {
  const sent: string[] = [];
  const team = (model: ScriptedModel): Agent => {
    const send = tool({
      name: "send",
      description: "",
      parameters: noArguments,
      strict: false,
      needsApproval: true,
      execute: async (input) => {
        sent.push(JSON.stringify(input));
        return "sent";
      },
    });
    return new Agent({ name: "A", model, tools: [send] });
  };
  const first = await run(team(new ScriptedModel([[functionCall("send", '{"to":"Bo"}', { callId: "c1" })]])), testTurn("send it"));
  const last = first.at(-1);
  assert.ok(last?.kind === "interrupt" && last.state);
  assert.deepEqual(last.approvals, [{ call: "c1", name: "send", arguments: '{"to":"Bo"}' }]);
  assert.deepEqual(sent, []);
  const { state } = last;

  const unread = await run(team(new ScriptedModel([])), testTurn("what?", { state }));
  assert.equal(unread.length, 1);
  assert.ok(unread[0]?.kind === "interrupt" && unread[0].state?.data === state.data);

  const approved = await run(team(new ScriptedModel([[assistantMessage("It is sent.")]])), testTurn("Approve", { state }));
  assert.deepEqual(sent, ['{"to":"Bo"}']);
  assert.deepEqual(
    approved.filter(({ kind }) => kind !== "usage"),
    [
      { kind: "tool-call", call: "c1", name: "send", arguments: '{"to":"Bo"}' },
      { kind: "tool-result", call: "c1", name: "send", output: "sent" },
      { kind: "text", text: "It is sent." },
    ],
  );

  const reject: Turn = testTurn("", {
    state,
    input: [{ messageId: "m", role: "ROLE_USER", parts: [{ data: { approvals: [{ call: "c1", approve: false, reason: "too early" }] } }] }],
  });
  const rejected = await run(team(new ScriptedModel([modelResponder(({ request }) => [assistantMessage(JSON.stringify(request.input))])])), reject);
  assert.equal(sent.length, 1);
  assert.match(textOf(rejected), /too early/);
});

test("two turns of one engine at once do not mix", async () => {
  const model = new ScriptedModel(
    [...Array(2)].map(() => modelStreamResponder(({ request }) => textStream(JSON.stringify(request.input).match(/[AB]\d/g) ?? []))),
  );
  const child = new Agent({ name: "C", model });
  const engine = openaiAgents(child);
  const [a, b] = await Promise.all(["A1 A2 A3 A4", "B1 B2 B3 B4"].map((text) => all(engine.run(testTurn(text), { signal }))));
  assert.equal(textOf(a ?? []), "A1A2A3A4");
  assert.equal(textOf(b ?? []), "B1B2B3B4");
});

test("an abort ends the turn while the model hangs, and closes the model's request", async () => {
  const abort = new AbortController();
  let closed = false;
  async function* hang(given: AbortSignal | undefined): AsyncGenerator<StreamEvent> {
    try {
      yield { type: "response_started" };
      yield { type: "output_text_delta", delta: "a" };
      await new Promise((_resolve, reject) => given?.addEventListener("abort", () => reject(given.reason as Error)));
    } finally {
      closed = true;
    }
  }
  const agent = new Agent({ name: "A", model: new ScriptedModel([modelStreamResponder(({ request }) => hang(request.signal))]) });
  const iterator = openaiAgents(agent).run(testTurn("hi"), { signal: abort.signal })[Symbol.asyncIterator]();
  await iterator.next();
  const pending = iterator.next();
  abort.abort();
  assert.equal((await pending).done, true);
  await new Promise((resolve) => setImmediate(resolve));
  assert.equal(closed, true);
});

test("leaving the loop closes the model's request", async () => {
  let aborted = false;
  async function* endless(given: AbortSignal | undefined): AsyncGenerator<StreamEvent> {
    given?.addEventListener("abort", () => (aborted = true));
    yield { type: "response_started" };
    for (let n = 0; ; n += 1) yield { type: "output_text_delta", delta: `${n}` };
  }
  const agent = new Agent({ name: "A", model: new ScriptedModel([modelStreamResponder(({ request }) => endless(request.signal))]) });
  let count = 0;
  for await (const _event of openaiAgents(agent).run(testTurn("hi"), { signal })) if ((count += 1) === 3) break;
  assert.equal(aborted, true);
});

function* textStream(chunks: readonly string[]): Generator<StreamEvent> {
  yield { type: "response_started" };
  for (const delta of chunks) yield { type: "output_text_delta", delta };
  yield done(chunks.join(""), 3, 5);
}

function done(text: string, inputTokens: number, outputTokens: number): StreamEvent {
  const usage = { requests: 1, inputTokens, outputTokens, totalTokens: inputTokens + outputTokens };
  return { type: "response_done", response: { id: "r1", usage, output: [assistantMessage(text)] } };
}

async function run(agent: Parameters<typeof openaiAgents>[0], turn: Turn, options?: Parameters<typeof openaiAgents>[1]): Promise<readonly AgentEvent[]> {
  return all(openaiAgents(agent, options).run(turn, { signal }));
}

async function all(events: AsyncIterable<AgentEvent>): Promise<readonly AgentEvent[]> {
  const list: AgentEvent[] = [];
  for await (const event of events) list.push(event);
  return list;
}

function textOf(events: readonly AgentEvent[]): string {
  return events.flatMap((event) => (event.kind === "text" ? [event.text] : [])).join("");
}

function label(event: AgentEvent): string {
  if (event.kind === "text") return event.text;
  if (event.kind === "tool-call") return event.name;
  if (event.kind === "tool-result") return event.output;
  return event.kind === "delegation" ? `${event.from}>${event.to}` : "";
}
