import assert from "node:assert/strict";
import { test, type TestContext } from "node:test";
import OpenAI from "openai";
import type { Agent } from "../../src/lib/engine/agent.ts";
import { createMemoryStore } from "../../src/lib/log/memory.ts";
import { DEFAULT_LIMITS } from "../../src/lib/model/limits.ts";
import { startUpkeep } from "../../src/lib/runtime/upkeep.ts";
import { notHung } from "../../src/lib/testing/engine-support.ts";
import { startCuttingProxy } from "../support/cutting-proxy.ts";
import { lockStep } from "../support/lock-step.ts";
import { agentOf, rpcClient, serving, statesOf } from "../support/serving.ts";
import { askingAgent, questioningAgent } from "./agents.ts";

const echo = (replies: "task" | "message" = "task"): Agent =>
  agentOf(
    async function* (turn) {
      const parts = [{ text: `heard ${turn.input[0]?.parts.map(({ text }) => text).join(" ") ?? ""}` }];
      if (replies === "message") yield { kind: "reply", parts };
      else yield { kind: "artifact", artifact: { artifactId: "answer", parts } };
    },
    { replies },
  );

const clientOf = (url: string): OpenAI => new OpenAI({ baseURL: `${url}/v1`, apiKey: "none", maxRetries: 0 });

/** A server whose upkeep comes when it is asked, `laterMs` from now. */
async function storing(t: TestContext, agent: Agent) {
  const store = createMemoryStore();
  const server = await serving(t, [agent], { store });
  const a2a = rpcClient(`${server.url}/a2a/agent`);
  return {
    server,
    client: clientOf(server.url),
    states: async (): Promise<readonly string[]> => {
      const { tasks } = await a2a.must<{ tasks: { status: { state: string } }[] }>("ListTasks", {});
      return tasks.map(({ status }) => status.state.replace("TASK_STATE_", ""));
    },
    streams: async (): Promise<number> => {
      const stop = new AbortController();
      let count = 0;
      for await (const changes of store.log.changes({ after: 0, signal: stop.signal })) {
        count = changes.length;
        stop.abort();
      }
      return count;
    },
    async upkeep(laterMs: number): Promise<void> {
      const loop = startUpkeep({
        store,
        agents: server.agents,
        limits: DEFAULT_LIMITS,
        release: async () => {},
        cancel: async ({ task }) => void (await a2a.must("CancelTask", { id: task })),
        now: () => Date.now() + laterMs,
        report: (error) => assert.fail(error),
      });
      await loop.round();
      await loop[Symbol.asyncDispose]();
    },
  };
}

const MINUTES = 60_000;

/** A member of the answer that the client's types leave out. */
const storeOf = (response: object): unknown => ("store" in response ? response.store : undefined);

test("store: false removes the task some minutes after its end, and until then a cut stream can go on", async (t) => {
  const { client, states, upkeep } = await storing(t, echo());
  const kept = await client.responses.create({ model: "agent", input: "one" });
  const passing = await client.responses.create({ model: "agent", input: "two", store: false });
  const messages = [{ role: "user" as const, content: "three" }];
  await client.chat.completions.create({ model: "agent", messages, store: false });
  await client.chat.completions.create({ model: "agent", messages });
  assert.deepEqual([storeOf(kept), storeOf(passing)], [true, false]);
  await upkeep(4 * MINUTES);
  const still = await client.responses.retrieve(passing.id);
  assert.deepEqual([storeOf(still), still.output_text], [false, "heard two"]);
  assert.equal((await states()).length, 4);
  await upkeep(6 * MINUTES);
  await assert.rejects(client.responses.retrieve(passing.id), { status: 404, param: "response_id" });
  assert.equal(storeOf(await client.responses.retrieve(kept.id)), true);
  assert.equal((await states()).length, 2);
});

test("an answer without a task leaves nothing behind where it is not to be stored", async (t) => {
  const { client, streams, upkeep } = await storing(t, echo("message"));
  await client.responses.create({ model: "agent", input: "one" });
  await client.responses.create({ model: "agent", input: "two", store: false });
  assert.equal(await streams(), 2);
  await upkeep(6 * MINUTES);
  assert.equal(await streams(), 1);
});

test("a task that is not stored and waits for its user is canceled after the same time, then removed", async (t) => {
  const { client, states, upkeep } = await storing(t, questioningAgent());
  const asked = await client.responses.create({ model: "agent", input: "hi", store: false });
  const answered = await client.responses.create({ model: "agent", input: "Ada", previous_response_id: asked.id, store: false });
  assert.equal(answered.output_text, "Hello Ada");
  const waits = await client.responses.create({ model: "agent", input: "hi", store: false });
  await upkeep(6 * MINUTES);
  assert.deepEqual(await states(), ["CANCELED"]);
  assert.equal((await client.responses.retrieve(waits.id)).output_text, "Who are you?");
  await upkeep(12 * MINUTES);
  assert.deepEqual(await states(), []);
});

test("the server's own upkeep does the same", async (t) => {
  const server = await serving(t, [questioningAgent()], { limits: { unstoredTaskMs: 1 } });
  const { id } = await clientOf(server.url).responses.create({ model: "agent", input: "hi", store: false });
  const client = rpcClient(`${server.url}/a2a/agent`);
  const canceled = await client.all("SubscribeToTask", { id: id.slice("resp_".length) });
  assert.deepEqual(statesOf(canceled).at(-1), "CANCELED");
});

test("store: false is refused where the answer is a part of what is stored", async (t) => {
  const { client } = await storing(t, askingAgent());
  const waiting = await client.responses.create({ model: "agent", input: "pay" });
  const input = [{ type: "mcp_approval_response" as const, approval_request_id: "mcpr_pay-1", approve: true }];
  await assert.rejects(client.responses.create({ model: "agent", input, previous_response_id: waiting.id, store: false }), {
    status: 400,
    param: "store",
    message: /part of it/,
  });
  assert.match((await client.responses.create({ model: "agent", input, previous_response_id: waiting.id })).output_text, /answered/);
});

test("a response that is deleted does not exist from then on, and its task is canceled and goes", async (t) => {
  const step = lockStep(5);
  const { client, states, upkeep } = await storing(
    t,
    agentOf((turn) => (turn.input[0]?.parts[0]?.text === "wait" ? step.run() : echo().engine.run(turn, { signal: new AbortController().signal }))),
  );
  const done = await client.responses.create({ model: "agent", input: "one" });
  await client.responses.delete(done.id);
  const running = await client.responses.create({ model: "agent", input: "wait", background: true });
  await client.responses.delete(running.id);
  for (const { id } of [done, running]) {
    await assert.rejects(client.responses.retrieve(id), { status: 404 });
    await assert.rejects(client.responses.delete(id), { status: 404 });
    await assert.rejects(client.responses.create({ model: "agent", input: "more", previous_response_id: id }), { status: 404, param: "previous_response_id" });
  }
  assert.deepEqual([...(await states())].sort(), ["CANCELED", "COMPLETED"]);
  await upkeep(0);
  assert.deepEqual(await states(), []);
});

test("a stream that is cut goes on after the last event that was seen, with nothing missing and nothing twice", async (t) => {
  const step = lockStep(300);
  const server = await serving(t, [agentOf(() => step.run())]);
  await using proxy = await startCuttingProxy((connection) => (connection === 0 ? 20_000 : undefined));
  proxy.target = server.port;
  const client = clientOf(`http://127.0.0.1:${proxy.port}`);
  const numbers: number[] = [];
  let text = "";
  let id = "";
  let status = "";
  const read = async (stream: AsyncIterable<OpenAI.Responses.ResponseStreamEvent>): Promise<void> => {
    for await (const event of stream) {
      numbers.push(event.sequence_number);
      if (event.type === "response.created") ({ id } = event.response);
      if (event.type === "response.completed") status = event.response.output_text || "completed";
      if (event.type !== "response.output_text.delta") continue;
      text += event.delta;
      step.see();
    }
  };
  const first = client.responses.create({ model: "agent", input: "go", stream: true, background: true });
  await notHung(
    "the first part",
    assert.rejects(async () => read(await first)),
    60_000,
  );
  assert.ok(text.length > 0 && text.length < step.tokens.join("").length, "it was cut in the middle");
  await notHung("the rest", (async () => read(await client.responses.retrieve(id, { stream: true, starting_after: numbers.at(-1) ?? 0 })))(), 60_000);
  assert.equal(proxy.cuts, 1);
  assert.equal(text, step.tokens.join(""));
  assert.deepEqual(
    numbers,
    numbers.map((_, n) => n),
  );
  assert.notEqual(status, "");
});

test("what the client can call and this server does not have is an error that says what to do instead", async (t) => {
  const { client } = await storing(t, echo());
  const done = await client.responses.create({ model: "agent", input: "one" });
  const refused: readonly (readonly [call: () => Promise<unknown>, said: RegExp])[] = [
    [
      async () => client.responses.inputItems.list(done.id),
      /no GET \/v1\/responses\/resp_.*\/input_items here\. The input of a response is not listed here\. GET \/api\/tasks/,
    ],
    [async () => client.responses.compact({ model: "agent", input: "x" }), /Go on with previous_response_id/],
    [async () => client.responses.inputTokens.count({ model: "agent", input: "x" }), /usage of the response has them/],
    [async () => client.conversations.create({}), /the first response that names one/],
    [async () => client.chat.completions.retrieve("chatcmpl-1"), /not kept under an id\. POST \/v1\/responses/],
    [async () => client.chat.completions.list(), /not kept under an id/],
    [async () => client.chat.completions.delete("chatcmpl-1"), /not kept under an id/],
    [async () => client.completions.create({ model: "agent", prompt: "x" }), /no completions of bare text/],
    [async () => client.files.list(), /POST \/api\/uploads/],
    [async () => client.models.delete("agent"), /Agents cannot be changed/],
    [async () => client.embeddings.create({ model: "agent", input: "x" }), /no POST \/v1\/embeddings here\. There are GET \/v1\/models/],
  ];
  for (const [call, message] of refused) await assert.rejects(call(), { status: 404, type: "not_found_error", message });
  await assert.rejects(client.responses.cancel(done.id), { status: 400, message: /has ended|cannot be canceled|COMPLETED/ });
});

test("the last chunk alone has the usage, and only where it is asked for", async (t) => {
  const agent = agentOf(async function* () {
    yield { kind: "text", text: "a" };
    yield { kind: "usage", usage: { inputTokens: 3, outputTokens: 4, totalTokens: 7, cachedInputTokens: 2, reasoningTokens: 1 } };
  });
  const client = clientOf((await serving(t, [agent])).url);
  const chunksOf = async (include_usage: boolean): Promise<OpenAI.Chat.ChatCompletionChunk[]> => {
    const messages = [{ role: "user" as const, content: "go" }];
    const chunks = [];
    for await (const chunk of await client.chat.completions.create({ model: "agent", messages, stream: true, stream_options: { include_usage } }))
      chunks.push(chunk);
    return chunks;
  };
  const told = await chunksOf(true);
  assert.deepEqual(told.at(-1)?.choices, []);
  assert.deepEqual(told.at(-1)?.usage, {
    prompt_tokens: 3,
    completion_tokens: 4,
    total_tokens: 7,
    prompt_tokens_details: { cached_tokens: 2 },
    completion_tokens_details: { reasoning_tokens: 1 },
  });
  assert.ok(told.slice(0, -1).every(({ usage }) => usage === null));
  assert.equal(told.at(-2)?.choices[0]?.finish_reason, "stop");
  assert.ok((await chunksOf(false)).every((chunk) => chunk.usage === undefined && chunk.choices.length === 1));
});
