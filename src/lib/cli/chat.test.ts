import assert from "node:assert/strict";
import test, { type TestContext } from "node:test";
import { runIas, type IasRun, type IasWorld } from "../../../test/support/run-ias.ts";
import { agentOf, serving } from "../../../test/support/serving.ts";
import type { Script } from "../../../test/servers/script.ts";
import { startSdkServer } from "../../../test/servers/sdk-js.ts";
import type { AgentEvent, Turn } from "../engine/engine.ts";
import type { Server } from "../main/server.ts";
import { chatCommand } from "./chat.ts";
import type { Io } from "./command.ts";

const ias = (argv: readonly string[], world?: IasWorld): Promise<IasRun> => runIas([chatCommand], ["chat", ...argv], world);

/** What the user of a turn said last. */
const said = (turn: Turn): string => turn.input.flatMap(({ parts }) => parts.map((part) => part.text ?? "")).join("");

/** A Ctrl-C that a test presses. */
function interrupts(): { readonly onInterrupt: Io["onInterrupt"]; press(signal?: "SIGINT" | "SIGTERM"): void } {
  let pressed: ((signal: "SIGINT" | "SIGTERM") => void) | undefined;
  return {
    onInterrupt(handler) {
      pressed = handler;
      return () => (pressed = undefined);
    },
    press: (signal = "SIGINT") => pressed?.(signal),
  };
}

/** An agent that says "one ", then waits until it is let on (or canceled), then says "two". */
async function pausing(t: TestContext): Promise<{ readonly server: Server; on(): void }> {
  const gate = Promise.withResolvers<void>();
  const run = async function* (_turn: Turn, signal: AbortSignal): AsyncGenerator<AgentEvent> {
    yield { kind: "text", text: "one " };
    const aborted = new Promise((resolve) => signal.addEventListener("abort", resolve, { once: true }));
    await Promise.race([gate.promise, aborted]);
    if (!signal.aborted) yield { kind: "text", text: "two" };
  };
  const server = await serving(t, [agentOf(run)]);
  return { server, on: () => gate.resolve() };
}

test("the answer goes to stdout, tools to stderr, and nothing of an agent drives the terminal", async (t) => {
  const server = await serving(t, [
    agentOf(async function* () {
      yield { kind: "tool-call", call: "1", name: "to\u001b[31mol\nx", arguments: "{}" };
      yield { kind: "tool-result", call: "1", name: "to\u001b[31mol\nx", output: "", failed: false };
      for (const text of ["a\u001b", "]52;c;ZXZp", "bA==\u0007", "b\r", "\u202ec\n"]) yield { kind: "text", text };
    }),
  ]);
  const { code, out, err } = await ias([server.url, "hi"]);
  assert.equal(out, "a]52;c;ZXZpbA==bc\n");
  assert.equal(err, "  → to[31mol x\n  ← to[31mol x done\n");
  assert.equal(code, 0);
});

test("with --json each item is a line, whatever the agent says, and notes are left out", async (t) => {
  const server = await serving(t, [
    agentOf(async function* () {
      yield { kind: "text", text: "\u001b[2J\u009b1m\u202e\n" };
    }),
  ]);
  const { code, out, err } = await ias([server.url, "hi", "--json"], { answers: [] });
  assert.deepEqual({ code, err }, { code: 0, err: "" });
  assert.ok(!["\u001b", "\u009b", "\u202e"].some((one) => out.includes(one)));
  const items = out
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as { readonly event: object; readonly cursor: string });
  assert.match(JSON.stringify(items), /"text":"\\u001b\[2J\u009b1m\u202e\\n"/);
  assert.ok(items.every(({ cursor }) => /\.\d+$/.test(cursor)));
});

test("a task that fails or is rejected exits 3 and says so", async (t) => {
  const server = await serving(t, [
    agentOf(async function* (turn) {
      if (said(turn) === "reject") yield { kind: "end", outcome: "rejected", message: [{ text: "not my field" }] };
      else throw new Error("boom");
    }),
  ]);
  const rejected = await ias([server.url, "reject"]);
  assert.deepEqual([rejected.code, rejected.out, rejected.err], [3, "not my field\n", "  The task was rejected by the agent.\n"]);
  const failed = await ias([server.url, "fail"]);
  assert.equal(failed.code, 3);
  assert.match(failed.err, /The task failed\./);
});

test("line after line is one conversation, until an empty line", async (t) => {
  const contexts: string[] = [];
  const server = await serving(t, [
    agentOf(
      async function* (turn) {
        contexts.push(turn.context);
        yield { kind: "text", text: `heard ${said(turn)}` };
      },
      { name: "Bob\u001b[1m" },
    ),
  ]);
  const questions: string[] = [];
  const { code, out, err } = await ias([server.url], { answers: ["a", " b ", ""], asked: (question) => questions.push(question) });
  assert.equal(code, 0);
  assert.equal(out, "heard a\nheard b\n");
  assert.match(err, /^Bob\[1m: A2A 1\.0 over \w+, resumable\. An empty line ends\.\n$/);
  assert.deepEqual(questions, ["> ", "> ", "> "]);
  assert.equal(new Set(contexts).size, 1);
});

test("a task that waits is answered in the terminal, or later with --resume", async (t) => {
  const server = await serving(t, [
    agentOf(async function* (turn) {
      if (said(turn).endsWith("blue")) yield { kind: "text", text: "blue it is" };
      else yield { kind: "interrupt", reason: "input", message: [{ text: "Which colour?" }] };
    }),
  ]);
  const live = await ias([server.url, "paint"], { answers: ["blue"] });
  assert.deepEqual([live.code, live.out], [0, "Which colour?\nblue it is\n"]);
  const waiting = await ias([server.url, "paint"]);
  assert.deepEqual([waiting.code, waiting.out], [0, "Which colour?\n"]);
  const task = /--resume (\S+) "…"\n$/.exec(waiting.err)?.[1] ?? assert.fail(waiting.err);
  const seen = await ias([server.url, "--resume", task]);
  assert.deepEqual([seen.code, seen.out], [0, "Which colour?\n"]);
  const left = await ias([server.url, "--resume", task], { answers: [undefined] });
  assert.match(left.err, /still waits for an answer/);
  const answered = await ias([server.url, "--resume", task, "blue"]);
  assert.deepEqual([answered.code, answered.out], [0, "blue it is\n"]);
  const over = await ias([server.url, "--resume", task]);
  assert.deepEqual([over.code, over.out], [0, "blue it is\n"]);
  const late = await ias([server.url, "--resume", task, "green"]);
  assert.equal(late.code, 1);
  assert.equal((await ias([server.url, "--resume", "nonesuch"])).code, 1);
});

test("Ctrl-C asks; the answer waits meanwhile, and goes on after Enter", async (t) => {
  const { server, on } = await pausing(t);
  const { press, onInterrupt } = interrupts();
  const order: string[] = [];
  let pressed = false;
  const { code, out } = await ias([server.url, "go"], {
    answers: [""],
    onInterrupt,
    wrote: (text) => {
      order.push(text);
      if (text !== "one " || pressed) return;
      pressed = true;
      press();
    },
    asked: (question) => {
      order.push(question);
      on();
    },
  });
  assert.deepEqual([code, out], [0, "one \ntwo\n"]);
  assert.deepEqual(order, ["one ", "\n", "[c]ancel the task, [d]etach and leave it running, or Enter to go on? ", "two", "\n"]);
});

test("Ctrl-C and c cancels the task: exit 3", async (t) => {
  const { server } = await pausing(t);
  const { press, onInterrupt } = interrupts();
  const { code, err } = await ias([server.url, "go"], { answers: ["c"], onInterrupt, wrote: (text) => text === "one " && press() });
  assert.equal(code, 3);
  assert.match(err, /The task was canceled\./);
});

for (const [how, answers, presses] of [
  ["d", ["d"], ["SIGINT"]],
  ["the end of input", [undefined], ["SIGINT"]],
  ["without a terminal", undefined, ["SIGINT"]],
  ["SIGTERM", [], ["SIGTERM"]],
  ["a second Ctrl-C", [""], ["SIGINT", "SIGINT"]],
] as const) {
  test(`Ctrl-C leaves the task running: ${how}`, async (t) => {
    const { server, on } = await pausing(t);
    const { press, onInterrupt } = interrupts();
    const { code, out, err } = await ias([server.url, "go"], {
      ...(answers !== undefined && { answers }),
      onInterrupt,
      wrote: (text) => {
        if (text === "one ") for (const signal of presses) press(signal);
      },
    });
    assert.deepEqual([code, out], [130, "one \n"]);
    const task = /The task goes on\. .*--resume (\S+)\n$/.exec(err)?.[1] ?? assert.fail(err);
    on();
    const again = await ias([server.url, "--resume", task]);
    assert.deepEqual([again.code, again.out], [0, "one two\n"]);
  });
}

test("a path that no agent has is refused, and nothing is sent to the server's default agent", async (t) => {
  let turns = 0;
  const server = await serving(t, [
    agentOf(async function* () {
      turns += 1;
      yield { kind: "text", text: "hi" };
    }),
  ]);
  const { code, err } = await ias([`${server.url}/a2a/nope`, "hi"]);
  assert.equal(code, 1);
  assert.match(err, /there is no agent at .*\/a2a\/nope; the card at .* is of .*\/a2a\/agent\./);
  assert.equal(turns, 0);
  for (const url of [`${server.url}/a2a/agent`, `${server.url}/a2a/agent/`, `${server.url}/.well-known/agent-card.json`, server.url.replace("http://", "")])
    assert.equal((await ias([url, "hi"])).code, 0, url);
});

for (const version of ["1.0", "0.3"] as const) {
  test(`an agent of the official SDK that speaks ${version} is talked to`, async (t) => {
    const agent = await startSdkServer({ version });
    t.after(() => agent[Symbol.asyncDispose]());
    const { code, out, err } = await ias([agent.url, JSON.stringify({ do: "chunks", chunks: ["a ", "b ", "c"] } satisfies Script)]);
    assert.deepEqual([code, out, err], [0, "a b c\n", ""]);
  });
}
