import assert from "node:assert/strict";
import { test } from "node:test";
import { promptFor, startFaultyModel } from "../../../test/support/faulty-model.ts";
import { IasError } from "../model/errors.ts";
import { testTurn, userMessage } from "../testing/test-turn.ts";
import type { AgentEvent, Turn } from "./engine.ts";
import { openaiChat } from "./openai-chat.ts";
import type { OpenAIChatOptions } from "./openai-chat/options.ts";
import { messagesOf, run, collect, failureOf, textsOf, label } from "../../../test/support/chat-runs.ts";

type Fetch = NonNullable<OpenAIChatOptions["fetch"]>;

// What is asked of a model server, and what of its answers is more than text.

const { signal } = new AbortController();

test("the request has the model, the system prompt, the conversation, the key, and what else was given", async () => {
  await using model = await startFaultyModel();
  const history = [userMessage([{ text: "earlier" }]), { messageId: "a", role: "ROLE_AGENT" as const, parts: [{ text: "said" }] }];
  const options = { system: ({ agent }: Turn) => `You are ${agent}.`, apiKey: "secret", body: { temperature: 0, seed: 7 }, headers: { "x-team": "blue" } };
  await run(model.url, { say: "ok" }, options, undefined, signal, { history: async () => history });
  const { body, headers } = model.requests[0] ?? assert.fail();
  assert.deepEqual(body["messages"], [
    { role: "system", content: "You are agent." },
    { role: "user", content: "earlier" },
    { role: "assistant", content: "said" },
    { role: "user", content: promptFor({ say: "ok" }) },
  ]);
  assert.deepEqual([body["model"], body["stream"], body["temperature"], body["seed"], "tools" in body], ["faulty", true, 0, 7, false]);
  assert.deepEqual([headers["authorization"], headers["x-team"]], ["Bearer secret", "blue"]);
  await run(model.url, { say: "ok" }, { history: "leave-out" }, undefined, signal, { history: async () => history });
  assert.equal(messagesOf(model, 1).length, 1);
});

test("images, sound, moving pictures and other files are content parts", async () => {
  await using model = await startFaultyModel();
  const raw = Buffer.from("bytes").toString("base64");
  const parts = [
    { text: "look" },
    { raw, mediaType: "image/png" },
    { url: "https://example.org/a.png", mediaType: "image/png" },
    { raw, mediaType: "audio/mpeg" },
    { raw, mediaType: "video/mp4" },
    { raw, mediaType: "application/pdf", filename: "a.pdf" },
    { raw, mediaType: "text/csv", filename: "a.csv" },
  ];
  await run(model.url, {}, {}, undefined, signal, { input: [userMessage(parts)] });
  assert.deepEqual(messagesOf(model, 0)[0]?.content, [
    { type: "text", text: "look" },
    { type: "image_url", image_url: { url: `data:image/png;base64,${raw}` } },
    { type: "image_url", image_url: { url: "https://example.org/a.png" } },
    { type: "input_audio", input_audio: { data: raw, format: "mp3" } },
    { type: "video_url", video_url: { url: `data:video/mp4;base64,${raw}` } },
    { type: "file", file: { file_data: `data:application/pdf;base64,${raw}`, filename: "a.pdf" } },
    { type: "text", text: "File a.csv:\nbytes" },
  ]);
});

test("reasoning is reasoning, by its newer and its older name", async () => {
  for (const reasoningField of ["reasoning", "reasoning_content"] as const) {
    await using model = await startFaultyModel({ reasoningField });
    const events = await run(model.url, { reasoning: "let me think", say: "yes" });
    assert.deepEqual(
      events.flatMap((event) => (event.kind === "reasoning" ? [event.text] : [])),
      ["let ", "me ", "think"],
    );
    assert.deepEqual(textsOf(events), ["yes"]);
  }
});

test("functions that are given run, their results go to the model, and it answers", async () => {
  await using model = await startFaultyModel();
  const ran: unknown[] = [];
  const add = {
    name: "add",
    description: "adds",
    parameters: { type: "object" },
    idempotent: true,
    run: (args: unknown) => {
      ran.push(args);
      return { sum: 3 };
    },
  };
  const calls = [
    { name: "add", arguments: '{"a": 1, "b": 2}' },
    { name: "add", arguments: "{not json" },
    { name: "gone", arguments: "{}" },
  ];
  const events = await run(model.url, { calls, say: "3" }, { tools: [add] });
  assert.deepEqual(ran, [{ a: 1, b: 2 }]);
  assert.deepEqual(
    events.filter(({ kind }) => kind === "tool-call" || kind === "tool-result" || kind === "text"),
    [
      { kind: "tool-call", call: "call-0", name: "add", arguments: '{"a": 1, "b": 2}', idempotent: true },
      { kind: "tool-result", call: "call-0", name: "add", output: '{"sum":3}' },
      { kind: "tool-call", call: "call-1", name: "add", arguments: "{not json", idempotent: true },
      { kind: "tool-result", call: "call-1", name: "add", output: "The arguments are not JSON.", failed: true },
      { kind: "tool-call", call: "call-2", name: "gone", arguments: "{}", idempotent: true },
      { kind: "tool-result", call: "call-2", name: "gone", output: 'There is no tool "gone".', failed: true },
      { kind: "text", text: "3" },
    ],
  );
  assert.deepEqual(
    messagesOf(model, 1).map(({ role }) => role),
    ["user", "assistant", "tool", "tool", "tool"],
  );
  assert.deepEqual(model.requests[0]?.body["tools"], [{ type: "function", function: { name: "add", description: "adds", parameters: { type: "object" } } }]);
  assert.equal(events.filter(({ kind }) => kind === "usage").length, 2);
});

test("calls that nobody here runs are told, to everyone as an artifact, and end the turn", async () => {
  await using model = await startFaultyModel();
  const events = await run(model.url, { calls: [{ name: "book", arguments: '{"to": "Rome"}' }] }, { tools: [{ name: "book", parameters: {} }] });
  const data = { calls: [{ id: "call-0", name: "book", arguments: '{"to": "Rome"}' }] };
  assert.deepEqual(events.slice(-2), [
    { kind: "tool-call", call: "call-0", name: "book", arguments: '{"to": "Rome"}', idempotent: true },
    { kind: "artifact", artifact: { artifactId: "tool-calls", name: "tool-calls", parts: [{ data, mediaType: "application/json" }] }, lastChunk: true },
  ]);
  const pieces = events.filter((event) => label(event) === "content");
  assert.ok(pieces.length > 2, "parts of a call prove that the model is alive");
});

test("a model that calls tools for ever is stopped by maxModelCalls", async () => {
  const call = { index: 0, id: "c", function: { name: "again", arguments: "{}" } };
  const frames = `data: ${JSON.stringify({ choices: [{ delta: { tool_calls: [call] }, finish_reason: "tool_calls" }] })}\n\ndata: [DONE]\n\n`;
  const engine = openaiChat({
    baseUrl: "http://m.test",
    model: "m",
    fetch: async () => new Response(frames),
    tools: [{ name: "again", parameters: {}, run: () => "more" }],
    maxModelCalls: 3,
  });
  const error = await failureOf(collect(engine.run(testTurn("x"), { signal })));
  assert.deepEqual([error.reason, error.retryable], ["MAX_TURNS", false]);
});

test("how an answer ended is told where it was not simply over", async () => {
  const ended = async (delta: object, reason: string): Promise<AgentEvent | undefined> => {
    const frames = `data: ${JSON.stringify({ choices: [{ delta, finish_reason: reason }] })}\n\ndata: [DONE]\n\n`;
    const events = await collect(openaiChat({ baseUrl: "http://m.test", model: "m", fetch: async () => new Response(frames) }).run(testTurn("x"), { signal }));
    return events.find(({ kind }) => kind === "end");
  };
  assert.equal(await ended({ content: "x" }, "stop"), undefined);
  assert.deepEqual(await ended({ content: "x" }, "length"), { kind: "end", outcome: "completed", metadata: { finishReason: "length" } });
  assert.equal((await ended({}, "content_filter"))?.kind === "end", true);
  assert.deepEqual(await ended({ refusal: "I will not." }, "stop"), {
    kind: "end",
    outcome: "rejected",
    message: [{ text: "I will not." }],
    metadata: { finishReason: "stop" },
  });
});

test("a document in place of a stream is named as such", async () => {
  const engine = openaiChat({ baseUrl: "http://m.test", model: "m", fetch: async () => Response.json({ choices: [] }) });
  assert.equal((await failureOf(collect(engine.run(testTurn("x"), { signal })))).reason, "MODEL_REQUEST_REFUSED");
});

test("options that cannot work are refused with what is right", () => {
  const wrong: readonly (readonly [Partial<OpenAIChatOptions>, RegExp])[] = [
    [{ baseUrl: "localhost" }, /is not a URL; right is for example http/],
    [{ baseUrl: "ftp://x/v1" }, /begins with ftp:/],
    [{ baseUrl: "http://me:secret@x/v1" }, /has credentials in it/],
    [{ baseUrl: "http://x/v1?key=1" }, /a query or a fragment/],
    [{ model: "" }, /has no name/],
    [{ maxModelCalls: 0 }, /maxModelCalls is 0; it must be at least 1/],
    [{ maxRetries: -1 }, /maxRetries is -1/],
    [{ maxRetryWaitMs: Number.NaN }, /maxRetryWaitMs is NaN/],
    [
      {
        tools: [
          { name: "a", parameters: {} },
          { name: "a", parameters: {} },
        ],
      },
      /Two tools have the name "a"/,
    ],
  ];
  for (const [options, message] of wrong) {
    assert.throws(
      () => openaiChat({ baseUrl: "http://x/v1", model: "m", ...options }),
      (error) => error instanceof IasError && error.code === "configuration" && message.test(error.message) && !error.message.includes("secret"),
    );
  }
});

test("the address is taken with and without /v1, a final slash and the whole path", async () => {
  const urls: string[] = [];
  const fetch: Fetch = async (url) => {
    urls.push(url);
    return new Response('data: {"choices":[{"delta":{},"finish_reason":"stop"}]}\n\ndata: [DONE]\n\n');
  };
  for (const baseUrl of ["http://h:1", "http://h:1/v1/", "http://h:1/v1/chat/completions", "http://h:1/openai"]) {
    await collect(openaiChat({ baseUrl, model: "m", fetch }).run(testTurn("x"), { signal }));
  }
  assert.deepEqual(urls, [...Array.from({ length: 3 }, () => "http://h:1/v1/chat/completions"), "http://h:1/openai/chat/completions"]);
});
