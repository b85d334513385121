import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createRequire } from "node:module";
import { text as readText } from "node:stream/consumers";
import { test } from "node:test";
import { createManualClock } from "../../../test/support/manual-clock.ts";
import { type Behaviour, startFaultyModel, until } from "../../../test/support/faulty-model.ts";
import { IasError } from "../model/errors.ts";
import { runEngineConformance } from "../testing/engine-conformance.ts";
import type { EngineHarness } from "../testing/engine-support.ts";
import { testTurn } from "../testing/test-turn.ts";
import type { AgentEvent } from "./engine.ts";
import { openaiChat } from "./openai-chat.ts";
import type { OpenAIChatOptions } from "./openai-chat/options.ts";
import { turnFor, run, collect, failureOf, textsOf, label } from "../../../test/support/chat-runs.ts";

const { signal } = new AbortController();

type Fetch = NonNullable<OpenAIChatOptions["fetch"]>;

/** A model server in a function: its body makes a frame only when it is asked for one. */
const inMemory: EngineHarness = {
  stream: (source) =>
    openaiChat({
      baseUrl: "http://model.test/v1",
      model: "m",
      fetch: async (_url, { body, signal: left }) => {
        const { messages } = JSON.parse(body as string) as { readonly messages: readonly { readonly content: string }[] };
        const leave = left ?? signal;
        const pieces = source({ input: messages.at(-1)?.content ?? "", signal: leave })[Symbol.asyncIterator]();
        const encode = (data: unknown): Uint8Array => new TextEncoder().encode(`data: ${typeof data === "string" ? data : JSON.stringify(data)}\n\n`);
        const ends = [{ choices: [{ index: 0, delta: {}, finish_reason: "stop" }] }, "[DONE]"];
        const stream = new ReadableStream<Uint8Array>(
          {
            async pull(controller) {
              const { done, value } = await pieces.next();
              if (done !== true) return controller.enqueue(encode({ choices: [{ index: 0, delta: { content: value }, finish_reason: null }] }));
              for (const end of ends) controller.enqueue(encode(end));
              controller.close();
            },
          },
          { highWaterMark: 0 },
        );
        return new Response(stream, { headers: { "content-type": "text/event-stream" } });
      },
    }),
};

runEngineConformance("openai-chat", inMemory);

test("every chunk of a real connection is one text event, the same strings in the same order, with its counts", async () => {
  await using model = await startFaultyModel();
  const events = await run(model.url, { say: "The quick brown fox", tokens: 200 });
  assert.deepEqual(textsOf(events), model.requests[0]?.reply?.texts);
  assert.equal(textsOf(events).length, 200);
  assert.deepEqual(
    events.filter(({ kind }) => kind === "usage"),
    [{ kind: "usage", usage: { inputTokens: 6, outputTokens: 200, totalTokens: 206, model: "faulty" } }],
  );
});

test("lock step over a real connection: the model makes token n + 1 only when token n was taken", async () => {
  await using model = await startFaultyModel();
  await using engine = openaiChat({ baseUrl: model.url, model: "faulty" });
  const taken: string[] = [];
  model.step("s");
  for await (const event of engine.run(turnFor({ step: "s", tokens: 50 }), { signal })) {
    if (event.kind !== "text") continue;
    taken.push(event.text);
    model.step("s");
  }
  assert.equal(taken.length, 50);
});

test("it tells what it does: connecting, working, bytes; a token count only where a piece is not one token", async () => {
  await using model = await startFaultyModel();
  const one = await run(model.url, { say: "a b" });
  assert.deepEqual(one.map(label), ["connecting", "working", "bytes", "bytes", "text", "text", "bytes", "bytes", "usage event"]);
  const batched = await run(model.url, { say: "a b c", batch: 3 });
  assert.deepEqual(batched.map(label).slice(4, 6), ["text", "usage-3"]);
});

test("a parser that holds text back is seen through: the tokens are told while no text comes", async () => {
  await using model = await startFaultyModel();
  const events = await run(model.url, { fault: "hold", after: 2, hold: 4, tokens: 8 });
  const told = events.map(label);
  assert.deepEqual(told.slice(told.indexOf("text"), told.lastIndexOf("text") + 1), "text text usage-3 usage-4 usage-5 usage-6 text text text".split(" "));
});

test("vLLM's parameters are tried once; a server that refuses them is not asked again, and the turn does not fail", async () => {
  for (const parameters of ["vllm", "ignore", "strict"] as const) {
    await using model = await startFaultyModel({ parameters });
    await using engine = openaiChat({ baseUrl: model.url, model: "faulty" });
    for (let n = 0; n < 3; n += 1) assert.deepEqual(textsOf(await collect(engine.run(turnFor({ say: "fine", id: n }), { signal }))), ["fine"]);
    const asked = model.requests.map(({ body, status }) => [status, body["return_token_ids"] === true, JSON.stringify(body["stream_options"])]);
    const all = '{"include_usage":true,"continuous_usage_stats":true}';
    const fewer = '{"include_usage":true}';
    if (parameters === "strict") {
      assert.deepEqual(asked, [
        [400, true, all],
        [400, false, all],
        [200, false, fewer],
        [200, false, fewer],
        [200, false, fewer],
      ]);
    } else {
      assert.deepEqual(
        asked,
        Array.from({ length: 3 }, () => [200, true, all]),
      );
    }
  }
});

test("a server that refuses without saying what is asked for less and less; what is wrong otherwise fails the turn", async () => {
  const bodies: Record<string, unknown>[] = [];
  const refusing = (until: number): Fetch => {
    return async (_url, { body }) => {
      bodies.push(JSON.parse(body as string) as Record<string, unknown>);
      return bodies.length < until
        ? new Response('{"detail": "unknown field"}', { status: 422 })
        : new Response('data: {"choices":[{"delta":{"content":"x"},"finish_reason":"stop"}]}\n\ndata: [DONE]\n\n');
    };
  };
  await collect(openaiChat({ baseUrl: "http://m.test", model: "m", fetch: refusing(3) }).run(testTurn("hi"), { signal }));
  assert.deepEqual(
    bodies.map((body) => ["stream_options" in body, "return_token_ids" in body]),
    [
      [true, true],
      [true, false],
      [false, false],
    ],
  );
  await using model = await startFaultyModel();
  const error = await failureOf(run(model.url, { fault: "bad-request" }));
  assert.deepEqual([error.reason, error.retryable, error.details["httpStatus"]], ["MODEL_REQUEST_REFUSED", false, "400"]);
});

test("many first turns at once on a server that refuses without a word all get through", async () => {
  let asked = 0;
  const all = Promise.withResolvers<void>();
  const firstIsThrough = Promise.withResolvers<void>();
  // Everyone has asked for everything before the first hears that it is too much, and the others hear it when that one knows what goes.
  const fetch: Fetch = async (_url, { body }) => {
    if ((body as string).includes("stream_options")) {
      asked += 1;
      const isOther = asked > 1 && asked <= 8;
      if (asked === 8) all.resolve();
      await (isOther ? firstIsThrough : all).promise;
      return new Response("no", { status: 400 });
    }
    firstIsThrough.resolve();
    return new Response('data: {"choices":[{"delta":{"content":"x"},"finish_reason":"stop"}]}\n\ndata: [DONE]\n\n');
  };
  const engine = openaiChat({ baseUrl: "http://m.test", model: "m", fetch });
  const texts = await Promise.all(Array.from({ length: 8 }, async () => textsOf(await collect(engine.run(testTurn("hi"), { signal }))).join("")));
  assert.equal(texts.join(""), "xxxxxxxx");
});

test("ends that are no end fail the turn, by name, and what came before is delivered", async () => {
  const cases: readonly (readonly [Behaviour, string])[] = [
    [{ fault: "error", after: 2, tokens: 5 }, "MODEL_STREAM_ERROR"],
    [{ fault: "no-finish", after: 2, tokens: 2 }, "MODEL_NO_FINISH"],
    [{ fault: "finish-error", tokens: 2 }, "MODEL_FINISH_ERROR"],
    [{ fault: "fin", after: 2, tokens: 5 }, "MODEL_STREAM_CUT"],
    [{ fault: "rst", after: 2, tokens: 5 }, "MODEL_STREAM_CUT"],
    [{ fault: "eof", after: 2, tokens: 5 }, "MODEL_STREAM_CUT"],
    [{ fault: "garbage", after: 2, tokens: 5 }, "MODEL_STREAM_INVALID"],
  ];
  await using model = await startFaultyModel();
  for (const [behaviour, reason] of cases) {
    const got: AgentEvent[] = [];
    const error = await failureOf(run(model.url, behaviour, {}, (event) => got.push(event)));
    assert.deepEqual([error.code, error.reason, error.retryable, textsOf(got).length], ["engine-failed", reason, true, 2], reason);
  }
});

test("what a request is to blame for in mid-stream is not retryable", async () => {
  const frame = 'data: {"error": {"message": "too long for sk-1234567890", "type": "BadRequestError", "code": 400}}\n\ndata: [DONE]\n\n';
  const error = await failureOf(
    collect(openaiChat({ baseUrl: "http://m.test", model: "m", fetch: async () => new Response(frame) }).run(testTurn("x"), { signal })),
  );
  assert.deepEqual([error.reason, error.retryable, error.details["httpStatus"]], ["MODEL_REQUEST_REFUSED", false, "400"]);
  assert.match(error.message, /too long for \[redacted\]/);
});

test("a stream that is cut at any byte before the end of [DONE] never completes a turn; what was whole was delivered", async () => {
  const said = ["He", "llo ", "wörld 🙂", "\n\n", "data: x"];
  const frames = [...said.map((content) => ({ choices: [{ delta: { content } }] })), { choices: [{ delta: {}, finish_reason: "stop" }] }];
  const whole = new TextEncoder().encode([...frames.map((frame) => JSON.stringify(frame)), "[DONE]"].map((data) => `data: ${data}\n\n`).join(""));
  for (let cut = 0; cut < whole.length; cut += 1) {
    const got: AgentEvent[] = [];
    const engine = openaiChat({ baseUrl: "http://m.test", model: "m", fetch: async () => new Response(whole.slice(0, cut)) });
    const error = await failureOf(collect(engine.run(testTurn("x"), { signal }), (event) => got.push(event)));
    assert.equal(error.reason, "MODEL_STREAM_CUT", `cut at ${cut}`);
    assert.deepEqual(textsOf(got), said.slice(0, textsOf(got).length), `cut at ${cut}`);
  }
  // However the bytes are dealt out, the pieces are the model's.
  for (const size of [1, 2, 3, 7, 50, whole.length]) {
    const dealt = new ReadableStream<Uint8Array>({
      start(controller) {
        for (let from = 0; from < whole.length; from += size) controller.enqueue(whole.slice(from, from + size));
        controller.close();
      },
    });
    const engine = openaiChat({ baseUrl: "http://m.test", model: "m", fetch: async () => new Response(dealt) });
    assert.deepEqual(textsOf(await collect(engine.run(testTurn("x"), { signal }))), said, `pieces of ${size} bytes`);
  }
});

test("sixty turns at once on one engine, with faults among them: each gets its own answer or its own failure", async () => {
  await using model = await startFaultyModel({ seed: 3, mix: { none: 6, error: 1, rst: 1, eof: 1, "no-finish": 1 }, defaults: { after: 2 } });
  await using engine = openaiChat({ baseUrl: model.url, model: "faulty" });
  const results = await Promise.all(
    Array.from({ length: 60 }, async (_, id) => {
      try {
        return textsOf(await collect(engine.run(turnFor({ say: `I am number ${id}`, id }), { signal }))).join("");
      } catch (error) {
        return IasError.from(error).reason;
      }
    }),
  );
  const expected = { none: undefined, error: "MODEL_STREAM_ERROR", rst: "MODEL_STREAM_CUT", eof: "MODEL_STREAM_CUT", "no-finish": "MODEL_NO_FINISH" };
  for (const { behaviour } of model.requests) {
    const fault = (behaviour.fault ?? "none") as keyof typeof expected;
    assert.equal(results[Number(behaviour.id)], expected[fault] ?? behaviour.say);
  }
  assert.ok(new Set(results).size > 30);
});

test("429 and 503 are waited out as the server says, told as retry-wait", async () => {
  const clock = createManualClock();
  await using model = await startFaultyModel();
  for (const fault of ["rate-limit", "unavailable"] as const) {
    const events: AgentEvent[] = [];
    const turn = run(model.url, { fault, retryAfter: 20, times: 2, say: "at last" }, { clock }, (event) => events.push(event));
    for (let n = 0; n < 2; n += 1) {
      await clock.sleeping(20_000);
      clock.advance(20_000);
    }
    await turn;
    assert.deepEqual(events.map(label).slice(0, 8), "connecting working retry-wait-20000 connecting working retry-wait-20000 connecting working".split(" "));
    assert.equal(textsOf(events).join(""), "at last");
  }
});

test("without Retry-After the waits double; their number and their sum are bounded, and the failure says when to come back", async () => {
  await using model = await startFaultyModel();
  const waits: number[] = [];
  const clock = { now: () => 0, sleep: async (ms: number) => void waits.push(ms) };
  const error = await failureOf(run(model.url, { fault: "rate-limit" }, { clock, random: () => 0.5, maxRetries: 6 }));
  assert.deepEqual(waits, [1000, 2000, 4000, 8000, 16_000, 30_000]);
  assert.deepEqual([error.reason, error.retryable, error.details["httpStatus"]], ["MODEL_RATE_LIMIT", true, "429"]);

  const tooLong = await failureOf(run(model.url, { fault: "unavailable", retryAfter: 500 }, { clock }));
  assert.deepEqual([tooLong.reason, tooLong.retryAfterMs], ["MODEL_UNAVAILABLE", 500_000]);
  const none = await failureOf(run(model.url, { fault: "rate-limit", retryAfter: 1, id: 2 }, { clock, maxRetries: 0 }));
  assert.equal(none.retryAfterMs, 1000);
  assert.equal(waits.length, 6);
});

test("a wait for a rate limit holds the process, also a program of which nothing else is open", async () => {
  const program = `
    import { openaiChat } from ${JSON.stringify(import.meta.resolve("./openai-chat.ts"))};
    let asked = 0;
    const frames = 'data: {"choices":[{"delta":{"content":"here"},"finish_reason":"stop"}]}\\n\\ndata: [DONE]\\n\\n';
    const fetch = async () => ((asked += 1) === 1 ? new Response("", { status: 429 }) : new Response(frames));
    const engine = openaiChat({ baseUrl: "http://m.test", model: "m", fetch, retryBaseMs: 100 });
    const message = { messageId: "1", role: "ROLE_USER", parts: [{ text: "hi" }] };
    const turn = { agent: "a", input: [message], history: async () => [], references: async () => [] };
    for await (const event of engine.run(turn, { signal: new AbortController().signal })) if (event.kind === "text") console.log(event.text);
  `;
  const child = spawn(process.execPath, ["--input-type=module", "--eval", program], { stdio: ["ignore", "pipe", "inherit"] });
  const [out, [code]] = await Promise.all([readText(child.stdout), once(child, "exit")]);
  assert.deepEqual([out, code], ["here\n", 0]);
});

test("a server that fails before the stream is told as such, and not asked again here", async () => {
  await using model = await startFaultyModel();
  const error = await failureOf(run(model.url, { fault: "server-error" }));
  assert.deepEqual([error.reason, error.retryable, error.details["httpStatus"], model.requests.length], ["MODEL_UNAVAILABLE", true, "500", 1]);
});

test("a connection that fails is tried again; nobody there is a retryable failure, a name that does not exist is not", async () => {
  const gone = await startFaultyModel();
  await gone[Symbol.asyncDispose]();
  const waits: number[] = [];
  const clock = { now: () => 0, sleep: async (ms: number) => void waits.push(ms) };
  const events: AgentEvent[] = [];
  const error = await failureOf(run(gone.url, {}, { clock, random: () => 0.5 }, (event) => events.push(event)));
  assert.deepEqual([error.reason, error.retryable, error.details["networkCode"]], ["MODEL_UNREACHABLE", true, "ECONNREFUSED"]);
  assert.deepEqual(waits, [250, 500, 1000]);
  assert.deepEqual(events.map(label).slice(0, 3), ["connecting", "retry-wait-250", "connecting"]);

  const notFound = Object.assign(new Error("getaddrinfo"), { code: "ENOTFOUND" });
  const unknown = openaiChat({ baseUrl: "http://m.test", model: "m", fetch: () => Promise.reject(new TypeError("fetch failed", { cause: notFound })) });
  assert.equal((await failureOf(collect(unknown.run(testTurn("x"), { signal })))).retryable, false);
});

test("silence ends nothing: an hour of prefill and an hour between tokens, by the server's clock", async () => {
  const clock = createManualClock();
  await using model = await startFaultyModel({ clock });
  const turn = run(model.url, { fault: "slow", gapMs: 3_600_000, prefillMs: 3_600_000, tokens: 3 });
  for (let n = 0; n < 3; n += 1) {
    await clock.sleeping(3_600_000);
    clock.advance(3_600_000);
  }
  assert.equal(textsOf(await turn).length, 3);
});

test("connections have no time-out of their own: hours of undici's clock pass without headers, and in the body", async () => {
  const clock = createManualClock();
  await using model = await startFaultyModel({ clock });
  // The clock by which undici gives a silent server up after 300 s; its module says that this is there for tests.
  const timers = createRequire(import.meta.url)("undici/lib/util/timers") as { tick(ms: number): void };
  const hours = (): void => {
    for (let n = 0; n < 4; n += 1) timers.tick(3_600_000);
  };
  const leave = new AbortController();
  const events: AgentEvent[] = [];
  const headless = run(model.url, { fault: "no-headers" }, {}, (event) => events.push(event), leave.signal);
  const drive = async (): Promise<void> => {
    await until("the request", () => model.requests.length === 1);
    hours();
    // A request that was given up would have been told, and sent again.
    await run(model.url, { say: "ok" });
    assert.deepEqual([events.map(label), model.requests.length], [["connecting", "working"], 2]);
    leave.abort();
  };
  await Promise.all([headless, drive()]);

  const heard: AgentEvent[] = [];
  const turn = run(model.url, { prefillMs: 1, gapMs: 1, tokens: 2 }, {}, (event) => heard.push(event));
  const pass = async (): Promise<void> => {
    for (const last of ["bytes", "text"]) {
      await Promise.all([clock.sleeping(1), until(last, () => heard.map(label).at(-1) === last)]);
      hours();
      clock.advance(1);
    }
  };
  assert.equal(textsOf((await Promise.all([turn, pass()]))[0]).length, 2);
});

test("aborting a turn closes its request, before an answer, in a stall, in a wait for a rate limit", async () => {
  await using model = await startFaultyModel();
  for (const fault of ["no-headers", "prefill", "stall", "lost"] as const) {
    const abort = new AbortController();
    const turn = run(model.url, { fault }, {}, undefined, abort.signal);
    await until("the request", () => model.requests.at(-1)?.behaviour.fault === fault);
    abort.abort();
    assert.deepEqual(textsOf(await turn), []);
    await until("the end of the request", () => model.requests.at(-1)?.aborted === true);
  }
  assert.equal(model.counters.running, 0);
  const abort = new AbortController();
  const waiting = run(model.url, { fault: "rate-limit", retryAfter: 100 }, {}, (event) => label(event).startsWith("retry-wait") && abort.abort(), abort.signal);
  assert.deepEqual(textsOf(await waiting), []);
});

test("a consumer that leaves closes the request; an answer that ends well leaves its connection for the next", async () => {
  await using model = await startFaultyModel();
  await using engine = openaiChat({ baseUrl: model.url, model: "faulty" });
  for await (const event of engine.run(turnFor({ fault: "stall", after: 1, tokens: 2 }), { signal })) if (event.kind === "text") break;
  await until("the end of the request", () => model.requests[0]?.aborted === true);
  for (let n = 0; n < 3; n += 1) await collect(engine.run(turnFor({ say: "x", id: n }), { signal }));
  await until("the ends", () => model.requests.every(({ ended, aborted }) => ended || aborted));
  assert.deepEqual(
    model.requests.map(({ aborted }) => aborted),
    [true, false, false, false],
  );
});
