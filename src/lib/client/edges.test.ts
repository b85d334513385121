import assert from "node:assert/strict";
import { once } from "node:events";
import http from "node:http";
import type { AddressInfo } from "node:net";
import test, { type TestContext } from "node:test";
import type { Json, JsonObject } from "../model/a2a.ts";
import { EXTENSION_URI } from "../model/entry.ts";
import { IasError } from "../model/errors.ts";
import { chooseInterface, readCard } from "./card.ts";
import type { ConnectionState, StreamItem } from "./client.ts";
import { connectA2A, type ConnectOptions } from "./connect.ts";

// Servers that misbehave in ways no SDK's server does on demand: written out by hand, byte by byte.

interface Call {
  readonly path: string;
  readonly method: string;
  readonly headers: http.IncomingHttpHeaders;
  readonly rpc: string;
}

type Answer = (call: Call, response: http.ServerResponse, id: Json) => void;

const FAST: ConnectOptions = { allowLocal: true, backoff: { baseMs: 2, maxMs: 10 }, poll: { baseMs: 5, maxMs: 20 }, maxReconnects: 4 };
const MESSAGE = { messageId: "m1", role: "ROLE_USER", parts: [{ text: "go" }] } as const;
const CARD = { name: "hand", description: "d", version: "1", capabilities: { streaming: true }, skills: [] };
const WORKING = { task: { id: "t1", contextId: "c1", status: { state: "TASK_STATE_WORKING" } } };

async function handServer(t: TestContext, answer: Answer, card: JsonObject = {}): Promise<{ readonly url: string; readonly calls: Call[] }> {
  const calls: Call[] = [];
  const server = http.createServer((request, response) => {
    let body = "";
    request.on("data", (chunk: Buffer) => (body += chunk.toString()));
    request.on("end", () => {
      if (request.url?.includes(".well-known") === true) {
        const supportedInterfaces = [{ url: `${url}/rpc`, protocolBinding: "JSONRPC", protocolVersion: "1.0" }];
        response.setHeader("content-type", "application/json").end(JSON.stringify({ ...CARD, supportedInterfaces, ...card }));
        return;
      }
      const { id, method } = body === "" ? { id: 0, method: "" } : (JSON.parse(body) as { id: number; method: string });
      const call = { path: request.url ?? "", method: request.method ?? "", headers: request.headers, rpc: method };
      calls.push(call);
      answer(call, response, id);
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return { url, calls };
}

function stream(response: http.ServerResponse, id: Json, events: readonly object[], end: "end" | "cut" = "end"): void {
  response.writeHead(200, { "content-type": "text/event-stream" });
  for (const event of events) response.write(`data: ${JSON.stringify({ jsonrpc: "2.0", id, result: event })}\n\n`);
  if (end === "end") response.end();
  else response.flushHeaders();
  if (end === "cut") setTimeout(() => response.destroy(), 5);
}

function json(response: http.ServerResponse, id: Json, body: object): void {
  response.setHeader("content-type", "application/json").end(JSON.stringify({ jsonrpc: "2.0", id, ...body }));
}

const artifact = (text: string, append: boolean): object => ({
  artifactUpdate: { taskId: "t1", contextId: "c1", artifact: { artifactId: "a", parts: [{ text }] }, append },
});
const done = { statusUpdate: { taskId: "t1", contextId: "c1", status: { state: "TASK_STATE_COMPLETED" } } };
const doneTask = (text: string): object => ({
  id: "t1",
  contextId: "c1",
  status: { state: "TASK_STATE_COMPLETED" },
  artifacts: [{ artifactId: "a", parts: [{ text }] }],
});

async function collect(items: AsyncIterable<StreamItem>): Promise<StreamItem[]> {
  const all: StreamItem[] = [];
  for await (const item of items) all.push(item);
  return all;
}

function told(items: readonly StreamItem[]): string[] {
  return items.map(({ event, resync }) => {
    const what =
      "artifactUpdate" in event
        ? `${event.artifactUpdate.append === true ? "+" : "="}${event.artifactUpdate.artifact.parts[0]?.text}`
        : "statusUpdate" in event
          ? event.statusUpdate.status.state.replace("TASK_STATE_", "")
          : Object.keys(event)[0];
    return resync === undefined ? `${what}` : `${what} (${resync})`;
  });
}

async function refusal(work: Promise<unknown>): Promise<IasError> {
  return work.then(
    () => assert.fail("it was not refused"),
    (error: unknown) => (error instanceof IasError ? error : assert.fail(String(error))),
  );
}

test("a cut before the agent named a task is told, and the message is not sent again", async (t) => {
  const { url, calls } = await handServer(t, (_call, response) => response.destroy());
  await using client = await connectA2A(url, FAST);
  const error = await refusal(collect(client.stream({ message: MESSAGE })));
  assert.equal(error.reason, "SEND_UNCERTAIN");
  assert.equal(calls.length, 1);
});

test("an agent with our extension is sent the same message again, with the same key", async (t) => {
  const { url, calls } = await handServer(t, (_call, response, id) => (calls.length < 3 ? response.destroy() : stream(response, id, [WORKING, done])), {
    capabilities: { streaming: true, extensions: [{ uri: EXTENSION_URI }] },
  });
  await using client = await connectA2A(url, FAST);
  assert.deepEqual(told(await collect(client.stream({ message: MESSAGE }))), ["task", "COMPLETED"]);
  assert.deepEqual(
    calls.map((call) => [call.rpc, call.headers["idempotency-key"], call.headers["a2a-extensions"], call.headers["a2a-version"]]),
    Array.from({ length: 3 }, () => ["SendStreamingMessage", "m1", EXTENSION_URI, "1.0"]),
  );
});

test("an agent that cannot be subscribed to is polled after a cut", async (t) => {
  let polls = 0;
  const states: ConnectionState["kind"][] = [];
  const { url } = await handServer(t, (call, response, id) => {
    if (call.rpc === "SendStreamingMessage") stream(response, id, [WORKING, artifact("one ", false)], "cut");
    else if (call.rpc === "GetTask") {
      polls += 1;
      json(response, id, {
        result: polls < 3 ? { ...WORKING.task, artifacts: [{ artifactId: "a", parts: [{ text: "one " }, { text: "two " }] }] } : doneTask("one two three"),
      });
    } else json(response, id, { error: { code: -32601, message: "Method not found" } });
  });
  await using client = await connectA2A(url, FAST);
  const items = await collect(client.stream({ message: MESSAGE }, { onConnection: ({ kind }) => states.push(kind) }));
  assert.deepEqual(told(items), ["task", "=one ", "+two  (append)", "+three (append)", "COMPLETED (append)"]);
  assert.ok(states.includes("lost") && states.includes("polling"));
});

test("the end of a stream without cursors is compared with the task, before its last status", async (t) => {
  const { url } = await handServer(t, (call, response, id) => {
    if (call.rpc === "SendStreamingMessage") stream(response, id, [WORKING, artifact("one ", false), artifact("three", true), done]);
    else json(response, id, { result: doneTask("one two three") });
  });
  await using client = await connectA2A(url, FAST);
  assert.deepEqual(told(await collect(client.stream({ message: MESSAGE }))), ["task", "=one ", "+three", "=one two three (replace)", "COMPLETED"]);
});

test("streams that end in order before the task does are not asked for ever", async (t) => {
  let gets = 0;
  const { url, calls } = await handServer(t, (call, response, id) => {
    if (call.rpc === "GetTask") {
      gets += 1;
      json(response, id, { result: gets < 2 ? WORKING.task : doneTask("x") });
    } else stream(response, id, [WORKING]);
  });
  await using client = await connectA2A(url, FAST);
  assert.deepEqual(told(await collect(client.stream({ message: MESSAGE }))), ["task", "=x (append)", "COMPLETED (append)"]);
  assert.ok(calls.filter((call) => call.rpc === "SubscribeToTask").length <= 3);
});

test("an agent that stays away is given up after maxReconnects", async (t) => {
  const { url } = await handServer(t, (call, response, id) =>
    call.rpc === "SendStreamingMessage" ? stream(response, id, [WORKING], "cut") : response.destroy(),
  );
  await using client = await connectA2A(url, FAST);
  const error = await refusal(collect(client.stream({ message: MESSAGE })));
  assert.deepEqual([error.code, error.reason, error.retryable], ["unavailable", "RECONNECTS_EXHAUSTED", true]);
});

test("errors come as what they are: in the body, in the stream, as HTTP, as text", async (t) => {
  const answers: readonly (readonly [Answer, string, string | undefined])[] = [
    [
      (_call, response, id) =>
        json(response, id, {
          error: { code: -32004, message: "no", data: [{ "@type": "x/google.rpc.ErrorInfo", reason: "TASK_BUSY", metadata: { a: "b" } }] },
        }),
      "unsupported-operation",
      "TASK_BUSY",
    ],
    [(_call, response, id) => stream(response, id, [{}, { nonsense: true }]), "invalid-agent-response", undefined],
    [
      (_call, response) =>
        response
          .writeHead(200, { "content-type": "text/event-stream" })
          .end('event: error\ndata: {"jsonrpc":"2.0","id":1,"error":{"code":-32602,"message":"bad"}}\n\n'),
      "invalid-params",
      undefined,
    ],
    [(_call, response) => response.writeHead(200, { "content-type": "text/event-stream" }).end("data: {not json\n\n"), "invalid-agent-response", undefined],
    [(_call, response) => response.writeHead(401).end("who are you"), "unauthenticated", undefined],
    [(_call, response) => response.writeHead(418).end(), "remote-failed", undefined],
    [(_call, response) => response.writeHead(200, { "content-type": "text/html" }).end("<html>"), "invalid-agent-response", undefined],
  ];
  for (const [answer, code, reason] of answers) {
    const { url } = await handServer(t, answer);
    await using client = await connectA2A(url, FAST);
    const error = await refusal(collect(client.stream({ message: MESSAGE })));
    assert.deepEqual([error.code, error.reason], [code, reason]);
  }
});

test("a busy or draining agent is asked again after the time that it names", async (t) => {
  for (const status of [429, 503]) {
    const { url, calls } = await handServer(t, (call, response, id) => {
      if (calls.length === 1) response.writeHead(status, { "retry-after": "0" }).end();
      else if (call.rpc === "GetTask") json(response, id, { result: { ...WORKING.task, ...done.statusUpdate } });
      else stream(response, id, [WORKING, done]);
    });
    await using client = await connectA2A(url, FAST);
    assert.deepEqual(told(await collect(client.stream({ message: MESSAGE }))), ["task", "COMPLETED"]);
    assert.equal(calls.filter((call) => call.rpc === "SendStreamingMessage").length, 2);
  }
});

test("credentials go to the origin that was named, and to another that its card names only when told so", async (t) => {
  const answer: Answer = (_call, response, id) => json(response, id, { result: { message: { messageId: "r", role: "ROLE_AGENT", parts: [{ text: "hi" }] } } });
  const other = await handServer(t, answer);
  const named = await handServer(t, answer, { supportedInterfaces: [{ url: `${other.url}/rpc`, protocolBinding: "JSONRPC", protocolVersion: "1.0" }] });
  const headers = { Authorization: "Bearer s3cret" };
  for (const credentialOrigins of [[], [other.url]]) {
    await using client = await connectA2A(named.url, { ...FAST, headers, credentialOrigins });
    await client.send({ message: MESSAGE });
  }
  assert.deepEqual(
    other.calls.map((call) => call.headers.authorization),
    [undefined, "Bearer s3cret"],
  );
  await using own = await connectA2A(other.url, { ...FAST, headers });
  await own.send({ message: MESSAGE });
  assert.equal(other.calls.at(-1)?.headers.authorization, "Bearer s3cret");
});

test("a card may not lead to where the client must not go", async (t) => {
  const { url } = await handServer(t, () => assert.fail("nothing is to be called"), {
    supportedInterfaces: [{ url: "http://169.254.169.254/latest", protocolBinding: "JSONRPC", protocolVersion: "1.0" }],
  });
  await using client = await connectA2A(url, FAST);
  assert.equal((await refusal(client.send({ message: MESSAGE }))).reason, "TARGET_NOT_ALLOWED");
  const grpc = { name: "g", supportedInterfaces: [{ url: "10.0.0.1:443", protocolBinding: "GRPC", protocolVersion: "1.0" }] };
  assert.equal((await refusal(connectA2A(grpc, FAST))).reason, "TARGET_NOT_ALLOWED");
});

test("the tenant of the chosen interface goes with each request", async (t) => {
  const { url, calls } = await handServer(t, (_call, response) =>
    response.setHeader("content-type", "application/json").end(JSON.stringify({ task: doneTask("x") })),
  );
  await using client = await connectA2A(
    { ...CARD, supportedInterfaces: [{ url: `${url}/rest/`, protocolBinding: "HTTP+JSON", protocolVersion: "1.0", tenant: "a/b" }] },
    FAST,
  );
  await client.send({ message: MESSAGE });
  await client.cancelTask("t 1");
  assert.deepEqual(
    calls.map((call) => `${call.method} ${call.path}`),
    ["POST /rest/a%2Fb/message:send", "POST /rest/a%2Fb/tasks/t%201:cancel"],
  );
});

test("the card's order decides among what we speak and what is wanted", () => {
  const card = readCard({
    name: "n",
    url: "https://example.com/old",
    protocolVersion: "0.3.0",
    supportedInterfaces: [
      { url: "wss://example.com", protocolBinding: "https://example.com/websocket", protocolVersion: "1.0" },
      { url: "https://example.com/rest", protocolBinding: "HTTP+JSON", protocolVersion: "1.0" },
      { url: "https://example.com/rpc", protocolBinding: "JSONRPC", protocolVersion: "1.0" },
      { url: "https://example.com/two", protocolBinding: "JSONRPC", protocolVersion: "2.0" },
    ],
  });
  assert.equal(chooseInterface(card, {}).url, "https://example.com/rest");
  assert.equal(chooseInterface(card, { bindings: ["JSONRPC"] }).url, "https://example.com/rpc");
  assert.equal(chooseInterface(card, { versions: ["0.3"] }).url, "https://example.com/old");
  assert.throws(
    () => chooseInterface(card, { bindings: ["GRPC"] }),
    (error) => error instanceof IasError && error.code === "configuration",
  );
  assert.throws(
    () => readCard({ name: "n", url: "https://example.com", protocolVersion: "0.2.6" }),
    (error) => error instanceof IasError && error.code === "invalid-agent-response",
  );
  const sample = readCard({ name: "n", url: "http://0.0.0.0:9999/" }, "http://agents.example.com:8080/.well-known/agent-card.json");
  assert.equal(sample.interfaces[0]?.url, "http://agents.example.com:9999/");
});
