import assert from "node:assert/strict";
import { test } from "node:test";
import OpenAI from "openai";
import type { ResponseStreamEvent } from "openai/resources/responses/responses";
import { notHung } from "../../src/lib/testing/engine-support.ts";
import type { Turn } from "../../src/lib/engine/engine.ts";
import { lockStep } from "../support/lock-step.ts";
import { agentOf, rpcClient, serving } from "../support/serving.ts";
import { askingAgent, questioningAgent, showingAgent } from "./agents.ts";

const clientOf = (url: string): OpenAI => new OpenAI({ baseURL: `${url}/v1`, apiKey: "none" });

/** An agent that says what it was told, and what came before. */
const echo = () =>
  agentOf(
    async function* (turn: Turn) {
      const earlier = (await turn.history()).flatMap(({ parts }) => parts.map(({ text }) => text ?? ""));
      const parts = turn.input.flatMap((message) => message.parts).map(({ text, mediaType, filename }) => text ?? `${mediaType} ${filename ?? ""}`);
      yield { kind: "text", text: JSON.stringify({ parts, earlier }) };
      yield { kind: "usage", usage: { inputTokens: 3, outputTokens: 4, totalTokens: 7 } };
    },
    { inputModes: ["*/*"] },
  );

test("chat completions stream each token as the model makes it", async (t) => {
  const step = lockStep(40);
  const server = await serving(t, [agentOf(() => step.run())]);
  const read = async (): Promise<string[]> => {
    const deltas: string[] = [];
    for await (const chunk of await clientOf(server.url).chat.completions.create({
      model: "agent",
      messages: [{ role: "user", content: "go" }],
      stream: true,
    })) {
      const delta = chunk.choices[0]?.delta.content ?? "";
      if (delta === "") continue;
      deltas.push(delta);
      step.see();
    }
    return deltas;
  };
  assert.deepEqual(await notHung("the stream", read(), 60_000), step.tokens);
});

test("responses stream each token as the model makes it", async (t) => {
  const step = lockStep(40);
  const server = await serving(t, [agentOf(() => step.run())]);
  const read = async (): Promise<string[]> => {
    const deltas: string[] = [];
    for await (const event of await clientOf(server.url).responses.create({ model: "agent", input: "go", stream: true })) {
      if (event.type !== "response.output_text.delta") continue;
      deltas.push(event.delta);
      step.see();
    }
    return deltas;
  };
  assert.deepEqual(await notHung("the stream", read(), 60_000), step.tokens);
});

test("a chat completion brings its conversation along, files too, and tells its usage", async (t) => {
  const server = await serving(t, [echo()]);
  const client = clientOf(server.url);
  const answer = await client.chat.completions.create({
    model: "agent",
    messages: [
      { role: "system", content: "Be brief." },
      { role: "user", content: "one" },
      { role: "assistant", content: "1" },
      {
        role: "user",
        content: [
          { type: "text", text: "two" },
          { type: "image_url", image_url: { url: "data:image/png;base64,aGk=" } },
          { type: "file", file: { file_data: "data:application/pdf;base64,aGk=", filename: "a.pdf" } },
        ],
      },
    ],
  });
  const { parts, earlier } = JSON.parse(answer.choices[0]?.message.content ?? "") as { parts: string[]; earlier: string[] };
  assert.deepEqual(parts, [
    "Instructions:\nBe brief.\n\nThe conversation so far:\nUser: one\nAssistant: 1\n\nThe message to answer:",
    "two",
    "image/png ",
    "application/pdf a.pdf",
  ]);
  assert.deepEqual(earlier, []);
  assert.equal(answer.usage?.total_tokens, 7);
  assert.equal(answer.choices[0]?.finish_reason, "stop");
  let usage: number | undefined;
  for await (const chunk of await client.chat.completions.create({
    model: "agent",
    messages: [{ role: "user", content: "go" }],
    stream: true,
    stream_options: { include_usage: true },
  }))
    usage = chunk.usage?.total_tokens ?? usage;
  assert.equal(usage, 7);
});

test("the client's own stream helper makes a whole response of the events", async (t) => {
  const server = await serving(t, [showingAgent()]);
  const client = clientOf(server.url);
  const stream = client.responses.stream({ model: "agent", input: "go" });
  const events: ResponseStreamEvent[] = [];
  for await (const event of stream) events.push(event);
  const final = await stream.finalResponse();
  assert.deepEqual(
    events.map(({ sequence_number }) => sequence_number),
    events.map((_, n) => n),
  );
  assert.equal(final.status, "completed");
  const items = final.output.map((item) => {
    if (item.type === "message") return ["message", item.content.map((part) => (part.type === "output_text" ? part.text : "")).join("")];
    if (item.type === "reasoning") return ["reasoning", item.content?.[0]?.text];
    return item.type === "mcp_call" ? [item.name, item.status, item.arguments, item.output] : [item.type];
  });
  assert.deepEqual(items, [
    ["reasoning", "I think so."],
    ["lookup", "completed", '{"q":"x"}', '{"found":1}'],
    ["ask", "failed", "{}", null],
    ["dig", "completed", '{"deep":true}', "dug"],
    ["message", "It is so."],
    ["message", "![a.png](data:image/png;base64,aGk=)"],
    ["message", '```json\n{\n  "one": 1\n}\n```'],
  ]);
  assert.equal(final.usage?.total_tokens, 9);
  const whole = await client.responses.create({ model: "agent", input: "go" });
  assert.deepEqual(
    whole.output.map(({ type }) => type),
    final.output.map(({ type }) => type),
  );
  const kept = await client.responses.retrieve(final.id);
  assert.deepEqual(kept.output, stripped(final.output));
  assert.deepEqual([kept.id, kept.status, kept.usage, kept.created_at], [final.id, final.status, final.usage, final.created_at]);
  const later: number[] = [];
  for await (const event of await client.responses.retrieve(final.id, { stream: true, starting_after: 5 })) later.push(event.sequence_number);
  assert.deepEqual(
    later,
    events.slice(6).map(({ sequence_number }) => sequence_number),
  );
});

/** Without what the helper adds to each item. */
function stripped(item: object): object {
  return JSON.parse(JSON.stringify(item, (key, value: unknown) => (key === "parsed" ? undefined : value))) as object;
}

test("previous_response_id goes on in the conversation, answers a question, and approves a call", async (t) => {
  const client = clientOf((await serving(t, [echo()])).url);
  const first = await client.responses.create({ model: "agent", input: "one" });
  const second = await client.responses.create({ model: "agent", input: "two", previous_response_id: first.id });
  assert.deepEqual((JSON.parse(second.output_text) as { earlier: string[] }).earlier[0], "one");
  assert.equal(second.conversation?.id, first.conversation?.id);

  const asking = clientOf((await serving(t, [questioningAgent()])).url);
  const question = await asking.responses.create({ model: "agent", input: "hi" });
  assert.equal(question.output_text, "Who are you?");
  const greeting = await asking.responses.create({ model: "agent", input: "Ada", previous_response_id: question.id });
  assert.equal(greeting.output_text, "Hello Ada");
  assert.equal((await asking.responses.retrieve(question.id)).output_text, "Who are you?");
  assert.equal((await asking.responses.retrieve(greeting.id)).output_text, "Hello Ada");

  const paying = clientOf((await serving(t, [askingAgent()])).url);
  const waiting = await paying.responses.create({ model: "agent", input: "pay" });
  const request = waiting.output.find((item) => item.type === "mcp_approval_request");
  assert.equal(request?.arguments, '{"sum":5}');
  const paid = await paying.responses.create({
    model: "agent",
    previous_response_id: waiting.id,
    input: [{ type: "mcp_approval_response", approval_request_id: request?.id ?? "", approve: true }],
  });
  assert.match(paid.output_text, /"approve":true/);
});

test("a response's metadata is the caller's, with the task beside it, also when it is retrieved", async (t) => {
  const client = clientOf((await serving(t, [questioningAgent()])).url);
  const asked = await client.responses.create({ model: "agent", input: "hi", metadata: { order: "7" } });
  const answered = await client.responses.create({ model: "agent", input: "Ada", previous_response_id: asked.id, metadata: { order: "8" } });
  for (const [response, order] of [
    [asked, "7"],
    [answered, "8"],
  ] as const) {
    assert.equal(response.metadata?.["order"], order);
    assert.match(response.metadata?.["link"] ?? "", /^\/t\/agent\//);
    assert.deepEqual((await client.responses.retrieve(response.id)).metadata, response.metadata);
  }
});

test("a background response is fetched later, and cancel ends it", async (t) => {
  const step = lockStep(3);
  const server = await serving(t, [agentOf(() => step.run())]);
  const client = clientOf(server.url);
  const begun = await client.responses.create({ model: "agent", input: "go", background: true });
  assert.equal(begun.status, "in_progress");
  const canceled = await client.responses.cancel(begun.id);
  assert.equal(canceled.status, "cancelled");
  assert.equal((await client.responses.retrieve(begun.id)).status, "cancelled");
});

test("models are the agents, and errors have OpenAI's form", async (t) => {
  const server = await serving(t, [echo()]);
  const client = clientOf(server.url);
  assert.deepEqual(
    (await client.models.list()).data.map(({ id }) => id),
    ["agent"],
  );
  assert.equal((await client.models.retrieve("agent")).object, "model");
  const user = [{ role: "user" as const, content: "go" }];
  const tools = [{ type: "function" as const, function: { name: "f", parameters: {} } }];
  await assert.rejects(client.chat.completions.create({ model: "gpt-9", messages: user }), {
    status: 404,
    code: "model_not_found",
    param: "model",
    type: "not_found_error",
  });
  await assert.rejects(client.chat.completions.create({ model: "agent", messages: user, tools }), {
    status: 400,
    param: "tools",
    message: /agent with tools of its own/,
  });
  await assert.rejects(client.chat.completions.create({ model: "agent", messages: user, n: 2 }), { status: 400, param: "n" });
  await assert.rejects(client.chat.completions.create({ model: "agent", messages: [{ role: "system", content: "x" }] }), { status: 400, param: "messages" });
  await assert.rejects(client.responses.create({ model: "agent", input: "x", previous_response_id: "resp_nothing" }), {
    status: 404,
    param: "previous_response_id",
  });
  await assert.rejects(client.post("/chat/completions", { body: { model: 1 } }), { status: 400 });
  await assert.rejects(client.get("/nothing"), { status: 404 });
});

test("a turn that fails is an error once, and a key makes a repeated request attach", async (t) => {
  const server = await serving(t, [
    agentOf(async function* () {
      yield { kind: "text", text: "so far" };
      yield { kind: "end", outcome: "failed", message: [{ text: "It broke." }] };
    }),
  ]);
  const client = clientOf(server.url);
  const messages = [{ role: "user" as const, content: "go" }];
  const tasks = async (): Promise<number> => (await rpcClient(`${server.url}/a2a/agent`).must<{ totalSize: number }>("ListTasks", {})).totalSize;
  await assert.rejects(client.chat.completions.create({ model: "agent", messages }), { status: 500, message: /It broke\./ });
  assert.equal(await tasks(), 1);
  const stream = await client.chat.completions.create({ model: "agent", messages, stream: true });
  await assert.rejects(async () => {
    for await (const chunk of stream) assert.ok(chunk.id.startsWith("chatcmpl-"));
  }, /It broke\./);
  const failed = await client.responses.create({ model: "agent", input: "go" });
  assert.equal(failed.status, "failed");
  assert.equal(failed.error?.message, "It broke.");
  for (let n = 0; n < 2; n += 1) await client.responses.create({ model: "agent", input: "again" }, { headers: { "idempotency-key": "k" } });
  assert.equal(await tasks(), 4);
});

test("an answer longer than is kept is an error, and still streams in chunks", async (t) => {
  const long = agentOf(async function* () {
    for (let n = 0; n < 1000; n += 1) yield { kind: "text", text: "0123456789" };
  });
  const server = await serving(t, [long], { limits: { maxInlineBytes: 5000 } });
  const client = clientOf(server.url);
  const messages = [{ role: "user" as const, content: "go" }];
  await assert.rejects(client.chat.completions.create({ model: "agent", messages }), { status: 500, message: /longer than 5000 characters/ });
  assert.equal((await client.responses.create({ model: "agent", input: "go" })).status, "failed");
  let length = 0;
  for await (const chunk of await client.chat.completions.create({ model: "agent", messages, stream: true }))
    length += chunk.choices[0]?.delta.content?.length ?? 0;
  assert.equal(length, 10_000);
});
