import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { createMemoryStore } from "../../src/lib/log/memory.ts";
import type { Store } from "../../src/lib/log/store.ts";
import { EXTENSION_URI } from "../../src/lib/model/entry.ts";
import type { Task } from "../../src/lib/model/a2a.ts";
import { messageOf } from "../support/messages.ts";
import { agentOf, collect, EXTENDED, type Received, rpcClient, serving, statesOf, textOf, textsOf } from "../support/serving.ts";

const talker = () =>
  agentOf(async function* (turn) {
    const count = Number(turn.input[0]?.parts[0]?.text);
    yield { kind: "reasoning", text: "let me think" };
    for (let n = 0; n < count; n += 1) {
      yield { kind: "text", text: `${n} ` };
      if (n % 3 === 0) yield { kind: "usage", usage: { inputTokens: 1, outputTokens: n, totalTokens: n + 1 } };
    }
  });

function cursorOf(task: Task): string {
  const own = task.metadata?.[EXTENSION_URI] as { cursor: string } | undefined;
  return own?.cursor ?? "";
}

describe("openings", () => {
  it("resumes after any cursor with exactly the entries that follow, also on a finished task", async (t) => {
    const server = await serving(t, [talker()]);
    const client = rpcClient(`${server.url}/a2a/agent`, EXTENDED);
    const all = await client.all("SendStreamingMessage", { message: messageOf("30") });
    const first = all[0]?.event;
    const id = first !== undefined && "task" in first ? first.task.id : "";
    for (let cut = 0; cut < all.length; cut += 1) {
      const rest = await client.all("SubscribeToTask", { id }, { headers: { "last-event-id": all[cut]?.cursor ?? "" } });
      assert.deepEqual(rest, all.slice(cut + 1));
    }
  });

  it("shows a plain client plain A2A: only public entries, rising ids, and its Last-Event-ID opens fresh", async (t) => {
    const server = await serving(t, [talker()]);
    const extended = rpcClient(`${server.url}/a2a/agent`, EXTENDED);
    const plain = rpcClient(`${server.url}/a2a/agent`);
    const seen = await plain.all("SendStreamingMessage", { message: messageOf("7") });
    const id = seen[0] !== undefined && "task" in seen[0].event ? seen[0].event.task.id : "";
    const more = await extended.all("SubscribeToTask", { id }, { headers: { "last-event-id": seen[0]?.cursor ?? "" } });
    const keys = (list: readonly Received[]): number[] => list.map(({ cursor }) => Number(cursor?.split(".")[1]));
    assert.deepEqual(
      keys(seen),
      [...keys(seen)].sort((a, b) => a - b),
    );
    assert.ok(!JSON.stringify(seen).includes(EXTENSION_URI), "no metadata of ours");
    assert.ok(JSON.stringify(more).includes('"kind":"usage"'));
    assert.ok(!JSON.stringify(more).includes("let me think"), "reasoning is internal unless exposed");
    assert.deepEqual(textsOf(seen), textsOf(more));
    const refused = await plain.call("SubscribeToTask", { id }, { "last-event-id": seen[0]?.cursor ?? "" });
    assert.equal(refused.error?.code, -32004);
  });

  it("resets a cursor that is unreadable, of another log, or above the head, and says so", async (t) => {
    const server = await serving(t, [talker()]);
    const client = rpcClient(`${server.url}/a2a/agent`, EXTENDED);
    const { task } = await client.send("5");
    const log = cursorOf(task).split(".")[0] ?? "";
    for (const bad of ["nonsense", "otherlog99.3", `${log}.999`, `${log}.-1`, `${log}.1.5`, "x".repeat(5000)]) {
      const [opening, ...rest] = await client.all("SubscribeToTask", { id: task.id }, { headers: { "last-event-id": bad } });
      assert.ok(opening !== undefined && "task" in opening.event, bad);
      assert.deepEqual(opening.event.task.metadata?.[EXTENSION_URI], { reset: true, cursor: cursorOf(task) });
      assert.deepEqual(rest, []);
    }
  });

  it("joins GetTask and Subscribe without a gap: the Task's cursor goes on where its text ends", async (t) => {
    const gate = { open: () => {} };
    const waiting = new Promise<void>((resolve) => (gate.open = resolve));
    const server = await serving(t, [
      agentOf(async function* () {
        yield { kind: "text", text: "a b " };
        await waiting;
        yield { kind: "text", text: "c d" };
      }),
    ]);
    const client = rpcClient(`${server.url}/a2a/agent`, EXTENDED);
    const started = await client.send("x", {}, { returnImmediately: true });
    let task = started.task;
    while (textOf(task) === "") task = await client.get(started.task.id);
    const frames = client.all("SubscribeToTask", { id: task.id }, { headers: { "last-event-id": cursorOf(task) } });
    gate.open();
    assert.equal(textOf(task) + textsOf(await frames).join(""), "a b c d");
  });

  it("splits a snapshot that is larger than a frame, and no frame is larger", async (t) => {
    const gate = { open: () => {} };
    const waiting = new Promise<void>((resolve) => (gate.open = resolve));
    const piece = "äöü€𝄞 ".repeat(500);
    const server = await serving(t, [
      agentOf(async function* () {
        for (let n = 0; n < 300; n += 1) yield { kind: "text", text: piece };
        yield { kind: "artifact", artifact: { artifactId: "data", parts: [{ data: { a: 1 } }] } };
        await waiting;
      }),
    ]);
    const client = rpcClient(`${server.url}/a2a/agent`);
    const { task } = await client.send("x", {}, { returnImmediately: true });
    while ((await client.get(task.id)).artifacts?.length !== 2) await new Promise(setImmediate);
    const frames = client.frames("SubscribeToTask", { id: task.id });
    const received: Received[] = [];
    let data = false;
    while (!data) {
      const next = await frames.next();
      if (next.done === true) break;
      received.push(next.value);
      assert.ok(Buffer.byteLength(JSON.stringify(next.value.event)) <= 256 * 1024);
      data = "artifactUpdate" in next.value.event && next.value.event.artifactUpdate.artifact.artifactId === "data";
    }
    const [opening] = received;
    assert.ok(opening !== undefined && "task" in opening.event && opening.event.task.artifacts === undefined);
    assert.equal(new Set(received.map(({ cursor }) => cursor)).size, 1, "all pieces have the snapshot's cursor");
    const updates = received.flatMap(({ event }) => ("artifactUpdate" in event ? [event.artifactUpdate] : []));
    assert.deepEqual(updates.map((update) => update.append).filter((append) => !append).length, 2, "the first piece of each artifact opens it");
    assert.equal(textsOf(received).join(""), piece.repeat(300));
    gate.open();
    assert.deepEqual(statesOf(await collect(frames)), ["COMPLETED"]);
  });
});

describe("idempotent sending", () => {
  it("attaches a repeated request to its task where the caller opted in, and makes a new task where not", async (t) => {
    const server = await serving(t, [talker()]);
    const plain = rpcClient(`${server.url}/a2a/agent`);
    const extended = rpcClient(`${server.url}/a2a/agent`, EXTENDED);
    const message = messageOf("4");
    const first = await extended.must<{ task: Task }>("SendMessage", { message });
    const second = await extended.must<{ task: Task }>("SendMessage", { message, configuration: { historyLength: 0 } });
    assert.equal(second.task.id, first.task.id);
    assert.equal(second.task.history, undefined);
    const streamed = await extended.all("SendStreamingMessage", { message });
    assert.equal(streamed[0] !== undefined && "task" in streamed[0].event ? streamed[0].event.task.id : "", first.task.id);
    assert.deepEqual(textsOf(streamed), ["0 ", "1 ", "2 ", "3 "]);
    const keyed = await plain.must<{ task: Task }>("SendMessage", { message }, { "idempotency-key": "k1" });
    const keyedAgain = await plain.must<{ task: Task }>("SendMessage", { message }, { "idempotency-key": "k1" });
    assert.equal(keyedAgain.task.id, keyed.task.id);
    const other = await plain.must<{ task: Task }>("SendMessage", { message });
    assert.equal(new Set([first.task.id, keyed.task.id, other.task.id]).size, 3);
    const mismatch = await extended.call("SendMessage", { message: { ...message, parts: [{ text: "5" }] } });
    assert.equal(mismatch.error?.code, -32602);
    assert.match(JSON.stringify(mismatch.error?.data), /IDEMPOTENCY_MISMATCH/);
  });

  it("makes one task of fifty equal requests at once", async (t) => {
    const server = await serving(t, [talker()]);
    const client = rpcClient(`${server.url}/a2a/agent`, EXTENDED);
    const message = messageOf("3");
    const tasks = await Promise.all(Array.from({ length: 50 }, () => client.must<{ task: Task }>("SendMessage", { message })));
    assert.equal(new Set(tasks.map(({ task }) => task.id)).size, 1);
    assert.equal((await client.must<{ totalSize: number }>("ListTasks", {})).totalSize, 1);
  });

  it("never doubles a repeated message to a working task", async (t) => {
    const gate = { open: () => {} };
    const waiting = new Promise<void>((resolve) => (gate.open = resolve));
    const server = await serving(t, [
      agentOf(async function* (turn) {
        yield { kind: "text", text: `[${turn.input.map((input) => input.parts[0]?.text).join(",")}]` };
        await waiting;
      }),
    ]);
    const client = rpcClient(`${server.url}/a2a/agent`, EXTENDED);
    const { task } = await client.send("first", {}, { returnImmediately: true });
    const message = messageOf("second", { taskId: task.id });
    await Promise.all([1, 2, 3].map(() => client.must("SendMessage", { message, configuration: { returnImmediately: true } })));
    const done = client.must<{ task: Task }>("SendMessage", { message });
    gate.open();
    assert.equal(textOf((await done).task), "[first][second]");
  });

  it("commits a message to a working task and its idempotency record together: no kill falls between them", async (t) => {
    const gate = { open: () => {} };
    const waiting = new Promise<void>((resolve) => (gate.open = resolve));
    t.after(() => gate.open());
    const store = createMemoryStore({});
    const commits: string[] = [];
    const watched: Store = {
      ...store,
      log: {
        ...store.log,
        async append(key, batch) {
          const kinds = [
            ...batch.entries.flatMap((entry) => (entry.event.includes('"text":"second"') ? ["message"] : [])),
            ...(batch.records ?? []).flatMap((record) => (record.key.startsWith("once/") ? ["record"] : [])),
          ];
          if (kinds.length > 0) commits.push(kinds.join("+"));
          return store.log.append(key, batch);
        },
      },
      records: {
        ...store.records,
        async put(write) {
          if (write.key.startsWith("once/")) commits.push("record");
          return store.records.put(write);
        },
      },
    };
    const agent = agentOf(async function* () {
      yield { kind: "text", text: "working" };
      await waiting;
    });
    const server = await serving(t, [agent], { store: watched });
    const client = rpcClient(`${server.url}/a2a/agent`, EXTENDED);
    const { task } = await client.send("first", {}, { returnImmediately: true });
    for await (const batch of store.log.follow({ tenant: "", user: "local", agent: "agent", task: task.id }, { after: 0, signal: t.signal }))
      if (batch.some((entry) => entry.event.includes('"working"'))) break;
    commits.length = 0;
    await client.must("SendMessage", { message: messageOf("second", { taskId: task.id }), configuration: { returnImmediately: true } });
    assert.deepEqual(commits, ["message+record"]);
  });
});
