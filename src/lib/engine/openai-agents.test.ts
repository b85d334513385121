import assert from "node:assert/strict";
import { test } from "node:test";
import { Agent, tool, type StreamEvent } from "@openai/agents";
import { assistantMessage, functionCall, modelStream, modelStreamResponder, ScriptedModel } from "@openai/agents/testing";
import { testTurn } from "../testing/test-turn.ts";
import { openaiAgents } from "./openai-agents.ts";
import { signal, noArguments, textStream, done, run, all, textOf, label } from "../../../test/support/agents-sdk.ts";

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
    for (let n = 0; n < 2000; n += 1) yield { type: "output_text_delta", delta: `${n}` };
  }
  const agent = new Agent({ name: "A", model: new ScriptedModel([modelStreamResponder(({ request }) => endless(request.signal))]) });
  let count = 0;
  for await (const _event of openaiAgents(agent).run(testTurn("hi"), { signal })) if ((count += 1) === 3) break;
  assert.equal(aborted, true);
});

test("lock step holds for models by name, for a child's own model, and for one that a team shares", async () => {
  const counted = (): { readonly model: ScriptedModel; readonly asked: () => number } => {
    let asked = 0;
    function* words(): Generator<StreamEvent> {
      yield { type: "response_started" };
      for (; asked < 30; asked += 1) yield { type: "output_text_delta", delta: `t${asked} ` };
      yield done("whole", 1, 1);
    }
    return { model: new ScriptedModel([modelStreamResponder(() => words()), [assistantMessage("end")]]), asked: () => asked };
  };
  const child = (model?: ScriptedModel): Agent => new Agent({ name: "Child", ...(model !== undefined && { model }) });
  const parent = (of: Agent): Agent =>
    new Agent({
      name: "Parent",
      model: new ScriptedModel([[functionCall("ask", '{"input":"x"}', { callId: "c1" })], [assistantMessage("end")]]),
      tools: [of.asTool({ toolName: "ask", toolDescription: "" })],
    });
  const byName = counted();
  const own = counted();
  const named = counted();
  const ownChild = child(own.model);
  const provider = (model: ScriptedModel) => ({ getModel: () => model });
  const cases = [
    { asked: byName.asked, engine: openaiAgents(child(), { model: "any", modelProvider: provider(byName.model) }) },
    { asked: own.asked, engine: openaiAgents(parent(ownChild), { children: [ownChild] }) },
    { asked: named.asked, engine: openaiAgents(parent(child()), { model: "any", modelProvider: provider(named.model) }) },
  ];
  for (const { asked, engine } of cases) {
    let taken = 0;
    for await (const event of engine.run(testTurn("go"), { signal })) {
      if (event.kind !== "text" || !event.text.startsWith("t")) continue;
      await new Promise((resolve) => setTimeout(resolve, 1));
      assert.equal(asked(), taken);
      taken += 1;
    }
    assert.equal(taken, 30);
  }
});

test("a child's own model that was not named in `children` is met at its first event, and loses nothing", async () => {
  const child = new Agent({ name: "Child", model: new ScriptedModel([modelStream(textStream(Array.from({ length: 3000 }, (_, n) => `${n} `)))]) });
  const model = new ScriptedModel([[functionCall("ask", '{"input":"x"}', { callId: "c1" })], [assistantMessage("end")]]);
  const events = await run(new Agent({ name: "Parent", model, tools: [child.asTool({ toolName: "ask", toolDescription: "" })] }), testTurn("go"));
  assert.equal(events.filter((event) => event.kind === "text" && event.path?.length === 1).length, 3000);
});

test("a child that runs further ahead than maxEventsAhead fails the turn with a sentence that names the option to set", async () => {
  const child = new Agent({ name: "Child", model: new ScriptedModel([modelStream(textStream(Array.from({ length: 300 }, (_, n) => `${n} `)))]) });
  const model = new ScriptedModel([[functionCall("ask", '{"input":"x"}', { callId: "c1" })], [assistantMessage("end")]]);
  const agent = new Agent({ name: "Parent", model, tools: [child.asTool({ toolName: "ask", toolDescription: "" })] });
  const slow = async (): Promise<void> => {
    for await (const _event of openaiAgents(agent, { maxEventsAhead: 100 }).run(testTurn("go"), { signal }))
      await new Promise((resolve) => setTimeout(resolve, 5));
  };
  await assert.rejects(slow(), { code: "limit-reached", reason: "ENGINE_AHEAD", message: /maxEventsAhead.*`children`/ });
});

test("an agent as a tool is idempotent by itself; its calls may have the ids of its parent's", async () => {
  const look = tool({ name: "look", description: "", parameters: noArguments, strict: false, execute: async () => "seen" });
  const child = new Agent({
    name: "Child",
    tools: [look],
    model: new ScriptedModel([[functionCall("look", "{}", { callId: "call_0" })], [assistantMessage("inner")]]),
  });
  const model = new ScriptedModel([[functionCall("ask", '{"input":"x"}', { callId: "call_0" })], [assistantMessage("outer")]]);
  const events = await run(new Agent({ name: "Parent", model, tools: [child.asTool({ toolName: "ask", toolDescription: "" })] }), testTurn("go"));
  assert.deepEqual(
    events.filter(({ kind }) => kind !== "usage"),
    [
      { kind: "tool-call", call: "call_0", name: "ask", arguments: '{"input":"x"}', idempotent: true },
      { kind: "delegation", from: "Parent", to: "Child", via: "tool", path: ["Child"] },
      { kind: "tool-call", call: "call_0", name: "look", arguments: "{}", path: ["Child"] },
      { kind: "tool-result", call: "call_0", name: "look", output: "seen", path: ["Child"] },
      { kind: "text", text: "inner", path: ["Child"] },
      { kind: "tool-result", call: "call_0", name: "ask", output: "inner" },
      { kind: "text", text: "outer" },
    ],
  );
});

test("a hosted tool that made an image: the image is an artifact", async () => {
  const image = {
    type: "hosted_tool_call" as const,
    id: "ig1",
    name: "image_generation_call",
    status: "completed",
    output: "aW1n",
    providerData: { output_format: "webp" },
  };
  const events = await run(new Agent({ name: "A", model: new ScriptedModel([[image, assistantMessage("Here.")]]) }), testTurn("draw"));
  assert.deepEqual(
    events.filter(({ kind }) => kind !== "usage" && kind !== "text"),
    [
      { kind: "tool-call", call: "ig1", name: "image_generation_call", arguments: "{}", idempotent: true },
      { kind: "artifact", artifact: { artifactId: "image-ig1", parts: [{ raw: "aW1n", mediaType: "image/webp" }] }, lastChunk: true },
      { kind: "tool-result", call: "ig1", name: "image_generation_call", output: "artifact image-ig1" },
    ],
  );
});
