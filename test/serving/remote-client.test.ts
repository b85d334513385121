import assert from "node:assert/strict";
import test, { type TestContext } from "node:test";
import type { A2AClient, StreamItem } from "../../src/lib/client/client.ts";
import { connectA2A, type ConnectOptions } from "../../src/lib/client/connect.ts";
import { a2a } from "../../src/lib/engine/a2a.ts";
import { defineAgent } from "../../src/lib/engine/define-agent.ts";
import type { Server } from "../../src/lib/main/server.ts";
import type { JsonObject } from "../../src/lib/model/a2a.ts";
import { EXTENSION_URI } from "../../src/lib/model/entry.ts";
import { numberedChunks } from "../servers/script.ts";
import { startCuttingProxy } from "../support/cutting-proxy.ts";
import { messageOf } from "../support/messages.ts";
import { agentOf, collect, serving } from "../support/serving.ts";
import { createRandom } from "../../src/lib/model/random.ts";

// Our client and our relay against our own server: with cursors on both sides nothing is lost, repeated, merged or repaired.

const FAST: ConnectOptions = { allowLocal: true, backoff: { baseMs: 5, maxMs: 50 } };
const WAYS = [
  { binding: "JSONRPC", version: "1.0" },
  { binding: "HTTP+JSON", version: "1.0" },
  { binding: "GRPC", version: "1.0" },
  { binding: "JSONRPC", version: "0.3" },
  { binding: "HTTP+JSON", version: "0.3" },
] as const;
type Way = (typeof WAYS)[number];

function texts(items: readonly StreamItem[]): string[] {
  return items.flatMap(({ event }) => ("artifactUpdate" in event ? event.artifactUpdate.artifact.parts.map((part) => part.text ?? "") : []));
}

/** The server's card with other ports in its addresses. */
async function cardVia(server: Server, ports: Readonly<Record<string, number>>): Promise<JsonObject> {
  let text = await (await fetch(`${server.url}/.well-known/agent-card.json`, { headers: { "a2a-version": "1.0" } })).text();
  for (const [from, to] of Object.entries(ports)) text = text.replaceAll(`127.0.0.1:${from}`, `127.0.0.1:${to}`);
  return JSON.parse(text) as JsonObject;
}

/** A client whose connections are cut at random bytes, half of them with a reset. */
async function cutClient(
  t: TestContext,
  server: Server,
  { binding, version }: Way,
  cutAfter: (connection: number) => number | undefined,
): Promise<{ client: A2AClient; cuts: () => number }> {
  const proxy = await startCuttingProxy(cutAfter);
  t.after(() => proxy[Symbol.asyncDispose]());
  const grpcPort = Number(server.grpcAddress?.split(":").at(-1));
  proxy.target = binding === "GRPC" ? grpcPort : server.port;
  const card = await cardVia(server, binding === "GRPC" ? { [grpcPort]: proxy.port } : { [server.port]: proxy.port });
  const client = await connectA2A(card, { ...FAST, bindings: [binding], versions: [version], maxReconnects: 50 });
  t.after(() => client[Symbol.asyncDispose]());
  return { client, cuts: () => proxy.cuts };
}

for (const way of WAYS) {
  const { binding, version } = way;
  test(`${binding} ${version}: cut at random bytes, also before the first, every chunk arrives once, in order, unrepaired`, { timeout: 120_000 }, async (t) => {
    const seed = Math.floor(Math.random() * 2 ** 32);
    const random = createRandom(seed);
    const chunks = numberedChunks(300);
    let runs = 0;
    const agent = agentOf(async function* () {
      runs += 1;
      for (const text of chunks) {
        await new Promise((resolve) => setTimeout(resolve, 1));
        yield { kind: "text", text };
      }
    });
    const server = await serving(t, [agent], { grpcPort: 0 });
    const { client, cuts } = await cutClient(t, server, way, (connection) => (connection > 25 ? undefined : 100 + Math.floor(random() * 3500)));
    assert.equal(client.hasCursors, true);
    const items = await collect(client.stream({ message: messageOf("go") }));
    assert.ok(cuts() > 3, `seed ${seed}: only ${cuts()} cuts`);
    assert.deepEqual(texts(items), chunks, `seed ${seed}`);
    assert.deepEqual(
      items.filter((item) => item.resync === "replace"),
      [],
      `seed ${seed}`,
    );
    assert.equal(runs, 1, "sending again attaches to the task that is there");
  });

  test(`${binding} ${version}: a subscription with a cursor gives what came after it, on a finished task too`, async (t) => {
    const chunks = numberedChunks(20);
    const agent = agentOf(async function* () {
      for (const text of chunks) yield { kind: "text", text };
    });
    const server = await serving(t, [agent], { grpcPort: 0 });
    await using client = await connectA2A(server.url, { ...FAST, bindings: [binding], versions: [version] });
    const items = await collect(client.stream({ message: messageOf("go") }));
    const middle = items.findIndex((item) => texts([item])[0] === chunks[9]);
    const first = items[0]?.event;
    assert.ok(first !== undefined && "task" in first);
    const after = items[middle]?.cursor;
    assert.ok(after !== undefined);
    const rest = await collect(client.subscribe(first.task.id, { after }));
    assert.deepEqual(texts(rest), chunks.slice(10));
  });
}

test("a chain of three servers passes each chunk on before the next is made", { timeout: 60_000 }, async (t) => {
  const chunks = numberedChunks(50);
  let seen = -1;
  let wake: (() => void) | undefined;
  const origin = await serving(t, [
    agentOf(async function* () {
      for (const [index, text] of chunks.entries()) {
        while (seen < index - 1) await new Promise<void>((resolve) => (wake = resolve));
        yield { kind: "text", text };
      }
    }),
  ]);
  const middle = await serving(t, [defineAgent({ id: "middle", engine: a2a({ url: origin.url, ...FAST, bindings: ["HTTP+JSON"] }) })]);
  const outer = await serving(t, [defineAgent({ id: "outer", engine: a2a({ url: middle.url, ...FAST }) })]);
  await using client = await connectA2A(outer.url, FAST);
  const got: string[] = [];
  for await (const item of client.stream({ message: messageOf("go") })) {
    for (const text of texts([item])) {
      got.push(text);
      seen += 1;
      wake?.();
    }
  }
  assert.deepEqual(got, chunks);
});

test("what readers of the extension see of a remote agent comes through with its name as path", async (t) => {
  const origin = await serving(t, [
    agentOf(
      async function* () {
        yield { kind: "reasoning", text: "hm" };
        yield { kind: "tool-call", call: "c1", name: "search", arguments: "{}" };
        yield { kind: "tool-result", call: "c1", name: "search", output: "found" };
        yield { kind: "text", text: "child", path: ["helper"] };
        yield { kind: "usage", usage: { inputTokens: 1, outputTokens: 2, totalTokens: 3 } };
        yield { kind: "text", text: "answer" };
      },
      { expose: { reasoning: true, toolArguments: true } },
    ),
  ]);
  const outer = await serving(t, [
    defineAgent({ id: "outer", engine: a2a({ url: origin.url, name: "far", ...FAST }), expose: { reasoning: true, toolArguments: true } }),
  ]);
  await using client = await connectA2A(outer.url, FAST);
  const items = await collect(client.stream({ message: messageOf("go") }));
  assert.deepEqual(texts(items), ["answer"]);
  const asides = items.flatMap(({ event }) => {
    const data = "statusUpdate" in event ? (event.statusUpdate.metadata?.[EXTENSION_URI] as JsonObject | undefined) : undefined;
    return data?.["path"] === undefined ? [] : [[data["kind"], data["path"]]];
  });
  assert.deepEqual(asides, [
    ["reasoning", ["far"]],
    ["tool-call", ["far"]],
    ["tool-result", ["far"]],
    ["text", ["far", "helper"]],
    ["usage", ["far"]],
  ]);
});

test("a question of a remote agent is asked here, and the answer reaches the remote task", async (t) => {
  const tasks: string[] = [];
  const origin = await serving(t, [
    agentOf(async function* (turn) {
      tasks.push(turn.task);
      if (turn.state === undefined) yield { kind: "interrupt", reason: "input", message: [{ text: "Which?" }], state: { version: "t", data: "1" } };
      else yield { kind: "text", text: `You said ${turn.input[0]?.parts[0]?.text}` };
    }),
  ]);
  const outer = await serving(t, [defineAgent({ id: "outer", engine: a2a({ url: origin.url, ...FAST }) })]);
  await using client = await connectA2A(outer.url, FAST);
  const asked = await client.send({ message: messageOf("go") });
  assert.ok("task" in asked);
  assert.equal(asked.task.status.state, "TASK_STATE_INPUT_REQUIRED");
  assert.equal(asked.task.status.message?.parts[0]?.text, "Which?");
  const answered = await client.send({ message: { ...messageOf("blue"), taskId: asked.task.id } });
  assert.ok("task" in answered);
  assert.equal(answered.task.status.state, "TASK_STATE_COMPLETED");
  assert.equal(answered.task.artifacts?.[0]?.parts[0]?.text, "You said blue");
  assert.equal(tasks.length, 2);
  assert.equal(tasks[0], tasks[1], "one remote task");
});

test("a cancel here cancels there", async (t) => {
  const stopped = Promise.withResolvers<void>();
  const origin = await serving(t, [
    agentOf(async function* (_turn, signal) {
      yield { kind: "text", text: "a" };
      await new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve(), { once: true }));
      stopped.resolve();
    }),
  ]);
  const outer = await serving(t, [defineAgent({ id: "outer", engine: a2a({ url: origin.url, ...FAST }) })]);
  await using client = await connectA2A(outer.url, FAST);
  for await (const { event } of client.stream({ message: messageOf("go") })) {
    if ("artifactUpdate" in event) await client.cancelTask(event.artifactUpdate.taskId);
  }
  await stopped.promise;
});

test("two servers that relay to each other stop at the circle", async (t) => {
  const urls = { a: "", b: "" };
  const left = await serving(t, [defineAgent({ id: "left", engine: { run: (turn, options) => a2a({ url: urls.b, ...FAST }).run(turn, options) } })]);
  const right = await serving(t, [defineAgent({ id: "right", engine: a2a({ url: left.url, ...FAST }) })]);
  urls.b = right.url;
  await using client = await connectA2A(left.url, FAST);
  const result = await client.send({ message: messageOf("go") });
  assert.ok("task" in result);
  assert.equal(result.task.status.state, "TASK_STATE_FAILED");
});
