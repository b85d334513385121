import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { test } from "node:test";
import {
  Agent,
  getGlobalTraceProvider,
  OpenAIChatCompletionsModel,
  OpenAIResponsesModel,
  tool,
  type InputGuardrail,
  type OutputGuardrail,
  type StreamEvent,
} from "@openai/agents";
import { assistantMessage, functionCall, modelError, modelResponder, modelStream, ScriptedModel } from "@openai/agents/testing";
import OpenAI from "openai";
import { z } from "zod";
import type { Message } from "../model/a2a.ts";
import { IasError } from "../model/errors.ts";
import { collect, notHung, textsOf } from "../testing/engine-support.ts";
import { testTurn, userMessage } from "../testing/test-turn.ts";
import { openaiAgents } from "./openai-agents.ts";

const { signal } = new AbortController();
const usage = { requests: 1, inputTokens: 1, outputTokens: 1, totalTokens: 2 };
const anything = { type: "object" as const, properties: {}, required: [] as string[], additionalProperties: true as const };

test("a refused input ends the task as rejected and names the guardrail", async () => {
  const guard: InputGuardrail = { name: "no-numbers", execute: async () => ({ tripwireTriggered: true, outputInfo: {} }), runInParallel: false };
  const agent = new Agent({ name: "A", model: new ScriptedModel([[assistantMessage("never")]]), inputGuardrails: [guard] });
  assert.deepEqual(await collect(openaiAgents(agent).run(testTurn("1"), { signal })), [
    { kind: "end", outcome: "rejected", message: [{ text: 'The input was refused by the guardrail "no-numbers".' }], metadata: { guardrail: "no-numbers" } },
  ]);
});

test("a withheld answer ends the task as failed and names the guardrail", async () => {
  const guard: OutputGuardrail = { name: "polite", execute: async () => ({ tripwireTriggered: true, outputInfo: {} }) };
  const agent = new Agent({ name: "A", model: new ScriptedModel([[assistantMessage("rude")]]), outputGuardrails: [guard] });
  const last = (await collect(openaiAgents(agent).run(testTurn("1"), { signal }))).at(-1);
  assert.ok(last?.kind === "end" && last.outcome === "failed");
  assert.match(last.message?.[0]?.text ?? "", /"polite"/);
});

test("a refusal of the model ends the task as rejected", async () => {
  const refusal = { type: "message", role: "assistant", status: "completed", content: [{ type: "refusal", refusal: "I will not." }] } as const;
  const events = await collect(
    openaiAgents(new Agent({ name: "A", model: new ScriptedModel([[{ ...refusal, content: [...refusal.content] }]]) })).run(testTurn("1"), { signal }),
  );
  const last = events.at(-1);
  assert.ok(last?.kind === "end" && last.outcome === "rejected", JSON.stringify(events));
  assert.equal(last.message?.[0]?.text, "I will not.");
});

test("structured output is one data part; its text comes as notes while it is made", async () => {
  const stream: StreamEvent[] = [
    { type: "response_started" },
    { type: "output_text_delta", delta: '{"city":' },
    { type: "output_text_delta", delta: '"Oslo"}' },
    { type: "response_done", response: { id: "r", usage, output: [assistantMessage('{"city":"Oslo"}')] } },
  ];
  const agent = new Agent({ name: "A", model: new ScriptedModel([modelStream(stream)]), outputType: z.object({ city: z.string() }) });
  const events = await collect(openaiAgents(agent).run(testTurn("where?"), { signal }));
  assert.deepEqual(
    events.filter(({ kind }) => kind !== "usage"),
    [
      { kind: "note", name: "output-delta", value: '{"city":' },
      { kind: "note", name: "output-delta", value: '"Oslo"}' },
      { kind: "artifact", artifact: { artifactId: "output-1", parts: [{ data: { city: "Oslo" }, mediaType: "application/json" }] }, lastChunk: true },
    ],
  );
});

test("words before a tool call and the answer after it are two artifacts, neither of an earlier turn", async () => {
  const look = tool({ name: "look", description: "", parameters: anything, strict: false, execute: async () => "seen" });
  const model = new ScriptedModel([[assistantMessage("Let me look."), functionCall("look", "{}", { callId: "c" })], [assistantMessage("There.")]]);
  const current = { id: "t", contextId: "c", status: { state: "TASK_STATE_WORKING" as const }, artifacts: [{ artifactId: "message-2", parts: [] }] };
  const events = await collect(openaiAgents(new Agent({ name: "A", model, tools: [look] })).run(testTurn("look", { current }), { signal }));
  assert.deepEqual(
    events.flatMap((event) => (event.kind === "text" ? [[event.text, event.artifact]] : [])),
    [
      ["Let me look.", undefined],
      ["There.", "message-3"],
    ],
  );
});

test("a tool whose output is the answer: the answer is told once", async () => {
  const final = tool({ name: "final", description: "", parameters: anything, strict: false, execute: async () => "the answer" });
  const model = new ScriptedModel([[functionCall("final", "{}", { callId: "c" })]]);
  const agent = new Agent({ name: "A", model, tools: [final], toolUseBehavior: "stop_on_first_tool" });
  assert.deepEqual(textsOf(await collect(openaiAgents(agent).run(testTurn("go"), { signal }))), ["the answer"]);
});

test("history, references, text, data, images, audio, files and URLs reach the model as its input", async () => {
  let seen: unknown;
  const model = new ScriptedModel([
    modelResponder(({ request }) => {
      seen = request.input;
      return [assistantMessage("ok")];
    }),
  ]);
  const base64 = (text: string): string => Buffer.from(text).toString("base64");
  const history: Message[] = [userMessage([{ text: "before" }]), { ...userMessage([{ text: "said" }, { data: { n: 1 } }]), role: "ROLE_AGENT" }];
  const input = userMessage([
    { text: "now" },
    { data: { a: [1] } },
    { raw: base64("png"), mediaType: "image/png" },
    { url: "https://example.com/cat.jpg", mediaType: "image/jpeg" },
    { raw: base64("snd"), mediaType: "audio/mpeg" },
    { raw: base64("a,b"), mediaType: "text/csv", filename: "t.csv" },
    { raw: base64("%PDF"), mediaType: "application/pdf", filename: "d.pdf" },
    { url: "https://example.com/d.pdf", mediaType: "application/pdf" },
    { url: "ias-blob:1?size=3", mediaType: "image/gif" },
  ]);
  const references = [
    { id: "t0", contextId: "c", status: { state: "TASK_STATE_COMPLETED" as const }, artifacts: [{ artifactId: "a", parts: [{ text: "old result" }] }] },
  ];
  const turn = testTurn("", { input: [input], history: async () => history, references: async () => references, load: async () => Buffer.from("loaded") });
  await collect(openaiAgents(new Agent({ name: "A", model })).run(turn, { signal }));
  assert.deepEqual(seen, [
    { type: "message", role: "user", content: [{ type: "input_text", text: "before" }] },
    { type: "message", role: "assistant", status: "completed", content: ["said", '{"n":1}'].map((text) => ({ type: "output_text", text })) },
    {
      type: "message",
      role: "user",
      content: [
        { type: "input_text", text: "The user refers to the task t0 (TASK_STATE_COMPLETED).\nArtifact a:\nold result" },
        { type: "input_text", text: "now" },
        { type: "input_text", text: '{"a":[1]}' },
        { type: "input_image", image: `data:image/png;base64,${base64("png")}` },
        { type: "input_image", image: "https://example.com/cat.jpg" },
        { type: "audio", audio: base64("snd"), format: "mp3" },
        { type: "input_text", text: "File t.csv:\na,b" },
        { type: "input_file", file: `data:application/pdf;base64,${base64("%PDF")}`, filename: "d.pdf" },
        { type: "input_file", file: `data:application/pdf;base64,${base64("loaded")}`, filename: "file.pdf" },
        { type: "input_image", image: `data:image/gif;base64,${base64("loaded")}` },
      ],
    },
  ]);
});

test("a file that cannot be had fails the turn; one of an earlier turn is only named", async () => {
  const gone = async (): Promise<never> => {
    throw new IasError("not-found", "The file is gone.");
  };
  const file = userMessage([{ url: "https://example.com/d.pdf", mediaType: "application/pdf", filename: "d.pdf" }]);
  let seen: unknown;
  const model = new ScriptedModel([
    modelResponder(({ request }) => {
      seen = request.input[0];
      return [assistantMessage("ok")];
    }),
  ]);
  const engine = openaiAgents(new Agent({ name: "A", model }));
  await assert.rejects(collect(engine.run(testTurn("", { input: [file], load: gone }), { signal })), { code: "not-found", message: "The file is gone." });
  await collect(engine.run(testTurn("and?", { history: async () => [file], load: gone }), { signal }));
  assert.deepEqual(seen, { type: "message", role: "user", content: [{ type: "input_text", text: "[file d.pdf]" }] });
});

for (const [api, parts, body] of [
  [OpenAIChatCompletionsModel, "image audio pdf", /"image_url":"?.*"input_audio".*"file_data":"data:application\/pdf/],
  [OpenAIResponsesModel, "image pdf", /"image_url":"data:image\/png.*"file_data":"data:application\/pdf/],
] as const) {
  test(`${api.name} takes ${parts} in the form they are given`, async () => {
    let sent = "";
    await using endpoint = await serve((request, response) => {
      request.setEncoding("utf8").on("data", (text: string) => (sent += text));
      request.on("end", () => response.writeHead(400).end());
    }, api);
    const message = userMessage(
      parts
        .split(" ")
        .map((kind) => ({ raw: "AAAA", filename: "f", mediaType: { image: "image/png", audio: "audio/wav", pdf: "application/pdf" }[kind] ?? "" })),
    );
    await assert.rejects(collect(openaiAgents(endpoint.agent).run(testTurn("", { input: [message] }), { signal })), { reason: "MODEL_REQUEST_REFUSED" });
    assert.match(sent, body);
  });
}

test("a kind of part that the model's API does not take is refused by its name, without its bytes", async () => {
  await using endpoint = await serve(() => {}, OpenAIResponsesModel);
  const turn = testTurn("", { input: [userMessage([{ raw: "QUJD", mediaType: "audio/wav" }])] });
  await assert.rejects(collect(openaiAgents(endpoint.agent).run(turn, { signal })), {
    code: "content-type-not-supported",
    message: "The agent's model does not take audio parts in this form.",
  });
});

test("nothing is sent to OpenAI: tracing is off, even with a key in the environment, unless it is asked for", async (t) => {
  const sent: string[] = [];
  t.mock.method(globalThis, "fetch", async (url: string | URL | Request) => {
    sent.push(new Request(url).url);
    return new Response("{}");
  });
  const key = process.env["OPENAI_API_KEY"];
  process.env["OPENAI_API_KEY"] = "sk-test-of-tracing";
  try {
    for (const tracing of ["off", "on"] as const) {
      const agent = new Agent({ name: "A", model: new ScriptedModel([[assistantMessage("ok")]]) });
      await collect(openaiAgents(agent, { tracing }).run(testTurn("go"), { signal }));
      await getGlobalTraceProvider().forceFlush();
      assert.equal(sent.length > 0, tracing === "on");
    }
  } finally {
    if (key === undefined) delete process.env["OPENAI_API_KEY"];
    else process.env["OPENAI_API_KEY"] = key;
  }
});

test("the SDK's run configuration passes, and agents with a context type of their own fit", async () => {
  const agent = new Agent<{ readonly user: string }>({
    name: "A",
    instructions: ({ context }) => `for ${context.user}`,
    model: new ScriptedModel([[assistantMessage("ok")]]),
  });
  const guard: InputGuardrail = { name: "all", execute: async () => ({ tripwireTriggered: true, outputInfo: {} }), runInParallel: false };
  const engine = openaiAgents(agent, { context: ({ principal }) => ({ user: principal.user }), runConfig: { inputGuardrails: [guard] } });
  const last = (await collect(engine.run(testTurn("go"), { signal }))).at(-1);
  assert.ok(last?.kind === "end" && last.metadata?.["guardrail"] === "all");
});

test("too many model calls fail with the limit's name", async () => {
  const again = tool({ name: "again", description: "", parameters: anything, strict: false, execute: async () => "more" });
  const model = new ScriptedModel(Array.from({ length: 3 }, (_, n) => [functionCall("again", "{}", { callId: `c${n}` })]));
  const agent = new Agent({ name: "A", model, tools: [again] });
  await assert.rejects(collect(openaiAgents(agent, { maxTurns: 2 }).run(testTurn("go"), { signal })), {
    code: "engine-failed",
    reason: "MAX_TURNS",
    message: /maxTurns/,
  });
});

test("a model's own exception fails the turn with its message, without keys", async () => {
  const agent = new Agent({ name: "A", model: new ScriptedModel([modelError(new Error("cannot use key sk-abcdef123456 at http://u:p@host/"))]) });
  await assert.rejects(collect(openaiAgents(agent).run(testTurn("go"), { signal })), {
    code: "engine-failed",
    message: "cannot use key [redacted] at http://[redacted]@host/",
  });
});

test("state of another engine is refused with both names", async () => {
  const agent = new Agent({ name: "A", model: new ScriptedModel([]) });
  const turn = testTurn("x", { state: { version: "other/1", data: "{}" } });
  await assert.rejects(collect(openaiAgents(agent).run(turn, { signal })), { code: "corrupt", message: /"other\/1".*"openai-agents\/1"/ });
});

test("state that the SDK cannot read is refused", async () => {
  const agent = new Agent({ name: "A", model: new ScriptedModel([]) });
  const turn = testTurn("x", { state: { version: "openai-agents/1", data: "{}" } });
  await assert.rejects(collect(openaiAgents(agent).run(turn, { signal })), { code: "corrupt", message: /cannot read the task's state/ });
});

const answers: readonly (readonly [string, number, Record<string, string>, object, object])[] = [
  [
    "401",
    401,
    {},
    { message: "Incorrect API key provided: sk-secret", code: "invalid_api_key" },
    { retryable: false, reason: "MODEL_UNAUTHORIZED", message: "The model endpoint refused the credentials (401)." },
  ],
  [
    "429 with Retry-After",
    429,
    { "retry-after": "7" },
    { message: "slow down" },
    { retryable: true, retryAfterMs: 7000, reason: "MODEL_RATE_LIMIT", message: "The model endpoint limits the rate (429): slow down" },
  ],
  ["429 without quota", 429, {}, { message: "no money", code: "insufficient_quota" }, { retryable: false, reason: "MODEL_QUOTA" }],
  ["503", 503, {}, { message: "busy" }, { retryable: true, reason: "MODEL_UNAVAILABLE" }],
  ["404", 404, {}, { message: "no model x" }, { retryable: false, reason: "MODEL_NOT_FOUND", message: /no model x/ }],
  ["400", 400, {}, { message: "bad tool" }, { retryable: false, reason: "MODEL_REQUEST_REFUSED", message: /answered 400: bad tool/ }],
];

for (const [title, status, headers, error, expected] of answers) {
  test(`the model endpoint answers ${title}: an error that says so, and whether to try again`, async () => {
    await using endpoint = await serve((_request, response) =>
      response.writeHead(status, { "content-type": "application/json", ...headers }).end(JSON.stringify({ error })),
    );
    await assert.rejects(collect(openaiAgents(endpoint.agent).run(testTurn("go"), { signal })), { code: "engine-failed", ...expected });
  });
}

test("no model endpoint: a network error that can be tried again", async () => {
  const endpoint = await serve(() => {});
  await endpoint[Symbol.asyncDispose]();
  await assert.rejects(collect(openaiAgents(endpoint.agent).run(testTurn("go"), { signal })), {
    retryable: true,
    reason: "MODEL_UNREACHABLE",
    message: /ECONNREFUSED/,
  });
});

test("a connection that breaks in mid-stream: what came is delivered, then an error that can be tried again", async () => {
  await using endpoint = await serve((_request, response) => {
    response.writeHead(200, { "content-type": "text/event-stream" });
    response.write(chunk("a"));
    setImmediate(() => response.socket?.resetAndDestroy());
  });
  const texts: string[] = [];
  await assert.rejects(
    async () => {
      for await (const event of openaiAgents(endpoint.agent).run(testTurn("go"), { signal })) if (event.kind === "text") texts.push(event.text);
    },
    { code: "engine-failed", retryable: true },
  );
  assert.deepEqual(texts, ["a"]);
});

test("an abort closes the HTTP request to the model", async () => {
  const closed = Promise.withResolvers<void>();
  await using endpoint = await serve((_request, response) => {
    response.writeHead(200, { "content-type": "text/event-stream" });
    response.write(chunk("a"));
    response.on("close", closed.resolve);
  });
  const abort = new AbortController();
  for await (const event of openaiAgents(endpoint.agent).run(testTurn("go"), { signal: abort.signal })) if (event.kind === "text") abort.abort();
  await notHung("the request to the model", closed.promise);
});

/** A model endpoint on loopback, and an agent that uses it. */
async function serve(
  answer: RequestListener,
  api: typeof OpenAIChatCompletionsModel | typeof OpenAIResponsesModel = OpenAIChatCompletionsModel,
): Promise<{ readonly agent: Agent } & AsyncDisposable> {
  const server = createServer(answer).listen(0, "127.0.0.1");
  await once(server, "listening");
  const baseURL = `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`;
  const client = new OpenAI({ baseURL, apiKey: "sk-secret", maxRetries: 0 });
  return {
    agent: new Agent({ name: "A", model: new api(client, "m") }),
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function chunk(content: string): string {
  return `data: ${JSON.stringify({ id: "x", object: "chat.completion.chunk", created: 0, model: "m", choices: [{ index: 0, delta: { content }, finish_reason: null }] })}\n\n`;
}
