import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { createMemoryStore } from "../../src/lib/log/memory.ts";
import type { Task } from "../../src/lib/model/a2a.ts";
import { keptStore } from "../support/kept-store.ts";
import { messageOf } from "../support/messages.ts";
import { agentOf, collect, rpcClient, serving, statesOf, textOf } from "../support/serving.ts";

function gated() {
  const gate = Promise.withResolvers<void>();
  const agent = agentOf(async function* (turn) {
    yield { kind: "text", text: turn.input[0]?.parts[0]?.text ?? "" };
    await gate.promise;
  });
  return { agent, open: gate.resolve };
}

function reasonOf(answer: { error?: { code: number; data?: readonly Record<string, unknown>[] } }): unknown {
  return answer.error?.data?.find((detail) => detail["@type"] === "type.googleapis.com/google.rpc.ErrorInfo")?.["reason"];
}

describe("limits", () => {
  it("runs no more turns at once than maxParallelTurns, and refuses more than maxQueuedTurns that wait", async (t) => {
    const { agent, open } = gated();
    const server = await serving(t, [agent], { limits: { maxParallelTurns: 2, maxQueuedTurns: 2 } });
    const client = rpcClient(`${server.url}/a2a/agent`);
    const tasks: Task[] = [];
    for (const text of ["1", "2", "3", "4"]) tasks.push((await client.send(text, {}, { returnImmediately: true })).task);
    const refused = await client.call("SendMessage", { message: messageOf("5") });
    assert.equal(reasonOf(refused), "QUEUE_FULL");
    const states = await Promise.all(tasks.map(async ({ id }) => (await client.get(id)).status.state.replace("TASK_STATE_", "")));
    assert.deepEqual(states, ["WORKING", "WORKING", "SUBMITTED", "SUBMITTED"]);
    open();
    for (const { id } of tasks) await collect(client.frames("SubscribeToTask", { id })).catch(() => {});
    for (const { id } of tasks) assert.equal((await client.get(id)).status.state, "TASK_STATE_COMPLETED");
  });

  it("limits what waits in a conversation and in a task", async (t) => {
    const { agent, open } = gated();
    const server = await serving(t, [agent], { limits: { maxQueuedPerConversation: 2 } });
    const client = rpcClient(`${server.url}/a2a/agent`);
    const { task } = await client.send("0", { contextId: "c" }, { returnImmediately: true });
    while (textOf(await client.get(task.id)) === "") await new Promise(setImmediate);
    for (const text of ["1", "2"]) await client.send(text, { contextId: "c" }, { returnImmediately: true });
    assert.equal(reasonOf(await client.call("SendMessage", { message: messageOf("3", { contextId: "c" }) })), "QUEUE_FULL");
    for (const text of ["a", "b"]) await client.send(text, { taskId: task.id }, { returnImmediately: true });
    assert.equal(reasonOf(await client.call("SendMessage", { message: messageOf("c", { taskId: task.id }) })), "QUEUE_FULL");
    open();
  });

  it("ends a turn that is longer than maxTurnMs, where there is such a limit", async (t) => {
    const { agent } = gated();
    const server = await serving(t, [agent], { limits: { maxTurnMs: 30 } });
    const { task } = await rpcClient(`${server.url}/a2a/agent`).send("x");
    assert.equal(task.status.state, "TASK_STATE_FAILED");
    assert.match(JSON.stringify(task.metadata), /TURN_TOO_LONG/);
  });

  it("fails a turn whose artifact outgrows its limit, and splits a text that outgrows an entry", async (t) => {
    const server = await serving(
      t,
      [
        agentOf(
          async function* () {
            yield { kind: "text", text: "x".repeat(40_000) };
            yield { kind: "text", text: "y".repeat(40_000) };
          },
          { maxArtifactBytes: { limit: 60_000, policy: "fail" } },
        ),
      ],
      { limits: { maxEntryBytes: 60_000 } },
    );
    const received = await rpcClient(`${server.url}/a2a/agent`).all("SendStreamingMessage", { message: messageOf("go") });
    assert.equal(statesOf(received).at(-1), "FAILED");
    assert.match(JSON.stringify(received.at(-1)), /maxArtifactBytes/);
    const pieces = received.flatMap(({ event }) => ("artifactUpdate" in event ? [event.artifactUpdate.artifact.parts[0]?.text?.length] : []));
    assert.deepEqual(pieces.slice(0, 4), [10_000, 10_000, 10_000, 10_000]);
  });

  it("refuses large messages, bodies and ids by name", async (t) => {
    const { agent } = gated();
    const server = await serving(t, [agent], { limits: { maxMessageBytes: 1000, maxBodyBytes: 5000, maxIdLength: 20, maxMessageParts: 2 } });
    const client = rpcClient(`${server.url}/a2a/agent`);
    const errors = [
      await client.call("SendMessage", { message: messageOf("x".repeat(1000), { messageId: "m" }) }),
      await client.call("SendMessage", { message: messageOf("x".repeat(6000), { messageId: "m" }) }),
      await client.call("SendMessage", { message: messageOf("x", { messageId: "m".repeat(21) }) }),
      await client.call("SendMessage", { message: messageOf("x", { messageId: "m", parts: [{ text: "1" }, { text: "2" }, { text: "3" }] }) }),
    ].map(({ error }) => error?.message ?? "");
    for (const [index, name] of ["maxMessageBytes", "maxBodyBytes", "maxIdLength", "maxMessageParts"].entries())
      assert.match(errors[index] ?? "", new RegExp(name));
  });

  it("refuses new work while it drains, lets running turns end, and leaves what is too slow to the next start", async (t) => {
    const { agent, open } = gated();
    const server = await serving(t, [agent]);
    const client = rpcClient(`${server.url}/a2a/agent`);
    const { task } = await client.send("x", {}, { returnImmediately: true });
    const reader = client.all("SubscribeToTask", { id: task.id });
    while (textOf(await client.get(task.id)) === "") await new Promise(setImmediate);
    const drained = server.drain({ graceMs: 60_000 });
    assert.equal((await fetch(`${server.url}/readyz`)).status, 503);
    assert.equal((await fetch(`${server.url}/healthz`)).status, 200);
    const refused = await client.call("SendMessage", { message: messageOf("y") });
    assert.equal(reasonOf(refused), "DRAINING");
    open();
    await drained;
    assert.equal(statesOf(await reader).at(-1), "COMPLETED");
  });

  it("answers whoever waits for a turn that ends while it drains, on every store", async (t) => {
    const kept = await keptStore(t);
    for (const store of [createMemoryStore(), kept]) {
      const { agent, open } = gated();
      const server = await serving(t, [agent], { store });
      const client = rpcClient(`${server.url}/a2a/agent`);
      const sent = client.send("x", { contextId: "c" });
      const listed = async (): Promise<Task | undefined> => (await client.must<{ tasks: readonly Task[] }>("ListTasks", {})).tasks[0];
      let task = await listed();
      for (; task === undefined; task = await listed());
      const reader = client.all("SubscribeToTask", { id: task.id });
      while (textOf(await client.get(task.id)) === "") await new Promise(setImmediate);
      const drained = server.drain({ graceMs: 60_000 });
      open();
      await drained;
      assert.equal((await sent).task.status.state, "TASK_STATE_COMPLETED");
      assert.equal(statesOf(await reader).at(-1), "COMPLETED");
    }
  });

  it("gives an engine the newest maxHistoryMessages of the conversation", async (t) => {
    const agent = agentOf(async function* (turn) {
      const said = (await turn.history()).map((message) => message.parts[0]?.text ?? "");
      yield { kind: "text", text: `after ${said.join(",")}` };
    });
    const server = await serving(t, [agent], { limits: { maxHistoryMessages: 3 } });
    const client = rpcClient(`${server.url}/a2a/agent`);
    for (const text of ["1", "2"]) await client.send(text, { contextId: "c" });
    const { task } = await client.send("3", { contextId: "c" });
    assert.equal(textOf(task), "after after ,2,after 1,after ");
  });
});
