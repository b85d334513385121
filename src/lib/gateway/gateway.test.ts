import assert from "node:assert/strict";
import { once } from "node:events";
import { connect } from "node:net";
import test from "node:test";
import type { Route } from "../net/route.ts";
import { agentOf, rpcClient, serving } from "../../../test/support/serving.ts";

test("a cache between can tell answers apart by origin, and cards by version too", async (t) => {
  const origin = "https://app.example.com";
  const server = await serving(t, [agentOf(async function* () {})], { allowedOrigins: [origin] });
  const card = `${server.url}/.well-known/agent-card.json`;
  for (const headers of [{}, { origin }]) {
    const { headers: got } = await fetch(card, { headers });
    assert.equal(got.get("vary"), "A2A-Version, origin");
    assert.equal(got.get("access-control-allow-origin"), "origin" in headers ? origin : null);
    assert.equal((await fetch(`${server.url}/healthz`, { headers })).headers.get("vary"), "origin");
    // A browser gets a page there, a program JSON.
    assert.equal((await fetch(`${server.url}/nothing`, { headers })).headers.get("vary"), "origin, accept");
  }
});

test("a route gives whole answers and events, and what breaks its events breaks the connection", async (t) => {
  const route: Route = async ({ method, url, principal, body }) => {
    if (url.pathname === "/echo")
      return { kind: "whole", status: 201, headers: { "x-user": (await principal()).user }, body: `${method} ${(await body()).toString()}` };
    if (url.pathname !== "/events") return undefined;
    async function* events(): AsyncGenerator<string, void, undefined> {
      yield "data: one\n\n";
      if (url.searchParams.has("break")) throw new Error("broken on purpose");
      yield "event: end\ndata: {}\n\n";
    }
    return { kind: "events", headers: { "x-kind": "test" }, events: events() };
  };
  const reported: string[] = [];
  const server = await serving(t, [agentOf(async function* () {})], { routes: [route], report: (error) => void reported.push(error.message) });
  const echoed = await fetch(`${server.url}/echo`, { method: "PUT", body: "hello" });
  assert.deepEqual([echoed.status, echoed.headers.get("x-user"), await echoed.text()], [201, "local", "PUT hello"]);
  const whole = await fetch(`${server.url}/events`);
  assert.deepEqual([whole.headers.get("content-type"), whole.headers.get("x-kind")], ["text/event-stream", "test"]);
  assert.equal(await whole.text(), "data: one\n\nevent: end\ndata: {}\n\n");
  const broken = await fetch(`${server.url}/events?break`);
  await assert.rejects(broken.text(), TypeError);
  assert.deepEqual(reported, ["broken on purpose"]);
});

test("answers a method that it does not take with those that it takes", async (t) => {
  const server = await serving(t, [agentOf(async function* () {})]);
  for (const [path, allow] of [
    ["/a2a/agent", "POST"],
    ["/a2a/agent/", "POST"],
    ["/a2a/agent/rest/tasks", "GET"],
    ["/a2a", "GET, HEAD"],
  ] as const) {
    const { status, headers } = await fetch(`${server.url}${path}`, { method: "PUT", headers: { "a2a-version": "1.0" } });
    assert.deepEqual([path, status, headers.get("allow")], [path, 405, allow]);
  }
});

test("takes the origin of its public URL for its own, also behind a proxy that changes the Host", async (t) => {
  const server = await serving(t, [agentOf(async function* () {})], { publicUrl: "https://agents.example.com/x" });
  const local = `http://127.0.0.1:${server.port}/healthz`;
  assert.equal((await fetch(local, { headers: { origin: "https://agents.example.com" } })).status, 200);
  for (const origin of ["http://agents.example.com", "https://agents.example.com:8443", "https://example.com"])
    assert.equal((await fetch(local, { headers: { origin } })).status, 403, origin);
});

test("repeats no more of an unknown task's id than an id may have", async (t) => {
  const server = await serving(t, [agentOf(async function* () {})]);
  const { error } = await rpcClient(`${server.url}/a2a/agent`).call("GetTask", { id: "x".repeat(100_000) });
  assert.equal(error?.code, -32001);
  assert.ok(JSON.stringify(error).length < 2000);
});

test("shows callers nothing of an event that no engine may make", async (t) => {
  const server = await serving(t, [
    agentOf(async function* () {
      yield { kind: "secret", text: "hidden" } as never;
    }),
  ]);
  const { task } = await rpcClient(`${server.url}/a2a/agent`).send("x");
  assert.equal(task.status.state, "TASK_STATE_FAILED");
  assert.ok(!JSON.stringify(task).includes("hidden"), JSON.stringify(task));
});

test("names the field of a file that is no base64 as any other field", async (t) => {
  const server = await serving(t, [agentOf(async function* () {})]);
  const message = { messageId: "m", role: "ROLE_USER", parts: [{ text: "x" }, { raw: "a b", filename: "x" }] };
  const { error } = await rpcClient(`${server.url}/a2a/agent`).call("SendMessage", { message });
  assert.match(JSON.stringify(error), /"reason":"BASE64_INVALID".*"field":"message\.parts\.1\.raw"/);
});

test("HEAD of events has their headers and ends, and the next answer on the connection follows", async (t) => {
  let left = 0;
  const route: Route = async ({ url, signal }) => {
    if (url.pathname !== "/events") return undefined;
    signal.addEventListener("abort", () => (left += 1));
    async function* events(): AsyncGenerator<string, void, undefined> {
      yield "data: one\n\n";
      await new Promise(() => {});
    }
    return { kind: "events", headers: {}, events: events() };
  };
  const server = await serving(t, [agentOf(async function* () {})], { routes: [route] });
  const socket = connect(server.port, "127.0.0.1").setEncoding("utf8");
  t.after(() => socket.destroy());
  const host = "host: 127.0.0.1\r\n";
  socket.write(`HEAD /events HTTP/1.1\r\n${host}\r\nGET /healthz HTTP/1.1\r\n${host}connection: close\r\n\r\n`);
  let answer = "";
  for await (const text of socket) answer += text;
  const [head = "", next = ""] = answer.split(/(?<=\r\n\r\n)/);
  assert.match(head, /^HTTP\/1\.1 200 [^]*content-type: text\/event-stream/);
  assert.match(next, /^HTTP\/1\.1 200 /);
  assert.equal(left, 1, "the stream is left");
});

test("a large answer to a slow reader does not pile up listeners", async (t) => {
  const warnings: Error[] = [];
  const onWarning = (warning: Error): void => void warnings.push(warning);
  process.on("warning", onWarning);
  t.after(() => process.off("warning", onWarning));
  const chunk = Buffer.alloc(1024 * 1024);
  const route: Route = async ({ url }) => {
    if (url.pathname !== "/large") return undefined;
    async function* body(): AsyncGenerator<Uint8Array, void, undefined> {
      for (let n = 0; n < 40; n += 1) yield chunk;
    }
    return { kind: "whole", status: 200, headers: {}, body: body() };
  };
  const server = await serving(t, [agentOf(async function* () {})], { routes: [route] });
  assert.equal((await (await fetch(`${server.url}/large`)).arrayBuffer()).byteLength, 40 * chunk.length);
  await new Promise((resolve) => setImmediate(resolve));
  assert.deepEqual(warnings, []);
});

test("a stream that is too old ends also for a reader that takes nothing", { timeout: 60_000 }, async (t) => {
  const filler = `data: ${"x".repeat(100_000)}\n\n`;
  const route: Route = async ({ url }) => {
    if (url.pathname !== "/endless") return undefined;
    async function* events(): AsyncGenerator<string, void, undefined> {
      for (;;) yield filler;
    }
    return { kind: "events", headers: {}, events: events() };
  };
  const server = await serving(t, [agentOf(async function* () {})], { routes: [route], limits: { maxStreamMs: 300 } });
  const socket = connect(server.port, "127.0.0.1");
  t.after(() => socket.destroy());
  socket.on("error", () => {});
  socket.write("GET /endless HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n");
  socket.pause();
  await once(socket, "connect");
  // A write shows that the other side is gone: it is answered with a reset.
  const probe = setInterval(() => socket.write("\r\n"), 100);
  t.after(() => clearInterval(probe));
  await new Promise<void>((resolve) => socket.once("close", () => resolve()));
});
