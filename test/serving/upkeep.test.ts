import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { createMemoryStore } from "../../src/lib/log/memory.ts";
import { joinKey, keyText } from "../../src/lib/model/key.ts";
import type { Task } from "../../src/lib/model/a2a.ts";
import { removalNote, REMOVALS } from "../../src/lib/task/removal.ts";
import { createTaskViews } from "../../src/lib/task/view.ts";
import { DEFAULT_LIMITS } from "../../src/lib/model/limits.ts";
import { startUpkeep } from "../../src/lib/runtime/upkeep.ts";
import { messageOf } from "../support/messages.ts";
import { agentOf, collect, EXTENDED, rpcClient, serving, textOf, textsOf } from "../support/serving.ts";

describe("upkeep", () => {
  it("removes finished tasks over the limit, oldest first, with their records, and keeps what a hold keeps", async (t) => {
    const store = createMemoryStore();
    const agent = agentOf(async function* (turn) {
      yield { kind: "text", text: turn.input[0]?.parts[0]?.text ?? "" };
    });
    const server = await serving(t, [agent], { store });
    const client = rpcClient(`${server.url}/a2a/agent`, EXTENDED);
    const messages = ["a", "b", "c", "d"].map((text) => messageOf(text));
    const ids: string[] = [];
    for (const message of messages) ids.push((await client.must<{ task: Task }>("SendMessage", { message })).task.id);
    const key = { tenant: "", user: "local", agent: "agent", task: ids[0] ?? "" };
    await store.records.put({ key: `${joinKey("hold", keyText(key))}/campaign`, value: JSON.stringify({ seq: 1 }) });
    const released: string[] = [];
    const upkeep = startUpkeep({
      store,
      agents: server.agents,
      limits: { ...DEFAULT_LIMITS, retainTasks: 2, onceTtlMs: 0 },
      cancel: async () => {},
      release: async ({ task }) => void released.push(task),
      now: Date.now,
      report: (error) => assert.fail(error),
    });
    await upkeep.round();
    await upkeep[Symbol.asyncDispose]();
    assert.deepEqual(released, [ids[1], ids[2]]);
    assert.equal(textOf(await client.get(ids[0] ?? "")), "a", "held");
    assert.equal((await client.call("GetTask", { id: ids[1] })).error?.code, -32001);
    const again = await client.must<{ task: Task }>("SendMessage", { message: messages[1] });
    assert.notEqual(again.task.id, ids[1], "the idempotency record went with its task");
  });

  it("removes the idempotency records of all keys under which a message was sent", async (t) => {
    const store = createMemoryStore();
    const agent = agentOf(async function* () {
      yield { kind: "interrupt", reason: "input" };
    });
    const server = await serving(t, [agent], { store });
    const client = rpcClient(`${server.url}/a2a/agent`);
    const { task } = await client.send("start");
    const message = messageOf("again", { taskId: task.id });
    for (const key of ["one", "two"]) await client.must("SendMessage", { message }, { "idempotency-key": key });
    await client.must("CancelTask", { id: task.id });
    assert.equal((await store.records.list("once/", { limit: 10 })).length, 2);
    const upkeep = startUpkeep({
      store,
      agents: server.agents,
      limits: { ...DEFAULT_LIMITS, retainTasks: 0, onceTtlMs: 0 },
      cancel: async () => {},
      release: async () => {},
      now: Date.now,
      report: (error) => assert.fail(error),
    });
    await upkeep.round();
    await upkeep[Symbol.asyncDispose]();
    assert.deepEqual(await store.records.list("once/", { limit: 10 }), []);
  });

  it("removes all idempotency records of a task, however many they are", async (t) => {
    const store = createMemoryStore();
    const server = await serving(t, [agentOf(async function* () {})], { store });
    const client = rpcClient(`${server.url}/a2a/agent`);
    const { task } = await client.send("start");
    const folder = joinKey("task", keyText({ tenant: "", user: "local", agent: "agent", task: task.id }), "once");
    for (let n = 0; n < 2500; n += 1) {
      await store.records.put({ key: `once/${n}`, value: "{}" });
      await store.records.put({ key: `${folder}/${n}`, value: JSON.stringify({ key: `once/${n}` }) });
    }
    const upkeep = startUpkeep({
      store,
      agents: server.agents,
      limits: { ...DEFAULT_LIMITS, retainTasks: 0, onceTtlMs: 0 },
      cancel: async () => {},
      release: async () => {},
      now: Date.now,
      report: (error) => assert.fail(error),
    });
    await upkeep.round();
    await upkeep[Symbol.asyncDispose]();
    assert.deepEqual(await store.records.list("once/", { limit: 10 }), []);
    assert.deepEqual(await store.records.list("task/", { limit: 10 }), []);
  });

  it("keeps the idempotency records of a removed task for onceTtlMs, so that a late repetition does not run again", async (t) => {
    const store = createMemoryStore();
    let runs = 0;
    const agent = agentOf(async function* () {
      runs += 1;
      yield { kind: "text", text: "done" };
    });
    const server = await serving(t, [agent], { store });
    const client = rpcClient(`${server.url}/a2a/agent`, EXTENDED);
    const message = messageOf("once");
    const { task } = await client.must<{ task: Task }>("SendMessage", { message });
    const upkeep = startUpkeep({
      store,
      agents: server.agents,
      limits: { ...DEFAULT_LIMITS, retainTasksMs: 1 },
      cancel: async () => {},
      release: async () => {},
      // 1 h later: the task is older than tasks are kept, its idempotency record younger than 24 h.
      now: () => Date.now() + 3_600_000,
      report: (error) => assert.fail(error),
    });
    await upkeep.round();
    await upkeep[Symbol.asyncDispose]();
    assert.equal((await client.call("GetTask", { id: task.id })).error?.code, -32001);
    assert.equal((await client.call("SendMessage", { message })).error?.code, -32001);
    assert.equal(runs, 1);
  });

  it("lets the bytes of a task go that was removed by a process which was killed before them", async () => {
    const store = createMemoryStore();
    const key = { tenant: "", user: "local", agent: "agent", task: "gone" };
    await store.records.put(removalNote({ key, afterMs: 0 }, Date.now() - 1));
    const released: string[] = [];
    const upkeep = startUpkeep({
      store,
      agents: new Map(),
      limits: DEFAULT_LIMITS,
      cancel: async () => {},
      release: async ({ task }) => void released.push(task),
      now: Date.now,
      report: (error) => assert.fail(error),
    });
    await upkeep.round();
    await upkeep[Symbol.asyncDispose]();
    assert.deepEqual(released, ["gone"]);
    assert.deepEqual(await store.records.list(REMOVALS, { limit: 10 }), []);
  });

  it("keeps an endless stream's memory bounded: old content rolls away, and readers from before start anew", async (t) => {
    const store = createMemoryStore();
    let more = { go: Promise.withResolvers<void>() };
    const agent = agentOf(
      async function* () {
        for (let n = 0; ; n += 1) {
          yield { kind: "text", text: `${String(n).padStart(5, "0")} ` };
          if (n % 1000 === 999) {
            await more.go.promise;
            more = { go: Promise.withResolvers<void>() };
          }
        }
      },
      { maxArtifactBytes: { limit: 600, policy: "roll" } },
    );
    const server = await serving(t, [agent], { store });
    const client = rpcClient(`${server.url}/a2a/agent`, EXTENDED);
    const { task } = await client.send("go", {}, { returnImmediately: true });
    const key = { tenant: "", user: "local", agent: "agent", task: task.id };
    const views = createTaskViews(store.log);
    const headAt = async (n: number): Promise<void> => {
      while (((await store.log.read(key, { after: 0, maxBytes: 0 }))?.head ?? 0) < n) await new Promise(setImmediate);
    };
    // The task, its input, its state, and a thousand tokens: then the agent waits.
    await headAt(1003);
    const upkeep = startUpkeep({
      store,
      agents: server.agents,
      limits: { ...DEFAULT_LIMITS, rollKeepEntries: 200 },
      cancel: async () => {},
      release: async () => {},
      now: Date.now,
      report: (error) => assert.fail(error),
    });
    await upkeep.round();
    await upkeep[Symbol.asyncDispose]();
    const page = await store.log.read(key, { after: 0, maxBytes: 0 });
    assert.equal(page?.floor, (page?.head ?? 0) - 200);
    const text = await views.with(key, (view) => textOf(view.fold.task() ?? task));
    assert.ok((text?.length ?? 0) <= 600 && text?.endsWith("00999 ") === true, text ?? "no text");
    const log = store.log.id;
    const frames = client.frames("SubscribeToTask", { id: task.id }, { headers: { "last-event-id": `${log}.5` } });
    const opening = (await frames.next()).value;
    assert.match(JSON.stringify(opening), /"reset":true/);
    more.go.resolve();
    const next = (await frames.next()).value;
    assert.ok(next !== undefined);
    assert.deepEqual(textsOf([next]), ["01000 "]);
    await client.must("CancelTask", { id: task.id });
    await collect(frames);
  });
});
