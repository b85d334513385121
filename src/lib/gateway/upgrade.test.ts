import assert from "node:assert/strict";
import { once } from "node:events";
import { connect } from "node:net";
import { test, type TestContext } from "node:test";
import { WebSocket } from "ws";
import type { SocketConnection, SocketRoute } from "../socket/socket.ts";
import { agentOf, serving } from "../../../test/support/serving.ts";
import type { ServerOptions } from "../main/server.ts";

const agent = agentOf(async function* () {});

/** A server with an endpoint that says what it hears, and who said it. */
async function echoing(t: TestContext, options: Partial<ServerOptions> = {}) {
  const connections: SocketConnection[] = [];
  const route: SocketRoute = ({ pathname }) =>
    pathname !== "/echo"
      ? undefined
      : {
          protocol: "echo.v1",
          serve(connection) {
            connections.push(connection);
            connection.receive((message) => connection.outbox.say(`${connection.principal.user}: ${message.toString()}`));
          },
        };
  const server = await serving(t, [agent], { ...options, socketRoutes: [route] });
  return { server, connections, url: `${server.url.replace("http", "ws")}/echo` };
}

/** The status of a refused handshake, or the close code and reason of one that was taken. */
async function outcome(url: string, headers: Readonly<Record<string, string>> = {}, protocols = ["echo.v1"]): Promise<readonly [number, string]> {
  const ws = new WebSocket(url, protocols, { headers: { ...headers } });
  ws.on("error", () => {});
  return new Promise((resolve) => {
    ws.once("unexpected-response", (_, response) => {
      response.setEncoding("utf8").once("data", (body: string) => {
        ws.terminate();
        resolve([response.statusCode ?? 0, body]);
      });
    });
    ws.once("open", () => ws.close(1000));
    ws.once("close", (code, reason) => resolve([code, reason.toString()]));
  });
}

test("a connection from here, or from an allowed origin, is served; a foreign origin or host is refused before the handshake", async (t) => {
  const { server, url, connections } = await echoing(t, { allowedOrigins: ["https://app.example.com"] });
  for (const headers of [{}, { origin: server.url }, { origin: "https://app.example.com" }]) assert.equal((await outcome(url, headers))[0], 1000);
  assert.equal(connections.length, 3);
  for (const headers of [{ origin: "https://evil.example" }, { origin: "null" }, { host: "evil.example" }]) {
    const [status, body] = await outcome(url, headers);
    assert.equal(status, 403);
    assert.match(body, /_NOT_ALLOWED/);
  }
  assert.equal((await outcome(url.replace("echo", "nothing")))[0], 404);
  const [status, body] = await outcome(url, {}, ["other.v1"]);
  assert.equal(status, 400);
  assert.match(body, /echo\.v1/);
  assert.equal((await outcome(url, {}, ["other.v1", "echo.v1"]))[0], 1000);
  assert.equal((await outcome(url, {}, []))[0], 1000);
  assert.equal(connections.length, 5);
  assert.match(await (await fetch(url.replace("ws", "http"))).text(), /connect with ws/);
});

test("too many connections are 429 for programs and 1013 for pages, which cannot see a status", async (t) => {
  const { server, url } = await echoing(t, { limits: { maxSockets: 1 } });
  const first = new WebSocket(url);
  await once(first, "open");
  assert.equal((await outcome(url))[0], 429);
  const [code, reason] = await outcome(url, { origin: server.url });
  assert.equal(code, 1013);
  assert.match(reason, /maxSockets/);
  first.close();
  await once(first, "close");
  assert.equal((await outcome(url))[0], 1000);
});

test("a message over the limit is 4413 with the limit's name; one far over it is not read", async (t) => {
  const { url } = await echoing(t, { limits: { maxSocketMessageBytes: 1000 } });
  for (const [size, code, reason] of [
    [1000, 1000, /^$/],
    [1001, 4413, /maxSocketMessageBytes/],
    [5000, 1009, /^$/],
  ] as const) {
    const ws = new WebSocket(url);
    await once(ws, "open");
    ws.send("x".repeat(size));
    ws.once("message", () => ws.close(1000));
    const [got, said] = (await once(ws, "close")) as [number, Buffer];
    assert.equal(got, code);
    assert.match(said.toString(), reason);
  }
});

test("a peer that does not answer pings is let go with 4408, one that does stays", async (t) => {
  // Long enough for a busy machine to let the live one answer.
  const { url, connections } = await echoing(t, { limits: { heartbeatMs: 400 } });
  const deaf = new WebSocket(url, [], { autoPong: false });
  const alive = new WebSocket(url);
  await Promise.all([once(deaf, "open"), once(alive, "open")]);
  const [code, reason] = (await once(deaf, "close")) as [number, Buffer];
  assert.equal(code, 4408);
  assert.match(reason.toString(), /not answered/);
  assert.equal(connections[0]?.signal.aborted, true);
  for (let pings = 0; pings < 4; pings += 1) await once(alive, "ping");
  assert.equal(alive.readyState, WebSocket.OPEN);
});

test("a server that stops says 1012 after what it has said, and cuts those that do not answer", async (t) => {
  const { server, url, connections } = await echoing(t);
  const ws = new WebSocket(url);
  const heard: string[] = [];
  ws.on("message", (data: Buffer) => heard.push(data.toString()));
  await once(ws, "open");
  const mute = connect(server.port, "127.0.0.1");
  mute.write(
    `GET /echo HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n`,
  );
  await once(mute, "data");
  mute.resume();
  connections[0]?.outbox.say("last");
  const closed = once(ws, "close");
  const cut = once(mute, "close");
  await server.drain({ graceMs: 0 });
  const [code, reason] = (await closed) as [number, Buffer];
  assert.equal(code, 1012);
  assert.match(reason.toString(), /cursors/);
  assert.deepEqual(heard, ["last"]);
  await cut;
});

test("a request that would rather speak HTTP/2 is answered in HTTP/1.1", async (t) => {
  const { server } = await echoing(t);
  const socket = connect(server.port, "127.0.0.1");
  socket.write("GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n\r\n");
  const [answer] = (await once(socket, "data")) as [Buffer];
  assert.match(answer.toString(), /^HTTP\/1\.1 200 /);
  socket.destroy();
});

test("a refused upgrade leaves no connection, though its sender keeps its own side open", async (t) => {
  const { server } = await echoing(t);
  const socket = connect({ port: server.port, host: "127.0.0.1", allowHalfOpen: true });
  t.after(() => socket.destroy());
  socket.on("error", () => {});
  socket.write("GET /nothing HTTP/1.1\r\nhost: 127.0.0.1\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n");
  socket.setEncoding("utf8");
  let answer = "";
  socket.on("data", (text: string) => (answer += text));
  await once(socket, "end");
  assert.match(answer, /^HTTP\/1\.1 404 /);
  // Writing to a side that is gone is answered with a reset; to one that is kept open it is not.
  for (let tries = 0; !socket.destroyed && tries < 500; tries += 1) {
    socket.write("x");
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  assert.ok(socket.destroyed, "the server still has the connection");
});
