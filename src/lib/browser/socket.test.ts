import assert from "node:assert/strict";
import { createServer, request as httpRequest } from "node:http";
import type { AddressInfo } from "node:net";
import { once } from "node:events";
import test, { type TestContext } from "node:test";
import { type WebSocket, WebSocketServer } from "ws";
import { startCuttingProxy } from "../../../test/support/cutting-proxy.ts";
import { agentOf, collect, serving } from "../../../test/support/serving.ts";
import type { Server } from "../main/server.ts";
import type { Client, ClientOptions } from "./client.ts";
import { ClientError } from "./client-error.ts";
import { createClient } from "./create-client.ts";

async function setUp(t: TestContext, options: Parameters<typeof serving>[2] = {}): Promise<Server> {
  const agent = agentOf(async function* ({ input }) {
    for (let left = Number(input[0]?.parts[0]?.text); left > 0; left -= 1) yield { kind: "text", text: `${"x".repeat(1000)}ü😀` };
  });
  return serving(t, [agent], options);
}

function clientOf(t: TestContext, options: ClientOptions): Client {
  const client = createClient({ backoff: { baseMs: 1, maxMs: 4 }, ...options });
  t.after(() => client.close());
  return client;
}

async function sent(client: Client, text: string): Promise<string> {
  const reply = await client.send("agent", text);
  return "task" in reply ? reply.task : assert.fail("no task");
}

test("a hundred streams, the feed among them, share one connection", async (t) => {
  const server = await setUp(t);
  let connections = 0;
  const proxy = await startCuttingProxy(() => void (connections += 1));
  proxy.target = server.port;
  t.after(() => proxy[Symbol.asyncDispose]());
  const direct = clientOf(t, { baseUrl: server.url });
  const client = clientOf(t, { baseUrl: `http://127.0.0.1:${proxy.port}`, transport: "websocket" });
  const tasks = await Promise.all(Array.from({ length: 100 }, () => sent(direct, "3")));
  const fed = new Set<string>();
  const feeding = (async () => {
    for await (const { task } of client.feed({ after: "0" })) if (fed.add(task).size === 100) break;
  })();
  const all = await Promise.all(tasks.map((task) => collect(client.stream(task, { audience: "internal" }))));
  await feeding;
  for (const entries of all) assert.ok(entries.length >= 6 && entries.every(({ seq }, index) => seq === index + 1));
  assert.equal(connections, 1);
});

test("a stream that nobody reads holds no other up, and is whole when it is read", async (t) => {
  const server = await setUp(t);
  const client = clientOf(t, { baseUrl: server.url, transport: "websocket" });
  const large = await sent(client, "5000");
  const slow = client.stream(large, { audience: "internal" })[Symbol.asyncIterator]();
  await slow.next();
  for (let n = 0; n < 5; n += 1) await collect(client.stream(await sent(client, "200")));
  let last = 1;
  for (let next = await slow.next(); next.done !== true; next = await slow.next()) {
    assert.equal(next.value.seq, last + 1);
    last = next.value.seq;
  }
  assert.ok(last > 5000);
});

test("where WebSockets do not get through, server-sent events take over", async (t) => {
  const server = await setUp(t);
  let upgrades = 0;
  const proxy = createServer((request, response) => {
    const forward = httpRequest({ port: server.port, path: request.url, method: request.method, headers: request.headers }, (answer) => {
      response.writeHead(answer.statusCode ?? 500, answer.headers);
      answer.pipe(response);
      response.on("close", () => answer.destroy());
    });
    request.pipe(forward);
  }).on("upgrade", (_, socket) => {
    upgrades += 1;
    socket.end("HTTP/1.1 502 Bad Gateway\r\n\r\n");
  });
  proxy.listen(0, "127.0.0.1");
  await once(proxy, "listening");
  t.after(() => {
    proxy.closeAllConnections();
    proxy.close();
  });
  const baseUrl = `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`;
  const client = clientOf(t, { baseUrl });
  const task = await sent(client, "3");
  assert.ok((await collect(client.stream(task))).length > 3);
  assert.ok((await collect(client.stream(task))).length > 3);
  assert.equal(upgrades, 1, "it is not tried again at once");
  const strict = clientOf(t, { baseUrl, transport: "websocket", maxReconnects: 1 });
  await assert.rejects(collect(strict.stream(task)), (error) => error instanceof ClientError && error.reason === "SOCKET_BLOCKED");
});

test("close codes that no retry mends end the streams, others do not", async (t) => {
  for (const [code, wanted] of [
    [4401, "unauthenticated"],
    [4403, "forbidden"],
    [4400, "invalid-request"],
  ] as const) {
    const server = new WebSocketServer({ port: 0, host: "127.0.0.1" }).on("connection", (socket) => socket.close(code, "because"));
    await once(server, "listening");
    const client = clientOf(t, { baseUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}` });
    const states: string[] = [];
    const reading = collect(client.stream("t", { onConnection: ({ kind }) => states.push(kind) }));
    await assert.rejects(reading, (error) => error instanceof ClientError && error.code === wanted && error.message.includes("because"));
    assert.deepEqual(states, []);
    server.close();
  }
});

test("after the server has restarted the streams go on where they were", async (t) => {
  const { createMemoryStore } = await import("../log/memory.ts");
  const store = createMemoryStore();
  const first = await setUp(t, { store });
  const client = clientOf(t, { baseUrl: first.url, transport: "websocket", backoff: { baseMs: 5, maxMs: 20 } });
  const task = await sent(client, "400");
  const seqs: number[] = [];
  let second: Server | undefined;
  for await (const { seq } of client.stream(task, { audience: "internal" })) {
    seqs.push(seq);
    if (seq !== 50) continue;
    await first.drain({ graceMs: 10_000 });
    second = await setUp(t, { store, port: first.port });
  }
  assert.ok(second !== undefined && seqs.length > 400);
  assert.deepEqual(
    seqs,
    seqs.map((_, index) => index + 1),
  );
});

test("a silent connection is asked, and then given up", async (t) => {
  const { createHttp } = await import("./http.ts");
  const { createSocketSource } = await import("./socket.ts");
  const heard: string[] = [];
  const closed = Promise.withResolvers<void>();
  const server = new WebSocketServer({ port: 0, host: "127.0.0.1" }).on("connection", (socket) => {
    socket.send(JSON.stringify({ op: "hello", logId: "l", maxSubscriptions: 1, defaultCredit: 1 }));
    socket.on("message", (data: Buffer) => heard.push((JSON.parse(data.toString()) as { op: string }).op));
    socket.once("close", () => closed.resolve());
  });
  await once(server, "listening");
  t.after(() => server.close());
  const http = createHttp({ baseUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}` });
  const { source } = createSocketSource(http, { usesTicket: false, silenceMs: 30 });
  await assert.rejects(source({ kind: "task", task: "t" }, new AbortController().signal).next(), /silent/);
  // On a busy machine it gives up before what it said is read here.
  await closed.promise;
  assert.deepEqual(heard, ["subscribe", "ping"]);
});

test("one stream too many for a connection fails by itself with the limit's name; the others are whole, and then there is room again", async (t) => {
  const gate = Promise.withResolvers<void>();
  const patient = agentOf(async function* () {
    yield { kind: "text", text: "begun " };
    await gate.promise;
  });
  const server = await serving(t, [patient], { limits: { maxSocketStreams: 2 } });
  const client = clientOf(t, { baseUrl: server.url, transport: "websocket" });
  const task = await sent(client, "x");
  const iterators = [0, 1].map(() => client.stream(task, { audience: "internal" })[Symbol.asyncIterator]());
  for (const iterator of iterators) assert.equal((await iterator.next()).value?.seq, 1);
  await assert.rejects(
    collect(client.stream(task)),
    (error) => error instanceof ClientError && error.code === "limit-reached" && error.reason === "TOO_MANY_STREAMS" && /maxSocketStreams/.test(error.message),
  );
  gate.resolve();
  for (const iterator of iterators) {
    let last = 1;
    for (let next = await iterator.next(); next.done !== true; next = await iterator.next()) {
      assert.equal(next.value.seq, last + 1);
      last = next.value.seq;
    }
    assert.ok(last > 3);
  }
  assert.ok((await collect(client.stream(task))).length > 2);
});

test("a connection that nobody wants any more when it opens is let go", async (t) => {
  const open = new Set<WebSocket>();
  const server = new WebSocketServer({ port: 0, host: "127.0.0.1" });
  t.after(() => server.close());
  const leave = new AbortController();
  server.on("connection", (ws) => {
    open.add(ws);
    ws.once("close", () => open.delete(ws));
    // Left after the handshake and before the hello.
    leave.abort(new Error("left"));
    ws.send(JSON.stringify({ op: "hello" }));
  });
  await once(server, "listening");
  const client = clientOf(t, { baseUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, transport: "websocket" });
  await assert.rejects(collect(client.stream("task", { signal: leave.signal })), /left/);
  assert.equal(open.size, 1);
  const [ws] = open;
  await once(ws ?? assert.fail(), "close");
});
