import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { createMemoryStore } from "../../src/lib/log/memory.ts";
import type { Task } from "../../src/lib/model/a2a.ts";
import type { IasError } from "../../src/lib/model/errors.ts";
import { streamKey } from "../../src/lib/model/key.ts";
import { keptStore } from "../support/kept-store.ts";
import { messageOf } from "../support/messages.ts";
import { agentOf, collect, rpcClient, serving, statesOf, textOf, textsOf } from "../support/serving.ts";

/** A latch: a promise to wait for, and the way to open it. */
function latch(): { wait: Promise<void>; open: () => void } {
  const { promise, resolve } = Promise.withResolvers<void>();
  return { wait: promise, open: resolve };
}

function untilAborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason as Error), { once: true }));
}

describe("turns", () => {
  it("streams in lock step: token n + 1 is made only after the client has seen token n", async (t) => {
    const seen = Array.from({ length: 20 }, latch);
    const server = await serving(t, [
      agentOf(async function* () {
        for (const [n, token] of seen.entries()) {
          yield { kind: "text", text: `t${n} ` };
          await token.wait;
        }
      }),
    ]);
    const texts: string[] = [];
    for await (const { event } of rpcClient(`${server.url}/a2a/agent`).frames("SendStreamingMessage", { message: messageOf("go") })) {
      if (!("artifactUpdate" in event)) continue;
      texts.push(event.artifactUpdate.artifact.parts[0]?.text ?? "");
      seen[texts.length - 1]?.open();
    }
    assert.deepEqual(
      texts,
      seen.map((_, n) => `t${n} `),
    );
  });

  it("goes on without readers, and a disconnect cancels nothing", async (t) => {
    const go = latch();
    const aborts: boolean[] = [];
    const server = await serving(t, [
      agentOf(async function* (_turn, signal) {
        yield { kind: "text", text: "one " };
        await go.wait;
        aborts.push(signal.aborted);
        yield { kind: "text", text: "two" };
      }),
    ]);
    const client = rpcClient(`${server.url}/a2a/agent`);
    const leave = new AbortController();
    let id = "";
    try {
      for await (const { event } of client.frames("SendStreamingMessage", { message: messageOf("go") }, { signal: leave.signal })) {
        if ("task" in event) id = event.task.id;
        if ("artifactUpdate" in event) leave.abort();
      }
    } catch (error) {
      assert.equal((error as Error).name, "AbortError");
    }
    const reader = client.frames("SubscribeToTask", { id });
    const opening = await reader.next();
    assert.ok(opening.value !== undefined && "task" in opening.value.event);
    go.open();
    const received = await collect(reader);
    assert.deepEqual(aborts, [false]);
    assert.equal(statesOf(received).at(-1), "COMPLETED");
    assert.equal(textOf(await client.get(id)), "one two");
  });

  it("asks, waits for the answer, and goes on in the same task", async (t) => {
    const server = await serving(t, [
      agentOf(async function* (turn) {
        if (turn.state === undefined)
          yield { kind: "interrupt", reason: "input", message: [{ text: "Which colour?" }], state: { version: "t/1", data: "asked" } };
        else yield { kind: "text", text: `${turn.state.data}: ${turn.input[0]?.parts[0]?.text}` };
      }),
    ]);
    const client = rpcClient(`${server.url}/a2a/agent`);
    const first = await client.all("SendStreamingMessage", { message: messageOf("paint") });
    assert.deepEqual(statesOf(first), ["SUBMITTED", "WORKING", "INPUT_REQUIRED"], "the send stream ends with the turn");
    const id = first[0] !== undefined && "task" in first[0].event ? first[0].event.task.id : "";
    const watcher = client.all("SubscribeToTask", { id });
    const { task } = await client.send("red", { taskId: id });
    assert.equal(task.status.state, "TASK_STATE_COMPLETED");
    assert.equal(textOf(task), "asked: red");
    assert.deepEqual(
      task.history?.map((message) => message.parts[0]?.text),
      ["paint", "Which colour?", "red"],
    );
    assert.equal(statesOf(await watcher).at(-1), "COMPLETED", "a subscription stays open through the interruption");
  });

  it("takes many messages to one task at once: each is read once, none is refused, and no turn that runs is taken from its owner", async (t) => {
    const kept = await keptStore(t);
    for (const store of [createMemoryStore({}), kept]) {
      const reports: IasError[] = [];
      const server = await serving(
        t,
        [
          agentOf(async function* (turn) {
            yield { kind: "text", text: turn.input.map((message) => `[${message.parts[0]?.text}]`).join("") };
            await new Promise((resolve) => setImmediate(resolve));
            yield { kind: "interrupt", reason: "input", message: [{ text: "More?" }] };
          }),
        ],
        { store, report: (error) => void reports.push(error) },
      );
      const client = rpcClient(`${server.url}/a2a/agent`);
      for (let round = 0; round < 10; round += 1) {
        const { task } = await client.send("first");
        const words = Array.from({ length: 15 }, (_, n) => `m${n}`);
        await Promise.all(words.map(async (word) => client.send(word, { taskId: task.id }, { returnImmediately: true })));
        await client.send("last", { taskId: task.id });
        const after = await client.get(task.id);
        const said = after.history?.filter(({ role }) => role === "ROLE_USER").map(({ parts }) => parts[0]?.text);
        assert.deepEqual(said?.toSorted(), ["first", "last", ...words].toSorted());
        assert.deepEqual(
          textOf(after)
            .match(/[^[\]]+/g)
            ?.toSorted(),
          ["first", "last", ...words].toSorted(),
          "each is read in one turn",
        );
        const page = await store.log.read(streamKey({ tenant: "", user: "local" }, "agent", task.id), { after: 0, maxBytes: 2 ** 24 });
        assert.deepEqual(
          page?.entries.filter(({ attempt }) => attempt > 1).map(({ event }) => event),
          [],
          "nothing was cut off, and nothing is tried again",
        );
      }
      assert.deepEqual(
        reports.filter(({ code }) => code === "fenced").map(({ message }) => message),
        [],
        "nobody lost a stream",
      );
    }
  });

  it("queues a message to a working task: the task completes only after a turn has answered it", async (t) => {
    const go = latch();
    const server = await serving(t, [
      agentOf(async function* (turn) {
        await go.wait;
        yield { kind: "text", text: `[${turn.input.map((message) => message.parts[0]?.text).join(",")}]` };
      }),
    ]);
    const client = rpcClient(`${server.url}/a2a/agent`);
    const frames = client.frames("SendStreamingMessage", { message: messageOf("first") });
    const opening = await frames.next();
    const id = opening.value !== undefined && "task" in opening.value.event ? opening.value.event.task.id : "";
    await frames.next();
    await client.send("second", { taskId: id }, { returnImmediately: true });
    await client.send("third", { taskId: id }, { returnImmediately: true });
    go.open();
    const rest = await collect(frames);
    assert.deepEqual(textsOf(rest), ["[first]", "[second,third]"]);
    assert.deepEqual(statesOf(rest), ["WORKING", "COMPLETED"]);
  });

  it("interrupts the running turn where the agent says so, and refuses where it says reject", async (t) => {
    const agents = (["interrupt", "reject"] as const).map((onInput) =>
      agentOf(
        async function* (turn, signal) {
          yield { kind: "text", text: `${turn.input[0]?.parts[0]?.text} ` };
          if (turn.input[0]?.parts[0]?.text === "first") await untilAborted(signal);
        },
        { id: onInput, onInput },
      ),
    );
    const server = await serving(t, agents);
    for (const onInput of ["interrupt", "reject"]) {
      const client = rpcClient(`${server.url}/a2a/${onInput}`);
      const frames = client.frames("SendStreamingMessage", { message: messageOf("first") });
      const received = [];
      for (let n = 0; n < 3; n += 1) received.push((await frames.next()).value);
      const id = received[0] !== undefined && "task" in received[0].event ? received[0].event.task.id : "";
      const answer = await client.call("SendMessage", { message: messageOf("second", { taskId: id }) });
      if (onInput === "interrupt") {
        assert.equal(answer.error, undefined);
        assert.equal(textOf(await client.get(id)), "first second ");
      } else {
        assert.equal(answer.error?.code, -32004);
        assert.deepEqual(answer.error?.data?.[0]?.["metadata"], { reason: "TASK_BUSY", retryable: "true" });
        await client.must("CancelTask", { id });
      }
      await collect(frames);
    }
  });

  it("runs the tasks of one conversation one after the other, and other conversations beside them", async (t) => {
    const running: string[] = [];
    let most = 0;
    const server = await serving(t, [
      agentOf(async function* (turn) {
        running.push(turn.context);
        most = Math.max(most, running.filter((context) => context === turn.context).length);
        yield { kind: "text", text: `${(await turn.history()).length}` };
        await new Promise(setImmediate);
        running.splice(running.indexOf(turn.context), 1);
      }),
    ]);
    const client = rpcClient(`${server.url}/a2a/agent`);
    const answers = await Promise.all([1, 2, 3, 4, 5, 6].map((n) => client.send(`m${n}`, { contextId: n % 2 === 0 ? "even" : "odd" })));
    assert.equal(most, 1);
    assert.deepEqual(answers.map(({ task }) => textOf(task)).sort(), ["0", "0", "2", "2", "4", "4"], "each sees the messages and answers before it");
  });

  it("cancels a running turn, and a second cancel returns the same task", async (t) => {
    const started = latch();
    const aborted = latch();
    const server = await serving(t, [
      agentOf(async function* (_turn, signal) {
        yield { kind: "text", text: "x" };
        started.open();
        try {
          await untilAborted(signal);
        } finally {
          aborted.open();
        }
      }),
    ]);
    const client = rpcClient(`${server.url}/a2a/agent`);
    const { task } = await client.send("go", {}, { returnImmediately: true });
    await started.wait;
    const watcher = client.all("SubscribeToTask", { id: task.id });
    const canceled = await client.must<{ status: { state: string } }>("CancelTask", { id: task.id });
    assert.equal(canceled.status.state, "TASK_STATE_CANCELED");
    await aborted.wait;
    assert.deepEqual(await client.must("CancelTask", { id: task.id }), canceled);
    assert.equal(statesOf(await watcher).at(-1), "CANCELED");
    assert.equal((await client.call("SendMessage", { message: messageOf("again", { taskId: task.id }) })).error?.code, -32004);
  });

  it("cancels a turn whose engine hears nothing: the server takes the stream and writes it", async (t) => {
    const started = latch();
    const server = await serving(t, [
      agentOf(async function* () {
        started.open();
        await new Promise(() => {});
        yield { kind: "text", text: "never" };
      }),
    ]);
    const client = rpcClient(`${server.url}/a2a/agent`);
    const { task } = await client.send("go", { contextId: "c" }, { returnImmediately: true });
    await started.wait;
    assert.equal((await client.must<{ status: { state: string } }>("CancelTask", { id: task.id })).status.state, "TASK_STATE_CANCELED");
  });

  it("cancels a turn whose engine has endless output at hand and never waits", async (t) => {
    const server = await serving(t, [
      agentOf(async function* () {
        for (;;) yield { kind: "text", text: "more " };
      }),
    ]);
    const client = rpcClient(`${server.url}/a2a/agent`);
    const { task } = await client.send("go", {}, { returnImmediately: true });
    assert.equal((await client.must<{ status: { state: string } }>("CancelTask", { id: task.id })).status.state, "TASK_STATE_CANCELED");
  });

  it("tells a failed turn with a reason and keeps the cause to itself", async (t) => {
    const reported: string[] = [];
    const server = await serving(
      t,
      [
        agentOf(async function* () {
          yield { kind: "text", text: "x" };
          throw new Error("secret sk-123");
        }),
      ],
      { report: (error) => reported.push(error.message) },
    );
    const { task } = await rpcClient(`${server.url}/a2a/agent`).send("go");
    assert.equal(task.status.state, "TASK_STATE_FAILED");
    assert.ok(!JSON.stringify(task).includes("sk-123"));
    assert.deepEqual(reported, ["secret sk-123"]);
  });

  it("answers with a message where the agent replies without a task, and lists no task for it", async (t) => {
    const server = await serving(t, [
      agentOf(
        async function* (turn) {
          if (turn.input[0]?.parts[0]?.text === "task") yield { kind: "text", text: "long work" };
          else yield { kind: "reply", parts: [{ text: "hi" }] };
        },
        { replies: "either" },
      ),
    ]);
    const client = rpcClient(`${server.url}/a2a/agent`);
    const { message, task } = await client.send("hello");
    assert.equal(task, undefined);
    assert.equal(message.parts[0]?.text, "hi");
    const stream = await client.all("SendStreamingMessage", { message: messageOf("hello") });
    assert.deepEqual(
      stream.map(({ event }) => Object.keys(event)),
      [["message"]],
    );
    assert.equal((await client.must<{ totalSize: number }>("ListTasks", {})).totalSize, 0);
    assert.equal(textOf((await client.send("task")).task), "long work");
  });
});

describe("agents that may reply", () => {
  it("are known to make a task by their first event, even if that is a status without words", async (t) => {
    const server = await serving(
      t,
      [
        agentOf(
          async function* (_turn, signal) {
            yield { kind: "status" };
            await untilAborted(signal);
          },
          { replies: "either" },
        ),
      ],
      { limits: { replyHoldMs: 3_600_000 } },
    );
    const configuration = { returnImmediately: true };
    const { task } = await rpcClient(`${server.url}/a2a/agent`).must<{ task: Task }>("SendMessage", { message: messageOf("go"), configuration });
    assert.equal(task.status.state, "TASK_STATE_WORKING");
  });
});

describe("message-only replies", () => {
  it("become the task's last message once the client has been shown the task, or after other events", async (t) => {
    const server = await serving(
      t,
      [
        agentOf(
          async function* (turn) {
            const said = turn.input[0]?.parts[0]?.text;
            if (said === "late") await new Promise((resolve) => setTimeout(resolve, 60));
            if (said === "after text") yield { kind: "text", text: "thinking " };
            if (said === "again" && turn.state === undefined) yield { kind: "interrupt", reason: "input", state: { version: "t/1", data: "" } };
            else yield { kind: "reply", parts: [{ text: "hi" }] };
          },
          { replies: "either" },
        ),
      ],
      { limits: { replyHoldMs: 40 } },
    );
    const client = rpcClient(`${server.url}/a2a/agent`);
    for (const text of ["late", "after text"]) {
      const { task } = await client.send(text);
      assert.equal(task.status.state, "TASK_STATE_COMPLETED", text);
      assert.equal(task.status.message?.parts[0]?.text, "hi", text);
      assert.deepEqual(await client.get(task.id), task, "it stays where it was shown");
      assert.equal(statesOf(await client.all("SendStreamingMessage", { message: messageOf(text) })).at(-1), "COMPLETED", text);
    }
    const { task } = await client.send("again");
    assert.equal(task.status.state, "TASK_STATE_INPUT_REQUIRED");
    assert.equal((await client.send("go on", { taskId: task.id })).task.status.message?.parts[0]?.text, "hi");
  });
});
