import assert from "node:assert/strict";
import { connect } from "node:net";
import { after, before, describe, it } from "node:test";
import { A2AService } from "@a2a-js/sdk/server/grpc";
import { Client, credentials, Metadata } from "@grpc/grpc-js";
import type { Server } from "../../src/lib/main/server.ts";
import type { IasError } from "../../src/lib/model/errors.ts";
import { startTestServer } from "./server.ts";
import type { Wire } from "./wire.ts";
import { createRandom } from "../../src/lib/model/random.ts";

/** Printed with each failure; SEED repeats a run. */
const SEED = Number(process.env["SEED"] ?? Date.now() % 1_000_000);
/** Requests of each kind: 5,000 in all. */
const EACH = 1000;

type Random = () => number;

const pick = <T>(random: Random, list: readonly T[]): T => list[Math.floor(random() * list.length)] as T;
const message = { messageId: "m", role: "ROLE_USER", parts: [{ text: "x" }] };
const REQUESTS: readonly Wire[] = [
  { jsonrpc: "2.0", id: 1, method: "SendMessage", params: { message, configuration: { historyLength: 1, returnImmediately: true } } },
  { jsonrpc: "2.0", id: 1, method: "SendStreamingMessage", params: { message } },
  { jsonrpc: "2.0", id: "a", method: "GetTask", params: { id: "t", historyLength: 2 } },
  { jsonrpc: "2.0", id: null, method: "ListTasks", params: { pageSize: 10, status: "TASK_STATE_WORKING", includeArtifacts: true } },
  { jsonrpc: "2.0", id: 1, method: "SubscribeToTask", params: { id: "t" } },
  { jsonrpc: "2.0", id: 1, method: "CreateTaskPushNotificationConfig", params: { taskId: "t", url: "https://x.test", authentication: { scheme: "Bearer" } } },
  {
    jsonrpc: "2.0",
    id: 1,
    method: "message/send",
    params: { message: { kind: "message", messageId: "m", role: "user", parts: [{ kind: "text", text: "x" }] } },
  },
  { jsonrpc: "2.0", id: 1, method: "tasks/get", params: { id: "t" } },
];
const VALUES: readonly unknown[] = [
  null,
  true,
  -1,
  1e308,
  0.5,
  "",
  "x",
  [],
  {},
  [[]],
  "\u0000",
  "\ud800",
  "__proto__",
  "9".repeat(300),
  { __proto__: 1 },
  "ias-blob:x",
];
const PATHS = [
  "/message:send",
  "/message:stream",
  "/tasks",
  "/tasks/t",
  "/tasks/t:cancel",
  "/tasks/t:subscribe",
  "/tasks/t/pushNotificationConfigs",
  "/tasks/t/pushNotificationConfigs/p",
  "/extendedAgentCard",
  "",
  "/",
  "//",
  "/%00",
  "/tasks/%ff",
  "/tasks/..%2f..",
  "/a/b/c/d/e",
  `/tasks/${"x".repeat(3000)}`,
];
const METHODS = ["GET", "POST", "PUT", "DELETE", "PATCH", "HEAD"];
const QUERIES = [
  "",
  "?pageSize=-1",
  "?pageSize=x&status=nope",
  "?historyLength=99999999999",
  "?pageToken=%00",
  "?statusTimestampAfter=yesterday",
  "?A2A-Version=7",
  "?%ff=1",
  "?a[b]=c",
];
const HEADERS: readonly Readonly<Record<string, string>>[] = [
  {},
  { "a2a-version": "99" },
  { "a2a-version": "1.0; drop table" },
  { "a2a-extensions": ",,, ,x".repeat(100) },
  { "last-event-id": "nonsense" },
  { "last-event-id": "9".repeat(4000), "a2a-extensions": "urn:infinite-agent-streams:ext:stream:1" },
  { "idempotency-key": "k".repeat(1000) },
  { "idempotency-key": "\u00e9" },
  { "content-type": "text/plain" },
  { "content-type": "application/json; charset=utf-16" },
  { "content-encoding": "gzip" },
  { origin: "https://evil.test" },
];

/** A request with something wrong in its structure: a member replaced, removed, added, or nested too deeply. */
function misshape(random: Random, value: Wire): Wire {
  if (value === null || typeof value !== "object" || random() < 0.15) return pick(random, VALUES);
  const copy: Wire = Array.isArray(value) ? [...value] : { ...value };
  const keys = Object.keys(copy);
  if (keys.length === 0 || random() < 0.1) copy[pick(random, ["", "x", "constructor", "task_id", "tenant"])] = pick(random, VALUES);
  const key = pick(random, keys);
  if (key === undefined) return copy;
  if (random() < 0.15) delete copy[key];
  else copy[key] = random() < 0.03 ? deep(2000) : misshape(random, copy[key]);
  return copy;
}

function deep(levels: number): Wire {
  let value: Wire = 1;
  for (let level = 0; level < levels; level += 1) value = level % 2 === 0 ? [value] : { a: value };
  return value;
}

/** Bytes with some of them changed, taken away or put in: broken UTF-8, cut JSON, garbage. */
function damage(random: Random, bytes: Buffer): Buffer {
  let damaged = Buffer.from(bytes);
  for (let times = 1 + Math.floor(random() * 4); times > 0; times -= 1) {
    const at = Math.floor(random() * damaged.length);
    const kind = random();
    if (kind < 0.4) damaged[at] = Math.floor(random() * 256);
    else if (kind < 0.6) damaged = damaged.subarray(0, at);
    else if (kind < 0.8) damaged = Buffer.concat([damaged.subarray(0, at), Buffer.from([0xc3, 0x28, 0xff]), damaged.subarray(at)]);
    else damaged = Buffer.concat([damaged.subarray(0, at), damaged.subarray(at + 1 + Math.floor(random() * 8))]);
  }
  return damaged;
}

function bodyOf(random: Random, request: Wire): Buffer {
  const bytes = Buffer.from(JSON.stringify(random() < 0.6 ? misshape(random, request) : request));
  return random() < 0.5 ? damage(random, bytes) : bytes;
}

/** Runs `EACH` requests, 16 at a time, each with its own random numbers, so that one can be found again by its number. */
async function flood(kind: number, run: (random: Random, number: number) => Promise<void>): Promise<void> {
  let next = 0;
  const work = async (): Promise<void> => {
    while (next < EACH) {
      const number = next;
      next += 1;
      try {
        await run(createRandom(SEED * 7919 + kind * EACH + number), number);
      } catch (error) {
        throw new Error(`request ${number} of kind ${kind}, SEED=${SEED}`, { cause: error });
      }
    }
  };
  await Promise.all(Array.from({ length: 16 }, work));
}

describe(`malformed requests (SEED=${SEED})`, () => {
  const reported: IasError[] = [];
  let server: Server;
  before(async () => {
    server = await startTestServer({ report: (error) => reported.push(error), limits: { maxBodyBytes: 20_000 } });
  });
  after(() => server[Symbol.asyncDispose]());

  /** An answer in one of the forms that the bindings have, never one that blames the server. */
  const check = async (response: Response, forms: readonly ("rpc" | "rest" | "legacy")[]): Promise<void> => {
    assert.ok(response.status < 500, `status ${response.status}: ${await response.clone().text()}`);
    const type = response.headers.get("content-type") ?? "";
    if (type === "text/event-stream") return response.body?.cancel();
    const text = await response.text();
    if (text === "") return assert.ok(response.status === 204 || response.ok || response.url !== "");
    const body: Wire = JSON.parse(text);
    assert.match(type, /^application\/(a2a\+)?json/);
    if (response.ok && body.error === undefined) return;
    const isRpc = body.jsonrpc === "2.0" && typeof body.error?.message === "string" && body.error.code <= -32000 && body.error.code !== -32603;
    const isRest = body.error?.code === response.status && typeof body.error.status === "string" && Array.isArray(body.error.details);
    const isLegacy = typeof body.code === "number" && typeof body.message === "string";
    assert.ok((forms.includes("rpc") && isRpc) || (forms.includes("rest") && isRest) || (forms.includes("legacy") && isLegacy), text);
  };
  const ask = (url: string, init: RequestInit): Promise<Response> => fetch(url, { ...init, signal: AbortSignal.timeout(120_000) });

  it("on JSON-RPC get an error of its form", () =>
    flood(1, async (random) => {
      const version = pick(random, ["1.0", "1.0", "1.0", "0.3", ""]);
      const headers = { "content-type": "application/json", "a2a-version": version, ...(random() < 0.3 && pick(random, HEADERS)) };
      await check(await ask(`${server.url}/a2a/main`, { method: "POST", headers, body: bodyOf(random, pick(random, REQUESTS)) }), ["rpc", "rest"]);
    }));

  it("on HTTP+JSON get an error of its form", () =>
    flood(2, async (random) => {
      const headers = { "content-type": "application/json", "a2a-version": "1.0", ...(random() < 0.3 && pick(random, HEADERS)) };
      const [method, path] = random() < 0.5 ? ["POST", pick(random, PATHS.slice(0, 7))] : [pick(random, METHODS), pick(random, PATHS)];
      const body = method === "GET" || method === "HEAD" ? null : bodyOf(random, pick(random, REQUESTS).params);
      await check(await ask(`${server.url}/a2a/main/rest${path}${pick(random, QUERIES)}`, { method, headers, body }), ["rest", "rpc"]);
    }));

  it("on 0.3's REST get an error of its form", () =>
    flood(3, async (random) => {
      const request = { message: { messageId: "m", role: "ROLE_USER", content: [{ text: "x" }] }, configuration: { blocking: true } };
      const [method, path] = random() < 0.7 ? ["POST", "/message:send"] : [pick(random, METHODS), pick(random, PATHS)];
      const body = method === "GET" || method === "HEAD" ? null : bodyOf(random, request);
      const headers = { "content-type": "application/json", ...(random() < 0.2 && pick(random, HEADERS)) };
      await check(await ask(`${server.url}/a2a/main/rest/v1${path}${pick(random, QUERIES)}`, { method, headers, body }), ["legacy", "rest", "rpc"]);
    }));

  it("on gRPC get INVALID_ARGUMENT or what the operation says", async () => {
    const client = new Client(server.grpcAddress ?? "", credentials.createInsecure());
    const requests: readonly (readonly [method: Wire, request: Wire])[] = [
      [
        A2AService.sendMessage,
        { tenant: "", message: { messageId: "m", role: 1, parts: [{ content: { $case: "text", value: "x" } }], extensions: [], referenceTaskIds: [] } },
      ],
      [A2AService.getTask, { tenant: "", id: "t", historyLength: 3 }],
      [A2AService.listTasks, { tenant: "", contextId: "c", status: 2, pageSize: 5, pageToken: "p" }],
      [A2AService.cancelTask, { tenant: "", id: "t", metadata: { a: [1, { b: null }] } }],
      [A2AService.createTaskPushNotificationConfig, { tenant: "", taskId: "t", id: "p", url: "https://x.test", token: "t" }],
    ];
    const asIs = (bytes: Buffer): Buffer => bytes;
    await flood(4, async (random) => {
      const [method, request] = pick(random, requests);
      const metadata = new Metadata();
      metadata.set("a2a-version", pick(random, ["1.0", "1.0", "1.0", "9"]));
      if (random() < 0.2) metadata.set("a2a-last-event-id", "x".repeat(500));
      const bytes = damage(random, method.requestSerialize(request));
      const code = await new Promise<number>((resolve) => {
        client.makeUnaryRequest(method.path, asIs, asIs, bytes, metadata, { deadline: Date.now() + 120_000 }, (error) => resolve(error?.code ?? 0));
      });
      assert.ok([0, 3, 5, 9, 7].includes(code), `gRPC code ${code}`);
    });
    client.close();
  });

  it("that are not even HTTP are answered or closed", () =>
    flood(5, async (random) => {
      const body = bodyOf(random, pick(random, REQUESTS));
      const head = `POST /a2a/main HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: application/json\r\ncontent-length: ${Math.floor(body.length * (0.5 + random()))}\r\n\r\n`;
      const bytes = Buffer.concat([damage(random, Buffer.from(head)), body]);
      await new Promise<void>((resolve, reject) => {
        const socket = connect(server.port, "127.0.0.1");
        socket.setTimeout(120_000, () => reject(new Error("no answer, and not closed")));
        socket.once("data", () => socket.destroy());
        socket.once("error", () => resolve()).once("close", () => resolve());
        socket.end(bytes);
      });
    }));

  it("leave the server whole", async () => {
    assert.deepEqual(
      reported.filter(({ code }) => code === "internal").map(({ stack }) => stack),
      [],
    );
    const response = await ask(`${server.url}/a2a/main`, {
      method: "POST",
      headers: { "content-type": "application/json", "a2a-version": "1.0" },
      body: JSON.stringify(REQUESTS[0]),
    });
    assert.ok(((await response.json()) as Wire).result.task.id);
  });
});
