import assert from "node:assert/strict";
import test, { after, before } from "node:test";
import { connectA2A } from "../../src/lib/client/connect.ts";
import { a2a, type A2AEngineOptions } from "../../src/lib/engine/a2a.ts";
import type { AgentEvent, Engine, Turn } from "../../src/lib/engine/engine.ts";
import type { JsonObject, Task } from "../../src/lib/model/a2a.ts";
import { IasError } from "../../src/lib/model/errors.ts";
import { collect, textsOf } from "../../src/lib/testing/engine-support.ts";
import { testTurn } from "../../src/lib/testing/test-turn.ts";
import { numberedChunks, type Script } from "../servers/script.ts";
import { startCuttingProxy } from "../support/cutting-proxy.ts";
import { messageOf } from "../support/messages.ts";
import { type PythonAgent, startPythonAgent } from "../support/python-agent.ts";
import { createRandom } from "../../src/lib/model/random.ts";
import { recorded } from "../support/recorded.ts";

// Our client and our relay before agents of the official Python SDK, 1.x and 0.3.x.

const FAST: Partial<A2AEngineOptions> = { allowLocal: true, backoff: { baseMs: 5, maxMs: 50 }, poll: { baseMs: 50, maxMs: 200 } };
const script = (value: Script): string => JSON.stringify(value);
const { signal } = new AbortController();

async function relay(engine: Engine, turn: Turn): Promise<readonly AgentEvent[]> {
  return collect(engine.run(turn, { signal }));
}

const agents = new Map<"1.0" | "0.3", PythonAgent>();
before(async () => {
  for (const version of ["1.0", "0.3"] as const) agents.set(version, await startPythonAgent(version));
});
after(async () => {
  for (const agent of agents.values()) await agent[Symbol.asyncDispose]();
});

function agentOf(version: "1.0" | "0.3"): PythonAgent {
  return agents.get(version) ?? assert.fail(`Python ${version} did not start`);
}

/** The agent's card with another port in its addresses: a proxy's. */
async function cardVia(agent: PythonAgent, port: number): Promise<JsonObject> {
  const text = await (await fetch(`${agent.url}/.well-known/agent-card.json`)).text();
  return JSON.parse(text.replaceAll(new RegExp(`127\\.0\\.0\\.1:(${agent.port}|${agent.grpcPort})\\b`, "g"), `127.0.0.1:${port}`)) as JsonObject;
}

for (const [version, binding] of [
  ["1.0", "JSONRPC"],
  ["1.0", "HTTP+JSON"],
  ["1.0", "GRPC"],
  ["0.3", "JSONRPC"],
  ["0.3", "HTTP+JSON"],
] as const) {
  const name = `Python ${version} over ${binding}`;
  const engineFor = (url: string): Engine => a2a({ url, bindings: [binding], ...FAST });

  test(`${name}: as many text events as the agent sent chunks, the same strings in the same order`, async () => {
    const agent = agentOf(version);
    const chunks = numberedChunks(100);
    const events = await relay(engineFor(agent.url), testTurn(script({ do: "chunks", chunks, text: "done" })));
    assert.deepEqual(textsOf(events), chunks);
    assert.ok(events.every((event) => event.kind !== "text" || event.artifact === "a1"));
    assert.deepEqual(events.at(-1), { kind: "end", outcome: "completed", message: [{ text: "done" }] });
  });

  test(`${name}: lock step, the agent makes a chunk only after the relay has passed on the one before`, { timeout: 60_000 }, async () => {
    const agent = agentOf(version);
    const chunks = numberedChunks(30);
    const got: string[] = [];
    agent.release();
    for await (const event of engineFor(agent.url).run(testTurn(script({ do: "chunks", chunks, gated: true })), { signal })) {
      if (event.kind !== "text") continue;
      got.push(event.text);
      if (got.length < chunks.length) agent.release();
    }
    assert.deepEqual(got, chunks);
  });

  test(`${name}: tokens in status messages, direct messages, failures and questions`, async () => {
    const agent = agentOf(version);
    const engine = engineFor(agent.url);
    const chunks = numberedChunks(10);
    const said = await relay(engine, testTurn(script({ do: "status", chunks })));
    assert.deepEqual(
      said.flatMap((event) => (event.kind === "status" ? [event.message?.[0]?.text] : [])),
      chunks,
    );
    assert.deepEqual(textsOf(await relay(engine, testTurn(script({ do: "reply", text: "hi" })))), ["hi"]);
    assert.deepEqual((await relay(engine, testTurn(script({ do: "fail" })))).at(-1), { kind: "end", outcome: "failed", message: [{ text: "It broke" }] });
    const asked = (await relay(engine, testTurn(script({ do: "ask", chunks: ["a"] })))).at(-1);
    assert.ok(asked?.kind === "interrupt" && asked.reason === "input" && asked.state !== undefined);
    assert.deepEqual(asked.message, [{ text: "Which one?" }]);
    const current: Task = {
      id: "task-1",
      contextId: "context-1",
      status: { state: "TASK_STATE_WORKING" },
      artifacts: [{ artifactId: "a1", name: "answer", parts: [{ text: "a" }] }],
    };
    const answered = await relay(engine, testTurn(script({ do: "chunks", chunks: ["b", "c"] }), { state: asked.state, current }));
    assert.equal(recorded(answered), "bc");
    assert.equal(answered.at(-1)?.kind, "end");
  });

  test(`${name}: cut at random bytes, what is recorded is whole`, { timeout: 120_000 }, async () => {
    const seed = Math.floor(Math.random() * 2 ** 32);
    const random = createRandom(seed);
    // A reset throws away what has come and is not read yet. So the first cut leaves time for the task's name: without it nobody may send again.
    const least = (connection: number): number => (connection <= 1 ? 12_000 : 3000);
    await using proxy = await startCuttingProxy((connection) => (connection > 8 ? undefined : least(connection) + Math.floor(random() * 5000)));
    const agent = agentOf(version);
    proxy.target = binding === "GRPC" ? agent.grpcPort : agent.port;
    const chunks = numberedChunks(150);
    const card = await cardVia(agent, proxy.port);
    const engine = a2a({ url: agent.url, connect: () => connectA2A(card, { ...FAST, bindings: [binding] }) });
    const events = await relay(engine, testTurn(script({ do: "chunks", chunks, everyMs: 3 })));
    assert.ok(proxy.cuts > 0, `seed ${seed}: nothing was cut`);
    assert.equal(recorded(events), chunks.join(""), `seed ${seed}`);
    assert.deepEqual(events.at(-1), { kind: "end", outcome: "completed" });
  });

  test(`${name}: operations`, async () => {
    const agent = agentOf(version);
    await using client = await connectA2A(agent.url, { ...FAST, bindings: [binding] });
    const done = await client.send({ message: messageOf(script({ do: "chunks", chunks: ["x", "y"] })) });
    assert.ok("task" in done);
    assert.equal((await client.getTask(done.task.id)).status.state, "TASK_STATE_COMPLETED");
    if (version === "1.0")
      assert.deepEqual(
        (await client.listTasks({ contextId: done.task.contextId })).tasks.map((task) => task.id),
        [done.task.id],
      );
    await assert.rejects(client.getTask("no-such-task"), (error) => error instanceof IasError && error.code === "task-not-found");
    await assert.rejects(client.cancelTask(done.task.id), (error) => error instanceof IasError && error.code === "task-not-cancelable");
    const running = await client.send({ message: messageOf(script({ do: "wait" })), configuration: { returnImmediately: true } });
    assert.ok("task" in running);
    const config = await client.createPushConfig({
      taskId: running.task.id,
      id: "c1",
      url: "https://example.com/hook",
      authentication: { scheme: "Bearer", credentials: "s" },
    });
    assert.deepEqual([config.id, config.url], ["c1", "https://example.com/hook"]);
    assert.equal((await client.getPushConfig(running.task.id, "c1")).url, "https://example.com/hook");
    assert.equal((await client.cancelTask(running.task.id)).status.state, "TASK_STATE_CANCELED");
  });
}
