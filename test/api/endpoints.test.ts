import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { scripted } from "../../src/lib/engine/scripted.ts";
import type { AgentSummary, ApiError, ConversationSummary, SendReply, ServerInfo, TaskDetail, TaskSummary, TaskSummaryPage } from "../../src/lib/model/api.ts";
import { makeApiKey } from "../../src/lib/tenancy/api-keys.ts";
import { apiClient, entriesOf, textOfEntries } from "../support/api-client.ts";
import { readEvents } from "../support/event-source.ts";
import { temporaryFolder } from "../support/server-process.ts";
import { agentOf, serving } from "../support/serving.ts";

const echo = agentOf(noRun, { id: "echo", engine: scripted([{ kind: "echo" }], { tokenMs: 0 }), name: "Echo" });
const asks = agentOf(noRun, {
  id: "asks",
  engine: scripted(async function* (turn) {
    if (turn.state === undefined) {
      yield {
        kind: "interrupt",
        reason: "input",
        approvals: [{ call: "c1", name: "delete", arguments: "{}" }],
        message: [{ text: "May I?" }],
        state: { version: "t/1", data: "1" },
      };
      return;
    }
    yield { kind: "text", text: JSON.stringify(turn.input.flatMap(({ parts }) => parts.map(({ data }) => data))) };
  }),
});
const waits = agentOf(
  async function* (_turn, signal) {
    yield { kind: "text", text: "one " };
    await new Promise((resolve) => signal.addEventListener("abort", resolve));
  },
  { id: "waits" },
);
const direct = agentOf(
  async function* () {
    yield { kind: "reply", parts: [{ text: "hello" }] };
  },
  { id: "direct", replies: "message" },
);

async function* noRun(): AsyncGenerator<never> {}

async function started(t: TestContext) {
  const server = await serving(t, [echo, asks, waits, direct]);
  return { server, api: apiClient(server.url) };
}

/** Waits until a task's stream has ended, and gives what it told. */
async function finished(url: string, task: string) {
  const { events } = await readEvents(`${url}/api/tasks/${task}/events`, { until: ({ type }) => type === "end" });
  return entriesOf(events);
}

test("GET /api/session says who the caller is and what the server offers", async (t) => {
  const { api } = await started(t);
  const { status, body, headers } = await api.get<ServerInfo>("/api/session");
  assert.equal(status, 200);
  assert.deepEqual(body.principal, { tenant: "", user: "local", roles: ["operator"] });
  assert.equal(body.durability, "none");
  assert.match(body.version, /^\d+\.\d+\.\d+/);
  assert.equal(headers.get("cache-control"), "no-store");
});

test("GET /api/agents lists the agents, the default one first", async (t) => {
  const { api } = await started(t);
  const { body } = await api.get<AgentSummary[]>("/api/agents");
  assert.deepEqual(
    body.map(({ id }) => id),
    ["echo", "asks", "waits", "direct"],
  );
  assert.equal(body[0]?.name, "Echo");
  assert.equal((await api.get(body[0]?.card ?? "")).status, 200);
});

test("a message is sent at once, its task listed, read and followed from the very first entry", async (t) => {
  const { server, api } = await started(t);
  const sent = await api.send("echo", "one two three");
  assert.match(sent.cursor, /^[a-z0-9]+\.0$/);
  const entries = await finished(server.url, sent.task);
  assert.equal(entries[0]?.seq, 1);
  assert.equal(textOfEntries(entries), "one two three");

  const { body: page } = await api.get<TaskSummaryPage>("/api/tasks");
  assert.equal(page.total, 1);
  assert.deepEqual(
    page.tasks.map(({ agent, task, state, title }) => ({ agent, task, state, title })),
    [{ agent: "echo", task: sent.task, state: "TASK_STATE_COMPLETED", title: "one two three" }],
  );
  const { body: detail } = await api.get<TaskDetail>(`/api/tasks/${sent.task}`);
  assert.equal(detail.sealed, true);
  assert.equal(detail.snapshot["id"], sent.task);
  assert.equal(detail.cursor.split(".")[1], String(detail.head));
  assert.equal((await api.get<TaskDetail>(`/api/tasks/${sent.task}?agent=echo`)).body.task, sent.task);
  assert.equal((await api.get<TaskDetail>(`/api/tasks/${sent.task}?agent=asks`)).body.task, sent.task);
});

test("one task is listed by its id where the caller has it, and fits what else is asked for", async (t) => {
  const { server, api } = await started(t);
  const { task } = await api.send("echo", "one");
  await finished(server.url, task);
  const list = async (query: string) => (await api.get<TaskSummaryPage>(`/api/tasks?task=${query}`)).body;
  const { tasks, total, nextPageToken } = await list(task);
  assert.deepEqual([tasks.map((one) => [one.task, one.title]), total, nextPageToken], [[[task, "one"]], 1, ""]);
  for (const query of [`${task}&agent=echo`, `${task}&states=TASK_STATE_COMPLETED&since=1`]) assert.equal((await list(query)).total, 1, query);
  const others = ["none", `${task}&agent=asks`, `${task}&context=other`, `${task}&states=TASK_STATE_FAILED`, `${task}&until=1`];
  for (const query of others) assert.deepEqual(await list(query), { tasks: [], nextPageToken: "", total: 0 }, query);
  assert.equal((await api.get(`/api/tasks?task=${task}&q=one`)).status, 400);
});

test("the same messageId again finds the same task; other content under it is refused", async (t) => {
  const { api } = await started(t);
  const messageId = randomUUID();
  const first = await api.send("echo", "once", { messageId });
  assert.equal((await api.send("echo", "once", { messageId })).task, first.task);
  const other = await api.post<ApiError>("/api/agents/echo/messages", { messageId, parts: [{ text: "else" }] });
  assert.deepEqual([other.status, other.body.error.reason], [400, "IDEMPOTENCY_MISMATCH"]);
});

test("a message to a task, sent again after its answer has come, is given the place before it as the first time", async (t) => {
  const { api, server } = await started(t);
  const { task } = await api.send("asks", "delete it");
  const rest = (state: string) => readEvents(`${server.url}/api/tasks/${task}/events?audience=internal`, { until: ({ data }) => data.includes(state) });
  const head = entriesOf((await rest("INPUT_REQUIRED")).events).at(-1)?.seq ?? 0;
  const body = { call: "c1", approve: true, messageId: "yes" };
  const first = await api.post<SendReply & { readonly cursor: string }>(`/api/tasks/${task}/approvals`, body);
  await rest("COMPLETED");
  // As a page does whose answer was lost.
  const again = await api.post<SendReply>(`/api/tasks/${task}/approvals`, body);
  assert.deepEqual(again.body, first.body);
  const { events } = await readEvents(`${server.url}/api/tasks/${task}/events?audience=internal&after=${first.body.cursor}`, {
    until: ({ type }) => type === "end",
  });
  assert.equal(entriesOf(events)[0]?.seq, head + 1);
});

test("an agent that answers without a task gives its reply whole", async (t) => {
  const { api } = await started(t);
  const { body } = await api.post<SendReply>("/api/agents/direct/messages", { messageId: randomUUID(), parts: [{ text: "hi" }] });
  assert.ok("message" in body);
  assert.deepEqual(body.message.parts, [{ text: "hello" }]);
});

test("a cancel ends the task, and may be sent again", async (t) => {
  const { server, api } = await started(t);
  const { task } = await api.send("waits", "go");
  await readEvents(`${server.url}/api/tasks/${task}/events`, { until: (_, events) => textOfEntries(entriesOf(events)) === "one " });
  for (let tries = 0; tries < 2; tries += 1) {
    const { status, body } = await api.post<TaskSummary>(`/api/tasks/${task}/cancel`, {});
    assert.deepEqual([status, body.state, body.agent], [200, "TASK_STATE_CANCELED", "waits"]);
  }
});

test("an approval goes to the agent as A2A has it", async (t) => {
  const { server, api } = await started(t);
  const { task } = await api.send("asks", "delete it");
  await readEvents(`${server.url}/api/tasks/${task}/events`, { until: ({ data }) => data.includes("INPUT_REQUIRED") });
  const answer = await api.post<SendReply>(`/api/tasks/${task}/approvals`, { call: "c1", approve: false, note: "not today" });
  assert.equal(answer.status, 200);
  assert.ok("cursor" in answer.body && Number(answer.body.cursor.split(".")[1]) > 1);
  const text = textOfEntries(await finished(server.url, task));
  assert.deepEqual(JSON.parse(text), [{ approvals: [{ call: "c1", approve: false, reason: "not today" }] }]);
});

test("tasks are filtered and paged, none twice and none left out", async (t) => {
  const { server, api } = await started(t);
  for (let index = 0; index < 7; index += 1) await finished(server.url, (await api.send("echo", `number ${index}`, { contextId: `c${index % 3}` })).task);
  const { task: waiting } = await api.send("asks", "x");
  await readEvents(`${server.url}/api/tasks/${waiting}/events`, { until: ({ data }) => data.includes("INPUT_REQUIRED") });
  const seen: string[] = [];
  for (let token = ""; ;) {
    const { body }: { body: TaskSummaryPage } = await api.get(`/api/tasks?agent=echo&pageSize=3${token && `&pageToken=${token}`}`);
    assert.equal(body.total, 7);
    seen.push(...body.tasks.map(({ title }) => title ?? ""));
    token = body.nextPageToken;
    if (token === "") break;
  }
  assert.deepEqual(
    seen.toSorted(),
    Array.from({ length: 7 }, (_, index) => `number ${index}`),
  );
  assert.equal((await api.get<TaskSummaryPage>("/api/tasks?context=c0")).body.total, 3);
  const { body } = await api.get<TaskSummaryPage>("/api/tasks?states=TASK_STATE_INPUT_REQUIRED,TASK_STATE_WORKING");
  assert.deepEqual(
    body.tasks.map(({ task }) => task),
    [waiting],
  );
});

test("conversations are grouped and paged, each once, with its newest task's state", async (t) => {
  const { server, api } = await started(t);
  for (let index = 0; index < 9; index += 1) await finished(server.url, (await api.send("echo", `number ${index}`, { contextId: `c${index % 4}` })).task);
  const seen: ConversationSummary[] = [];
  for (let token = ""; ;) {
    const { body }: { body: { conversations: ConversationSummary[]; nextPageToken: string } } = await api.get(
      `/api/conversations?agent=echo&pageSize=1${token && `&pageToken=${token}`}`,
    );
    seen.push(...body.conversations);
    token = body.nextPageToken;
    if (token === "") break;
  }
  assert.deepEqual(
    seen.map(({ context, tasks, title }) => [context, tasks, title]),
    [
      ["c0", 3, "number 8"],
      ["c3", 2, "number 7"],
      ["c2", 2, "number 6"],
      ["c1", 2, "number 5"],
    ],
  );
});

test("bad input is refused with what was wrong and what is right", async (t) => {
  const { api } = await started(t);
  const refusals: readonly [string, string, unknown, number, RegExp][] = [
    ["POST", "/api/agents/echo/messages", {}, 400, /messageId is required \(string\); parts is required \(array\)/],
    ["POST", "/api/agents/echo/messages", { messageId: "", parts: [] }, 400, /messageId must not be empty; parts must hold at least one part/],
    ["POST", "/api/agents/echo/messages", { messageId: "1", parts: [{ text: 1 }] }, 400, /parts\.0\.text must be of type string, not number/],
    ["POST", "/api/agents/echo/messages", { messageId: "1", parts: [{}] }, 400, /exactly one of text, raw, url, data/],
    ["POST", "/api/agents/echo/messages", "{", 400, /not UTF-8 JSON/],
    ["POST", "/api/agents/nobody/messages", { messageId: "1", parts: [{ text: "x" }] }, 404, /There is no agent "nobody" here; there are echo, asks/],
    ["GET", "/api/tasks?state=WORKING", undefined, 400, /query parameter state is unknown; there are agent, context, states/],
    ["GET", "/api/tasks?states=WORKING", undefined, 400, /states\.0 must be one of TASK_STATE_SUBMITTED/],
    ["GET", "/api/tasks?pageSize=0", undefined, 400, /pageSize must be a whole number from 1 to 200/],
    ["GET", "/api/tasks?pageToken=x", undefined, 400, /pageToken is not one that this server gave/],
    ["GET", "/api/tasks/none", undefined, 404, /There is no task "none" here/],
    ["GET", `/api/tasks/${"x".repeat(300)}`, undefined, 400, /at most 256 characters/],
    ["GET", "/api/tasks/none/events?audience=all", undefined, 400, /audience must be public, extension or internal/],
    ["POST", "/api/tasks/none/cancel", {}, 404, /There is no task "none" here/],
    ["POST", "/api/tasks/none/approvals", { call: "c", approve: "yes" }, 400, /approve must be of type boolean, not string/],
    ["DELETE", "/api/tasks", undefined, 405, /\/api\/tasks takes GET, not DELETE/],
    ["GET", "/api/nothing", undefined, 404, /There is nothing at \/api\/nothing/],
  ];
  for (const [method, path, body, status, message] of refusals) {
    const answer = await api.call<ApiError>(method, path, body);
    assert.equal(answer.status, status, `${method} ${path}: ${JSON.stringify(answer.body)}`);
    assert.match(answer.body.error.message, message);
    assert.equal(answer.body.error.retryable, false);
  }
  const form = await api.call<ApiError>("POST", "/api/agents/echo/messages", "a=b", { "content-type": "application/x-www-form-urlencoded" });
  assert.deepEqual([form.status, form.body.error.code], [400, "content-type-not-supported"]);
});

test("a foreign Host or Origin is refused before anything else", async (t) => {
  const { server, api } = await started(t);
  const foreign = await api.get<ApiError>("/api/agents", { origin: "https://evil.example" });
  assert.deepEqual([foreign.status, foreign.body.error.code, foreign.body.error.reason], [403, "forbidden", "ORIGIN_NOT_ALLOWED"]);
  const socket = await api.get<ApiError>("/api/ws");
  assert.deepEqual([socket.status, socket.body.error.code], [400, "invalid-request"]);
  const own = await api.get("/api/agents", { origin: server.url });
  assert.deepEqual([own.status, own.headers.get("access-control-allow-origin")], [200, server.url]);
});

test("pages of an allowed origin may call, after a preflight; what they get runs nothing as a page", async (t) => {
  const server = await serving(t, [echo], { allowedOrigins: ["https://app.example"] });
  const headers = { origin: "https://app.example", "access-control-request-method": "POST", "access-control-request-headers": "content-type" };
  const preflight = await fetch(`${server.url}/api/agents/echo/messages`, { method: "OPTIONS", headers });
  assert.deepEqual(
    [preflight.status, preflight.headers.get("access-control-allow-origin"), preflight.headers.get("access-control-allow-headers")],
    [204, "https://app.example", "content-type"],
  );
  assert.equal((await fetch(`${server.url}/api/agents`, { method: "OPTIONS", headers: { ...headers, origin: "https://evil.example" } })).status, 403);
  const answer = await apiClient(server.url).get("/api/agents", { origin: "https://app.example" });
  assert.deepEqual(
    ["access-control-allow-origin", "access-control-allow-credentials", "x-content-type-options", "content-security-policy"].map((name) =>
      answer.headers.get(name),
    ),
    ["https://app.example", null, "nosniff", "default-src 'none'; frame-ancestors 'none'"],
  );
});

test("a task of another principal does not exist, whatever is asked of it", async (t) => {
  await using folder = await temporaryFolder();
  const anna = makeApiKey({ tenant: "a", user: "anna" });
  const bert = makeApiKey({ tenant: "a", user: "bert" });
  const file = join(folder.path, "keys");
  await writeFile(file, `${anna.line}\n${bert.line}\n`);
  const server = await serving(t, [echo], { auth: { kind: "api-keys", file } });
  const ours = apiClient(server.url, { authorization: `Bearer ${anna.key}` });
  const theirs = apiClient(server.url, { "x-api-key": bert.key });
  const { task } = await ours.send("echo", "private");
  assert.equal((await ours.get(`/api/tasks/${task}`)).status, 200);
  for (const [method, path, body] of [
    ["GET", `/api/tasks/${task}`, undefined],
    ["GET", `/api/tasks/${task}/events`, undefined],
    ["POST", `/api/tasks/${task}/cancel`, {}],
    ["POST", `/api/tasks/${task}/approvals`, { call: "c", approve: true }],
  ] as const) {
    const answer = await theirs.call<ApiError>(method, path, body);
    assert.deepEqual([answer.status, answer.body.error.code], [404, "task-not-found"], path);
  }
  assert.equal((await theirs.get<TaskSummaryPage>("/api/tasks")).body.total, 0);
  const unknown = await apiClient(server.url).get<ApiError>("/api/agents");
  assert.deepEqual([unknown.status, unknown.body.error.reason, unknown.headers.get("www-authenticate")], [401, "CREDENTIALS_MISSING", "Bearer"]);
});

test("a caller, and an address, that asks too often is told when to come back", async (t) => {
  await using folder = await temporaryFolder();
  const anna = makeApiKey({ tenant: "a", user: "anna" });
  const bert = makeApiKey({ tenant: "a", user: "bert" });
  const file = join(folder.path, "keys");
  await writeFile(file, `${anna.line}\n${bert.line}\n`);
  const limits = { maxApiRate: 0.01, maxApiBurst: 3, maxAddressRate: 0.01, maxAddressBurst: 8 };
  const server = await serving(t, [echo], { auth: { kind: "api-keys", file }, limits });
  const statuses = async (key: string, count: number): Promise<readonly number[]> => {
    const api = apiClient(server.url, { authorization: `Bearer ${key}` });
    const found: number[] = [];
    for (let index = 0; index < count; index += 1) found.push((await api.get("/api/agents")).status);
    return found;
  };
  assert.deepEqual(await statuses(anna.key, 4), [200, 200, 200, 429]);
  assert.deepEqual(await statuses(bert.key, 2), [200, 200]);
  assert.deepEqual(await statuses("wrong", 3), [401, 401, 429]);
  const { headers, body } = await apiClient(server.url).get<ApiError>("/api/agents");
  assert.equal(headers.get("retry-after"), "100");
  assert.deepEqual([body.error.reason, body.error.retryable], ["RATE_LIMITED", true]);
  assert.match(body.error.message, /maxAddressRate, maxAddressBurst/);
});
