import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { isolated } from "../../src/lib/engine/isolated.ts";
import type { AgentEvent } from "../../src/lib/engine/engine.ts";
import { createMemoryStore } from "../../src/lib/log/memory.ts";
import { createSqliteStore } from "../../src/lib/log/sqlite.ts";
import type { Store } from "../../src/lib/log/store.ts";
import type { Task } from "../../src/lib/model/a2a.ts";
import { grpcClient } from "../bindings/grpc-client.ts";
import { messageOf } from "../support/messages.ts";
import { agentOf, rpcClient, serving, statesOf, textOf, textsOf } from "../support/serving.ts";

/** An agent whose author has no compiler. */
function plain(...events: readonly unknown[]): ReturnType<typeof agentOf> {
  return agentOf(async function* () {
    yield { kind: "text", text: "So far. " };
    yield* events as readonly AgentEvent[];
  });
}

const [HIGH = "", LOW = ""] = "🙂".split("");

const cyclic: Record<string, unknown> = {};
cyclic["self"] = cyclic;

const WRONG: readonly (readonly [what: string, event: unknown, said: RegExp])[] = [
  ["a text that is missing", { kind: "text" }, /Event 2 of the agent in this turn is wrong: text\.text is missing/],
  ["a wrong kind", { kind: "message", text: "a" }, /its kind is "message"/],
  ["a number for a text", { kind: "text", text: 42 }, /text\.text is a number/],
  ["undefined", undefined, /it is undefined/],
  ["a BigInt in metadata", { kind: "status", metadata: { n: 1n } }, /status\.metadata\.n is a bigint/],
  ["an object that holds itself", { kind: "note", name: "n", value: cyclic }, /note\.value\.self holds itself/],
  ["a lone surrogate", { kind: "text", text: `${HIGH}.` }, /half of a character \(U\+D83D/],
  ["a state that is too long", { kind: "checkpoint", state: { version: "v", data: "a".repeat(2 ** 20) } }, /may have 1048576/],
];

for (const [what, event, said] of WRONG) {
  test(`${what} ends the turn with an error that names it, and the next turn runs`, async (t) => {
    let times = 0;
    const agent = agentOf(async function* () {
      times += 1;
      yield { kind: "text", text: "So far. " };
      if (times === 1) yield event as AgentEvent;
    });
    const client = rpcClient(`${(await serving(t, [agent])).url}/a2a/agent`);
    const stream = await client.all("SendStreamingMessage", { message: messageOf("go") });
    assert.deepEqual(statesOf(stream), ["SUBMITTED", "WORKING", "FAILED"]);
    assert.deepEqual(textsOf(stream), ["So far. "]);
    const last = stream.at(-1)?.event;
    assert.match((last !== undefined && "statusUpdate" in last && last.statusUpdate.status.message?.parts[0]?.text) || "", said);
    assert.equal((await client.send("again")).task.status.state, "TASK_STATE_COMPLETED");
    assert.equal(times, 2, "nothing was started over");
  });
}

test("half a character at the end of the answer is an error, and so is an engine that gives nothing to read", async (t) => {
  const half = rpcClient(`${(await serving(t, [plain({ kind: "text", text: HIGH })])).url}/a2a/agent`);
  const { task } = await half.send("go");
  assert.equal(task.status.state, "TASK_STATE_FAILED");
  assert.match(task.status.message?.parts[0]?.text ?? "", /slice\(\) by UTF-16 units/);
  const nothing = agentOf((() => undefined) as unknown as () => AsyncIterable<AgentEvent>);
  const { task: other } = await rpcClient(`${(await serving(t, [nothing])).url}/a2a/agent`).send("go");
  assert.match(other.status.message?.parts[0]?.text ?? "", /gave undefined for its turn\. Right is an AsyncIterable of events, as async \*run/);
});

test("an isolated engine's event that no thread can be sent is named too", async (t) => {
  const engine = isolated(new URL("../support/isolated-agent.ts", import.meta.url), { export: "wrong" });
  const server = await serving(t, [agentOf(() => (async function* () {})(), { engine })]);
  const { task } = await rpcClient(`${server.url}/a2a/agent`).send("go");
  assert.match(task.status.message?.parts[0]?.text ?? "", /note\.value is a function/);
});

/** Each chunk ends in half a character, but the last. */
const CUT = ["a", `b${HIGH}`, `${LOW}c${HIGH}`, LOW, HIGH, `${LOW}d`];

async function folderStore(t: TestContext): Promise<Store> {
  const folder = await mkdtemp(join(tmpdir(), "ias-halves-"));
  const store = createSqliteStore({ folder });
  t.after(async () => {
    await store[Symbol.asyncDispose]();
    await rm(folder, { recursive: true, force: true });
  });
  return store;
}

const STORES: readonly (readonly [name: string, store: (t: TestContext) => Promise<Store>])[] = [
  ["memory", async () => createMemoryStore({})],
  ["SQLite", folderStore],
];

for (const [name, store] of STORES) {
  test(`a character that is cut between two chunks is whole for readers over SSE and gRPC, from ${name}`, async (t) => {
    const agent = agentOf(async function* () {
      for (const text of CUT) yield { kind: "text", text };
      for (const text of CUT) yield { kind: "artifact", artifact: { artifactId: "other", parts: [{ text }] }, append: true };
    });
    const server = await serving(t, [agent], { store: await store(t), grpcPort: 0 });
    const sse = rpcClient(`${server.url}/a2a/agent`);
    const told = textsOf(await sse.all("SendStreamingMessage", { message: messageOf("go") }));
    assert.ok(told.every((text) => text.isWellFormed()));
    assert.equal(told.join(""), CUT.join("").repeat(2));
    await using grpc = grpcClient(server.grpcAddress ?? "");
    let text = "";
    let task = "";
    for await (const { event } of grpc.stream("SendStreamingMessage", { message: messageOf("go") })) {
      task = event.task?.id ?? task;
      for (const part of event.artifactUpdate?.artifact.parts ?? []) text += part.text ?? "";
    }
    assert.equal(text, CUT.join("").repeat(2));
    assert.equal(textOf(await sse.get(task)), text);
    const kept = (await grpc.call("GetTask", { id: task })) as Task;
    assert.equal(textOf(kept), text);
  });
}
