import assert from "node:assert/strict";
import { test } from "node:test";
import { setImmediate as tick } from "node:timers/promises";
import type { ResumeState } from "../log/log.ts";
import { testTurn } from "../testing/test-turn.ts";
import type { AgentEvent } from "./engine.ts";
import { say, scripted, tokens } from "./scripted.ts";

const { signal } = new AbortController();

test("say streams one text event per token, and waits between two of them", async () => {
  const waits: number[] = [];
  const engine = scripted([{ kind: "say", text: "one two  three" }], { tokenMs: 7, sleep: async (ms) => void waits.push(ms) });
  assert.deepEqual(await texts(engine.run(testTurn("hi"), { signal })), ["one ", "two ", " three"]);
  assert.deepEqual(waits, [7, 7]);
});

test("tokens of any text join to the text", () => {
  for (const text of ["", " ", "a", "  a b\n\nc ", "日本 語", "\t\n"]) assert.equal(tokens(text).join(""), text);
});

test("echo says what the user said", async () => {
  const engine = scripted([{ kind: "echo", prefix: "You said: " }], { tokenMs: 0 });
  assert.equal((await texts(engine.run(testTurn("hello there"), { signal }))).join(""), "You said: hello there");
});

test("ask ends the turn and the next turn goes on after it", async () => {
  const engine = scripted(
    [
      { kind: "ask", question: "Which city?" },
      { kind: "echo", prefix: "Going to " },
    ],
    { tokenMs: 0 },
  );
  const [ask] = await all(engine.run(testTurn("book"), { signal }));
  assert.equal(ask?.kind, "interrupt");
  const state = ask?.kind === "interrupt" ? ask.state : undefined;
  assert.ok(state);
  assert.equal((await texts(engine.run(testTurn("Oslo", { state }), { signal }))).join(""), "Going to Oslo");
});

test("a saved position that the script does not have is an error that says so", async () => {
  const state: ResumeState = { version: "scripted/1", data: "9" };
  await assert.rejects(all(scripted([{ kind: "echo" }]).run(testTurn("x", { state }), { signal })), { code: "corrupt", message: /1 steps.*"9"/ });
});

test("fail throws, with retryable as given", async () => {
  const engine = scripted([{ kind: "fail", message: "no luck", retryable: true }]);
  await assert.rejects(all(engine.run(testTurn("x"), { signal })), { code: "engine-failed", message: "no luck", retryable: true });
});

test("a function that hangs is ended by the signal, and told", async () => {
  const abort = new AbortController();
  let closed = false;
  const engine = scripted(async function* () {
    try {
      yield { kind: "text", text: "a" };
      await new Promise(() => {});
    } finally {
      closed = true;
    }
  });
  const iterator = engine.run(testTurn("x"), { signal: abort.signal })[Symbol.asyncIterator]();
  await iterator.next();
  const hanging = iterator.next();
  await tick();
  abort.abort();
  assert.equal((await hanging).done, true);
  assert.equal(closed, false, "a generator that hangs can be left, not closed");
});

test("leaving the loop closes the script", async () => {
  let closed = false;
  const engine = scripted(async function* (_turn, options) {
    try {
      yield* say("a b c d", { ...options, tokenMs: 0 });
    } finally {
      closed = true;
    }
  });
  for await (const _event of engine.run(testTurn("x"), { signal })) break;
  assert.equal(closed, true);
});

async function all(events: AsyncIterable<AgentEvent>): Promise<readonly AgentEvent[]> {
  const list: AgentEvent[] = [];
  for await (const event of events) list.push(event);
  return list;
}

async function texts(events: AsyncIterable<AgentEvent>): Promise<readonly string[]> {
  return (await all(events)).flatMap((event) => (event.kind === "text" ? [event.text] : []));
}
