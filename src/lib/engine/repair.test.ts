import assert from "node:assert/strict";
import { test } from "node:test";
import { collect, textsOf } from "../testing/engine-support.ts";
import { testTurn } from "../testing/test-turn.ts";
import type { AgentEvent } from "./engine.ts";
import { createFeed } from "./openai-agents/feed.ts";
import { openaiChat } from "./openai-chat.ts";
import { createRepair } from "./repair.ts";
import { toEvent } from "./to-event.ts";

const { signal } = new AbortController();

/** What a model server's frames become. */
async function answer(...frames: readonly unknown[]): Promise<readonly AgentEvent[]> {
  const body = [...frames.map((frame) => JSON.stringify(frame)), "[DONE]"].map((data) => `data: ${data}\n\n`).join("");
  const engine = openaiChat({
    baseUrl: "http://model.test/v1",
    model: "m",
    fetch: async () => new Response(body, { headers: { "content-type": "text/event-stream" } }),
  });
  const events = await collect(engine.run(testTurn("go"), { signal }));
  events.forEach((event, n) => toEvent(event, n));
  return events;
}

const delta = (delta: object, finish_reason: string | null = null): object => ({ choices: [{ index: 0, delta, finish_reason }] });

test("a model's characters that are cut between two chunks are whole, and a lone half is U+FFFD", async () => {
  const chunks = ["a\ud83d", "\ude42b", "\ud83d", "c"].map((content) => delta({ content }));
  const events = await answer(...chunks, delta({}, "stop"));
  assert.equal(textsOf(events).join(""), "a\u{1f642}b\ufffdc");
  const refused = await answer(delta({ refusal: "No\ud83d" }), delta({}, "stop"));
  assert.deepEqual(refused.at(-1), { kind: "end", outcome: "rejected", message: [{ text: "No\ufffd" }], metadata: { finishReason: "stop" } });
});

test("calls with numbers for ids, and counts that are none, do not fail a turn", async () => {
  const call = { index: 0, id: 7, function: { name: "f", arguments: '{"a":"\ud83d' } };
  const rest = { index: 0, id: 7, function: { arguments: '"}' } };
  const usage = { prompt_tokens: "3", completion_tokens: 2, total_tokens: null, prompt_tokens_details: { cached_tokens: null } };
  const events = await answer(delta({ tool_calls: [call] }), delta({ tool_calls: [rest] }), { ...delta({}, "tool_calls"), usage });
  assert.deepEqual(
    events.filter(({ kind }) => kind === "tool-call" || kind === "usage"),
    [
      { kind: "usage", usage: { inputTokens: 0, outputTokens: 2, totalTokens: 2, model: "m" } },
      { kind: "tool-call", call: "7", name: "f", arguments: '{"a":"\ufffd"}', idempotent: true },
    ],
  );
});

test("what the Agents SDK pushes is made whole too", async () => {
  const feed = createFeed(signal, { maxEventsAhead: 10 });
  for (const text of ["a\ud83d", "\ude42"]) feed.push({ kind: "reasoning", text });
  feed.push({ kind: "note", name: "n", value: { cut: "\ud83d" } });
  feed.end();
  assert.deepEqual(await collect(feed.events()), [
    { kind: "reasoning", text: "a" },
    { kind: "reasoning", text: "\u{1f642}" },
    { kind: "note", name: "n", value: { cut: "\ufffd" } },
  ]);
});

test("an event that needs nothing is handed on as it is", () => {
  const repair = createRepair();
  for (const event of [
    { kind: "text", text: "a" },
    { kind: "liveness", signal: { kind: "bytes" } },
  ] as const)
    assert.equal(repair(event), event);
});
