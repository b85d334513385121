import assert from "node:assert/strict";
import { once } from "node:events";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { WebSocket } from "ws";
import { scripted } from "../../src/lib/engine/scripted.ts";
import { defineAgent } from "../../src/lib/engine/define-agent.ts";
import type { ApiError, ServerInfo, Ticket } from "../../src/lib/model/api.ts";
import { createMemoryStore } from "../../src/lib/log/memory.ts";
import { makeApiKey } from "../../src/lib/tenancy/api-keys.ts";
import { createSecrets } from "../../src/lib/tenancy/secrets.ts";
import { apiClient } from "../support/api-client.ts";
import { readEvents } from "../support/event-source.ts";
import { temporaryFolder } from "../support/server-process.ts";
import { serving } from "../support/serving.ts";

const echo = defineAgent({ id: "echo", engine: scripted([{ kind: "echo" }], { tokenMs: 0 }) });
/** For tests that ask again and again. */
const UNLIMITED = { maxApiRate: Number.POSITIVE_INFINITY, maxAddressRate: Number.POSITIVE_INFINITY };
const message = { messageId: "m1", parts: [{ text: "hi" }] };

async function guarded(t: TestContext, options: Parameters<typeof serving>[2] = {}) {
  const folder = await temporaryFolder();
  t.after(() => folder[Symbol.asyncDispose]());
  const anna = makeApiKey({ tenant: "a", user: "anna", roles: ["operator"] });
  const file = join(folder.path, "keys");
  await writeFile(file, `${anna.line}\n`);
  const server = await serving(t, [echo], { auth: { kind: "api-keys", file }, ...options });
  return { server, file, key: anna.key, api: apiClient(server.url), owner: apiClient(server.url, { authorization: `Bearer ${anna.key}` }) };
}

/** Signs in and gives the Cookie header. */
async function signIn(owner: ReturnType<typeof apiClient>): Promise<{ readonly cookie: string; readonly set: string }> {
  const { status, headers, body } = await owner.post<ServerInfo>("/api/session", undefined);
  assert.equal(status, 200);
  assert.deepEqual(body.principal, { tenant: "a", user: "anna", roles: ["operator"] });
  const set = headers.get("set-cookie") ?? "";
  return { set, cookie: set.split(";")[0] ?? "" };
}

test("credentials become a cookie that no script reads and no other site sends; it ends when it is deleted", async (t) => {
  const { api, owner, server } = await guarded(t);
  const { set, cookie } = await signIn(owner);
  assert.match(set, /^ias_session_[a-z0-9]+=[\w-]{43}; Path=\/; HttpOnly; SameSite=Strict; Max-Age=43200$/);
  assert.deepEqual((await api.get<ServerInfo>("/api/session", { cookie })).body.principal, { tenant: "a", user: "anna", roles: ["operator"] });
  const own = { cookie, origin: server.url };
  assert.equal((await api.post("/api/agents/echo/messages", message, own)).status, 200);
  const ended = await api.call("DELETE", "/api/session", undefined, own);
  assert.equal(ended.status, 204);
  assert.match(ended.headers.get("set-cookie") ?? "", /=; .*Max-Age=0/);
  const after = await api.get<ApiError>("/api/session", { cookie });
  assert.deepEqual([after.status, after.body.error.reason], [401, "CREDENTIALS_MISSING"]);
});

test("over https the cookie is sent over nothing else", async (t) => {
  const { key, server } = await guarded(t, { publicUrl: "https://agents.example" });
  const owner = apiClient(`http://127.0.0.1:${server.port}`, { authorization: `Bearer ${key}` });
  assert.match((await signIn(owner)).set, /; Secure$/);
});

test("a cookie with an unsafe request is taken from the server's own pages only (CSRF)", async (t) => {
  const { api, owner, server } = await guarded(t, { allowedOrigins: ["http://localhost:5173"] });
  const { cookie } = await signIn(owner);
  const send = (headers: Readonly<Record<string, string>>) => api.post<ApiError>("/api/agents/echo/messages", message, { cookie, ...headers });
  for (const headers of [{}, { origin: "http://localhost:5173" }, { "sec-fetch-site": "same-site" }, { "sec-fetch-site": "cross-site" }, { origin: "null" }]) {
    const { status } = await send(headers);
    assert.equal(status, 403, JSON.stringify(headers));
  }
  for (const headers of [{ origin: server.url }, { "sec-fetch-site": "same-origin" }, { "sec-fetch-site": "none" }]) {
    assert.equal((await send(headers)).status, 200, JSON.stringify(headers));
  }
  // With credentials of its own in a header the same origin may call: no browser adds those by itself.
  const other = await owner.post("/api/agents/echo/messages", { ...message, messageId: "m2" }, { origin: "http://localhost:5173" });
  assert.equal(other.status, 200);
  assert.equal((await api.call("DELETE", "/api/session", undefined, { cookie, origin: "http://localhost:5173" })).status, 403);
});

test("a cookie is no credential of A2A", async (t) => {
  const { api, owner, server } = await guarded(t);
  const { cookie } = await signIn(owner);
  const { status } = await api.post(
    "/a2a/echo",
    { jsonrpc: "2.0", id: 1, method: "ListTasks", params: {} },
    { cookie, origin: server.url, "a2a-version": "1.0" },
  );
  assert.equal(status, 401);
});

test("a session is over when its key is revoked", async (t) => {
  const { api, owner, file } = await guarded(t, { limits: UNLIMITED });
  const { cookie } = await signIn(owner);
  await writeFile(file, "# nobody\n");
  for (;;) {
    const { status } = await api.get("/api/session", { cookie });
    // The file is looked at again about once a second.
    if (status === 401) break;
    assert.equal(status, 200);
  }
});

test("a ticket authenticates one GET, a stream's or a WebSocket's", async (t) => {
  const { api, owner, server } = await guarded(t);
  const { body: sent } = await owner.post<{ task: string }>("/api/agents/echo/messages", message);
  const draw = async (): Promise<string> => {
    const { status, body } = await owner.post<Ticket>("/api/tickets", undefined);
    assert.equal(status, 201);
    return body.ticket;
  };
  const ticket = await draw();
  const { events } = await readEvents(`${server.url}/api/tasks/${sent.task}/events?ticket=${ticket}`, { until: ({ type }) => type === "end" });
  assert.equal(events.at(-1)?.type, "end");
  const again = await api.get<ApiError>(`/api/session?ticket=${ticket}`);
  assert.deepEqual([again.status, again.body.error.reason], [401, "TICKET_INVALID"]);
  assert.equal((await api.post(`/api/agents/echo/messages?ticket=${await draw()}`, message)).status, 401);

  const socket = new WebSocket(`${server.url.replace("http", "ws")}/api/ws?ticket=${await draw()}`, "ias.api.v1");
  t.after(() => socket.terminate());
  await once(socket, "message");
  const raced = await draw();
  const statuses = await Promise.all(Array.from({ length: 8 }, async () => (await api.get(`/api/session?ticket=${raced}`)).status));
  assert.deepEqual(statuses.filter((status) => status === 200).length, 1);
});

test("a WebSocket with a cookie opens for the server's own pages only", async (t) => {
  const { owner, server } = await guarded(t, { allowedOrigins: ["http://localhost:5173"] });
  const { cookie } = await signIn(owner);
  const open = async (origin: string | undefined): Promise<"open" | "refused"> => {
    const socket = new WebSocket(`${server.url.replace("http", "ws")}/api/ws`, "ias.api.v1", { headers: { cookie, ...(origin !== undefined && { origin }) } });
    t.after(() => socket.terminate());
    const said = Promise.withResolvers<"open" | "refused">();
    socket.on("message", () => said.resolve("open"));
    for (const event of ["error", "close"]) socket.on(event, () => said.resolve("refused"));
    return said.promise;
  };
  assert.equal(await open(server.url), "open");
  assert.equal(await open("http://localhost:5173"), "refused");
  assert.equal(await open("https://evil.example"), "refused");
  assert.equal(await open(undefined), "refused");
});

test("a program whose handshake was refused may ask the WebSocket's path why", async (t) => {
  const { api, owner } = await guarded(t);
  assert.equal((await api.get("/api/ws")).status, 401);
  const { status, body } = await owner.get<{ error: { message: string } }>("/api/ws");
  assert.equal(status, 400);
  assert.match(body.error.message, /takes WebSocket connections/);
});

test("where nobody needs credentials a session sets no cookie", async (t) => {
  const server = await serving(t, [echo]);
  const { status, headers } = await apiClient(server.url).post("/api/session", undefined);
  assert.deepEqual([status, headers.get("set-cookie")], [200, null]);
});

test("a session that was sealed with another key counts as none, so that the page can sign in again", async (t) => {
  const store = createMemoryStore({});
  const secret = (fill: number) => createSecrets(new Uint8Array(32).fill(fill));
  const { owner, file } = await guarded(t, { store, secrets: secret(1) });
  const { cookie } = await signIn(owner);
  const other = await serving(t, [echo], { auth: { kind: "api-keys", file }, store, secrets: secret(2) });
  const { status, body } = await apiClient(other.url).get<ApiError>("/api/session", { cookie });
  assert.deepEqual([status, body.error.reason], [401, "CREDENTIALS_MISSING"]);
});

test("messages over a socket and the opening of sockets count as requests of their caller", async (t) => {
  const server = await serving(t, [echo], { limits: { maxApiRate: 0.001, maxApiBurst: 5 } });
  const url = `${server.url.replace("http", "ws")}/api/ws`;
  const socket = new WebSocket(url, "ias.api.v1");
  t.after(() => socket.terminate());
  const reasons: string[] = [];
  const heard = Promise.withResolvers<void>();
  socket.on("message", (text: Buffer) => {
    const { op, error } = JSON.parse(text.toString()) as { op: string; error?: ApiError["error"] };
    if (op !== "hello") reasons.push(error?.reason ?? op);
    if (reasons.length === 6) heard.resolve();
  });
  await once(socket, "open");
  for (let ref = 1; ref <= 6; ref += 1)
    socket.send(JSON.stringify({ op: "send", ref, agent: "echo", body: { messageId: `m${ref}`, parts: [{ text: "hi" }] } }));
  await heard.promise;
  assert.deepEqual(
    reasons.toSorted((a, b) => a.localeCompare(b)),
    ["RATE_LIMITED", "RATE_LIMITED", "reply", "reply", "reply", "reply"],
  );
  const refused = new WebSocket(url, "ias.api.v1");
  const [, response] = (await once(refused, "unexpected-response")) as [unknown, { statusCode: number }];
  assert.equal(response.statusCode, 429);
  refused.on("error", () => {}).terminate();
});
