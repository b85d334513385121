import assert from "node:assert/strict";
import { test } from "node:test";
import { createSseParser } from "../../src/lib/stream/sse-parse.ts";
import { createManualClock } from "../support/manual-clock.ts";
import { type Behaviour, promptFor, spawnFaultyModel, startFaultyModel, until } from "../support/faulty-model.ts";
import { FAULTS, firstObject } from "./faulty-model/behaviour.ts";

type Json = any; // oxlint-disable-line typescript/no-explicit-any -- what comes is looked at by the assertions

const VLLM = { stream_options: { include_usage: true, continuous_usage_stats: true }, return_token_ids: true };

test("an answer says what was asked, word by word, and the counters have counted it", async () => {
  await using model = await startFaultyModel();
  const { frames } = await ask(model.url, { say: "one two three" }, { stream_options: { include_usage: true } });
  assert.deepEqual(texts(frames), ["one ", "two ", "three"]);
  assert.equal(frames.at(-1), "[DONE]");
  assert.equal(frames.at(-2).usage.completion_tokens, 3);
  assert.equal(frames.at(-3).choices[0].finish_reason, "stop");
  assert.match(await metrics(model.url), /^vllm:generation_tokens_total\{engine="0",model_name="faulty"\} 3\.0$/m);
  assert.match(await metrics(model.url), /^vllm:num_requests_running\{.*\} 0\.0$/m);
  assert.match(await metrics(model.url), /finished_reason="stop"\} 1\.0$/m);
});

test("the same prompt gets the same words, another seed others; a blocking answer says the same", async () => {
  await using model = await startFaultyModel();
  await using other = await startFaultyModel({ seed: 2 });
  const [first, second, third] = await Promise.all([model, model, other].map(async ({ url }) => texts((await ask(url, { tokens: 20 })).frames).join("")));
  assert.equal(first, second);
  assert.notEqual(first, third);
  const blocking = await post(model.url, { tokens: 20 }, { stream: false });
  assert.equal(((await blocking.json()) as Json).choices[0].message.content, first);
});

test("vLLM's parameters: usage and token ids on each chunk where honoured, nothing where ignored, 400 where strict", async () => {
  await using vllm = await startFaultyModel();
  await using llama = await startFaultyModel({ parameters: "ignore", metrics: "llama" });
  await using strict = await startFaultyModel({ parameters: "strict", metrics: "none" });
  const honoured = (await ask(vllm.url, { say: "a b", batch: 2 }, VLLM)).frames;
  assert.deepEqual(honoured[1].choices[0].token_ids, [0, 1]);
  assert.equal(honoured[1].usage.completion_tokens, 2);
  const ignored = (await ask(llama.url, { say: "a b" }, VLLM)).frames;
  assert.deepEqual([ignored[1].choices[0].token_ids, ignored[1].usage], [undefined, undefined]);
  assert.match(await metrics(llama.url), /^llamacpp:tokens_predicted_total 2$/m);
  const refused = await post(strict.url, { say: "a" }, { stream: true, ...VLLM });
  assert.deepEqual([refused.status, /return_token_ids/.test(await refused.text())], [400, true]);
  assert.equal((await fetch(`${strict.url}/metrics`)).status, 404);
});

test("stall and recover, slow and prefill by an injected clock: the request is running all the time", async () => {
  const clock = createManualClock();
  await using model = await startFaultyModel({ clock });
  const answer = ask(model.url, { fault: "slow", tokens: 4, gapMs: 60_000, prefillMs: 600_000 });
  await clock.sleeping(600_000);
  assert.equal(model.counters.running, 1);
  clock.advance(600_000);
  for (let n = 1; n < 4; n += 1) {
    await clock.sleeping(60_000);
    assert.equal(model.counters.generationTokens, n);
    clock.advance(60_000);
  }
  assert.equal(texts((await answer).frames).length, 4);

  const paused = ask(model.url, { fault: "stall-recover", after: 2, tokens: 5, forMs: 7000 });
  await clock.sleeping(7000);
  assert.equal(model.requests[1]?.reply?.chunks, 2);
  clock.advance(7000);
  assert.equal(texts((await paused).frames).length, 5);
});

test("a stalled request is counted as running, a lost one is not; both keep the connection open, and end with it", async () => {
  await using model = await startFaultyModel();
  for (const [fault, running] of [
    ["stall", 1],
    ["lost", 0],
  ] as const) {
    const leave = new AbortController();
    const answer = ask(model.url, { fault, after: 3, tokens: 9 }, {}, leave.signal);
    await until("three tokens", () => model.requests.at(-1)?.reply?.chunks === 3);
    await until("the fault", () => model.counters.running === running);
    leave.abort();
    await assert.rejects(answer);
    await until("the end of the request", () => model.requests.at(-1)?.aborted === true && model.counters.running === 0);
  }
  assert.equal(model.counters.ended.abort, 1);
});

test("connections end by FIN, by RST, and well but early; the tokens before arrive", async () => {
  await using model = await startFaultyModel();
  for (const fault of ["fin", "rst", "eof"] as const) {
    const { frames, failed } = await ask(model.url, { fault, after: 3, tokens: 9 });
    assert.equal(texts(frames).length, 3, fault);
    assert.equal(frames.includes("[DONE]"), false);
    assert.equal(failed, fault !== "eof", fault);
  }
});

test("ends that are no success: an error frame, no finish_reason, finish_reason error", async () => {
  await using model = await startFaultyModel();
  const failed = (await ask(model.url, { fault: "error", after: 1, tokens: 3 })).frames;
  assert.deepEqual([failed.at(-2).error.code, failed.at(-1)], [500, "[DONE]"]);
  const reasons = async (fault: "no-finish" | "finish-error"): Promise<unknown[]> =>
    (await ask(model.url, { fault })).frames.flatMap((frame: Json) => frame.choices?.[0]?.finish_reason ?? []);
  assert.deepEqual(await reasons("no-finish"), []);
  assert.deepEqual(await reasons("finish-error"), ["error"]);
});

test("a parser that holds tokens: counters move, no chunk comes, unless token ids were asked for", async () => {
  const clock = createManualClock();
  await using model = await startFaultyModel({ clock });
  const behaviour: Behaviour = { fault: "hold", after: 2, hold: 5, tokens: 9, gapMs: 100 };
  for (const more of [{}, VLLM]) {
    const before = model.counters.generationTokens;
    const answer = ask(model.url, behaviour, more);
    for (let n = 1; n < 9; n += 1) {
      await clock.sleeping(100);
      assert.equal(model.counters.generationTokens - before, n);
      clock.advance(100);
    }
    const { frames } = await answer;
    assert.equal(texts(frames).length, 5, "2 alone, 5 held as one, 2 alone");
    const heartbeats = frames.filter((frame: Json) => frame.choices?.[0]?.token_ids?.length === 1 && frame.choices[0].delta.content === undefined);
    assert.equal(heartbeats.length, more === VLLM ? 5 : 0);
  }
});

test("429 and 503 with Retry-After, so many times; a queue that does not move counts as waiting", async () => {
  await using model = await startFaultyModel({ slots: 1 });
  const limited: Behaviour = { fault: "rate-limit", times: 2, retryAfter: 3, say: "at last" };
  for (const expected of [429, 429, 200]) {
    const response = await post(model.url, limited);
    assert.deepEqual([response.status, response.headers.get("retry-after")], [expected, expected === 429 ? "3" : null]);
    await response.text();
  }
  assert.equal((await post(model.url, { fault: "unavailable" })).status, 503);
  const leave = new AbortController();
  const stalled = ask(model.url, { fault: "stall", id: 1 }, {}, leave.signal);
  await until("one running", () => model.counters.running === 1);
  const second = ask(model.url, { say: "waited" });
  await until("one waiting", () => model.counters.waiting === 1);
  leave.abort();
  await assert.rejects(stalled);
  assert.deepEqual(texts((await second).frames), ["waited"]);
});

test("a script says what the nth request meets, a mix draws faults by seed and prompt whatever the order", async () => {
  await using scripted = await startFaultyModel({ script: [{ fault: "server-error" }, {}] });
  assert.deepEqual([(await post(scripted.url, { say: "x" })).status, (await post(scripted.url, { say: "x" })).status], [500, 200]);
  const met = async (ids: readonly number[]): Promise<string[]> => {
    await using model = await startFaultyModel({ seed: 7, mix: { none: 2, "server-error": 1, unavailable: 1 } });
    for (const id of ids) await (await post(model.url, { id })).text();
    return model.requests.map(({ behaviour }) => `${behaviour.id} ${behaviour.fault}`).sort();
  };
  const ids = Array.from({ length: 24 }, (_, n) => n);
  const seen = await met(ids);
  assert.deepEqual(seen, await met(ids.toReversed()));
  assert.equal(new Set(seen.map((one) => one.split(" ")[1])).size, 3);
});

test("tool calls come in pieces by index; after their results the answer comes", async () => {
  await using model = await startFaultyModel();
  const behaviour: Behaviour = { calls: [{ name: "add", arguments: '{"a": 1, "b": 2}' }], say: "3", reasoning: "let me see" };
  const { frames } = await ask(model.url, behaviour);
  const deltas = frames.flatMap((frame: Json) => frame.choices?.[0]?.delta?.tool_calls ?? []);
  assert.deepEqual([deltas[0].id, deltas[0].function.name, deltas.map((one: Json) => one.function.arguments).join("")], ["call-0", "add", '{"a": 1, "b": 2}']);
  assert.equal(frames.flatMap((frame: Json) => frame.choices?.[0]?.delta?.reasoning ?? []).join(""), "let me see");
  assert.equal(frames.at(-2).choices[0].finish_reason, "tool_calls");
});

test("it runs alone and prints where it is", async () => {
  await using model = await spawnFaultyModel({ model: "other" });
  assert.equal(((await (await fetch(`${model.url}/v1/models`)).json()) as Json).data[0].id, "other");
  assert.deepEqual(texts((await ask(model.url, { say: "alone" })).frames), ["alone"]);
});

test("the first JSON object of a prompt is found, whatever stands around it", () => {
  assert.deepEqual(firstObject('say {this} {"say": "a } b", "id": 1} and {"say": "c"}'), { say: "a } b", id: 1 });
  assert.equal(firstObject("nothing { here"), undefined);
  assert.equal(new Set(FAULTS).size, FAULTS.length);
});

interface Answer {
  readonly frames: Json[];
  /** The connection broke. */
  readonly failed: boolean;
}

async function ask(url: string, behaviour: Behaviour, more: object = {}, signal?: AbortSignal): Promise<Answer> {
  const response = await post(url, behaviour, { stream: true, ...more }, signal);
  const parser = createSseParser();
  const frames: Json[] = [];
  try {
    for await (const bytes of response.body ?? []) {
      for (const item of parser.push(bytes)) if (item.kind === "event") frames.push(item.data === "[DONE]" ? item.data : JSON.parse(item.data));
    }
  } catch (error) {
    if (signal?.aborted === true) throw error;
    return { frames, failed: true };
  }
  return { frames, failed: false };
}

function post(url: string, behaviour: Behaviour, more: object = { stream: true }, signal?: AbortSignal): Promise<Response> {
  const body = JSON.stringify({ model: "faulty", messages: [{ role: "user", content: promptFor(behaviour) }], ...more });
  return fetch(`${url}/v1/chat/completions`, { method: "POST", headers: { "content-type": "application/json" }, body, signal: signal ?? null });
}

async function metrics(url: string): Promise<string> {
  return (await fetch(`${url}/metrics`)).text();
}

function texts(frames: readonly Json[]): string[] {
  return frames.flatMap((frame) => frame.choices?.[0]?.delta?.content || []);
}
