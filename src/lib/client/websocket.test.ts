import assert from "node:assert/strict";
import { test } from "node:test";
import { WebSocketServer } from "ws";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { startLockStep } from "../../../test/bindings/lock-step.ts";
import { messageOf } from "../../../test/support/messages.ts";
import { agentOf, collect, serving } from "../../../test/support/serving.ts";
import type { JsonObject } from "../model/a2a.ts";
import { EXTENSION_URI } from "../model/entry.ts";
import { IasError } from "../model/errors.ts";
import { A2A_SOCKET_BINDING } from "../model/websocket-binding.ts";
import { connectA2A, type ConnectOptions } from "./connect.ts";

const LOCAL: ConnectOptions = { allowLocal: true, bindings: ["WEBSOCKET"], backoff: { baseMs: 5, maxMs: 20 }, maxReconnects: 3 };

function refusal(work: Promise<unknown>): Promise<IasError> {
  return work.then(
    () => assert.fail("it was not refused"),
    (error: unknown) => (error instanceof IasError ? error : assert.fail(String(error))),
  );
}

/** A server that speaks whatever `answer` says; its card. */
async function startForeign(answer: (say: (message: object) => void, request: JsonObject) => void) {
  const server = new WebSocketServer({ port: 0, host: "127.0.0.1" });
  server.on("connection", (ws) => {
    ws.on("message", (data: Buffer) => answer((message) => ws.send(JSON.stringify(message)), JSON.parse(data.toString()) as JsonObject));
  });
  await once(server, "listening");
  const url = `ws://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  const capabilities = { streaming: true, extensions: [{ uri: EXTENSION_URI }] };
  return {
    card: { name: "f", capabilities, supportedInterfaces: [{ url, protocolBinding: A2A_SOCKET_BINDING, protocolVersion: "1.0" }] } as JsonObject,
    connections: () => server.clients.size,
    async [Symbol.asyncDispose]() {
      for (const ws of server.clients) ws.terminate();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

test("a client sends, streams, lists, cancels and configures over one connection", async (t) => {
  const agent = agentOf(async function* (turn, signal) {
    const text = turn.input[0]?.parts[0]?.text ?? "";
    if (text === "hang") await new Promise((_, reject) => signal.addEventListener("abort", () => reject(new Error("aborted"))));
    for (const word of text.split(" ")) yield { kind: "text", text: word };
  });
  const server = await serving(t, [agent], { allowLocalTargets: true });
  await using client = await connectA2A(server.url, LOCAL);
  assert.deepEqual([client.remote.binding, client.remote.url, client.hasCursors], ["WEBSOCKET", `${server.url.replace("http", "ws")}/a2a/agent/ws`, true]);
  const items = await collect(client.stream({ message: messageOf("a b c") }));
  const text = items.flatMap(({ event }) => ("artifactUpdate" in event ? event.artifactUpdate.artifact.parts.map((part) => part.text) : [])).join("");
  assert.equal(text, "abc");
  const first = items[0];
  assert.ok(first !== undefined && "task" in first.event && first.cursor !== undefined);
  const { id } = first.event.task;
  assert.deepEqual(await collect(client.subscribe(id, { after: first.cursor })), items.slice(1));
  assert.equal((await client.listTasks()).totalSize, 1);
  const sent = await client.send({ message: messageOf("hang"), configuration: { returnImmediately: true } });
  assert.ok("task" in sent);
  const config = await client.createPushConfig({ taskId: sent.task.id, url: "http://127.0.0.1:9/" });
  assert.equal((await client.getPushConfig(sent.task.id, config.id ?? "")).url, "http://127.0.0.1:9/");
  assert.equal((await client.listPushConfigs(sent.task.id)).length, 1);
  await client.deletePushConfig(sent.task.id, config.id ?? "");
  const leaving = new AbortController();
  for await (const _ of client.subscribe(sent.task.id, { signal: leaving.signal })) break;
  assert.equal((await client.getTask(sent.task.id)).status.state, "TASK_STATE_WORKING");
  const waiting = refusal(client.send({ message: messageOf("hang") }, { signal: leaving.signal }));
  leaving.abort();
  assert.equal((await waiting).code, "aborted");
  assert.equal((await client.cancelTask(sent.task.id)).status.state, "TASK_STATE_CANCELED");
  assert.equal((await refusal(client.getTask("none"))).code, "task-not-found");
});

test("credentials go with the handshake, and a refused one says why", async (t) => {
  const agent = agentOf(async function* () {});
  const server = await serving(t, [agent], { limits: { maxSockets: 1 } });
  await using one = await connectA2A(server.url, LOCAL);
  await one.listTasks();
  await using two = await connectA2A(server.url, LOCAL);
  assert.equal((await refusal(two.listTasks())).code, "unavailable");
  await using strict = await connectA2A({ ...one.card.raw }, { bindings: ["WEBSOCKET"] });
  const judged = await refusal(strict.listTasks());
  assert.deepEqual([judged.code, judged.reason], ["forbidden", "TARGET_NOT_ALLOWED"]);
});

test("a reader that does not read is sent no more than its credit, and granted more as it reads", async () => {
  let sent = 0;
  let credit = 0;
  const EVENT = { artifactUpdate: { taskId: "t", contextId: "c", artifact: { artifactId: "a", parts: [{ text: "x".repeat(10_000) }] }, append: true } };
  await using foreign = await startForeign((say, request) => {
    const params = request["params"] as JsonObject;
    credit += Number(request["credit"] ?? 0) + (request["method"] === "$/credit" ? Number(params["bytes"]) : 0);
    if (sent === 0)
      say({ jsonrpc: "2.0", id: request["id"], result: { task: { id: "t", contextId: "c", status: { state: "TASK_STATE_WORKING" } } }, cursor: "logx.1" });
    while (credit > 0 && sent < 200) {
      sent += 1;
      const message = { jsonrpc: "2.0", id: 1, result: EVENT, cursor: `logx.${sent + 1}` };
      credit -= Buffer.byteLength(JSON.stringify(message));
      say(message);
    }
    if (sent === 200)
      say({ jsonrpc: "2.0", id: 1, result: { statusUpdate: { taskId: "t", contextId: "c", status: { state: "TASK_STATE_COMPLETED" } } }, cursor: "logx.300" });
  });
  await using client = await connectA2A(foreign.card, LOCAL);
  let chunks = 0;
  for await (const { event } of client.stream({ message: messageOf("x") })) {
    if (!("artifactUpdate" in event)) continue;
    if (chunks === 0) assert.ok(sent <= 27, String(sent));
    chunks += 1;
  }
  assert.equal(chunks, 200);
});

test("in lock step: a token is made only after the one before was seen", { timeout: 60_000 }, async () => {
  await using lockStep = await startLockStep(300);
  await using client = await connectA2A(lockStep.url, LOCAL);
  let seen = 0;
  for await (const { event } of client.stream({ message: messageOf("go") })) {
    const text = "artifactUpdate" in event ? event.artifactUpdate.artifact.parts[0]?.text : undefined;
    if (text === undefined || text === "") continue;
    lockStep.saw(text);
    seen += 1;
  }
  assert.equal(seen, lockStep.tokens.length);
});
