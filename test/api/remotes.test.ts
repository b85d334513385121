import assert from "node:assert/strict";
import { once } from "node:events";
import { writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { test } from "node:test";
import { scripted } from "../../src/lib/engine/scripted.ts";
import { defineAgent } from "../../src/lib/engine/define-agent.ts";
import { createMemoryStore } from "../../src/lib/log/memory.ts";
import { startServer } from "../../src/lib/main/server.ts";
import type { AgentSummary, ApiError, CardReport, TaskDetail } from "../../src/lib/model/api.ts";
import { A2A_SOCKET_BINDING } from "../../src/lib/model/websocket-binding.ts";
import { makeApiKey } from "../../src/lib/tenancy/api-keys.ts";
import { apiClient, entriesOf, textOfEntries } from "../support/api-client.ts";
import { readEvents } from "../support/event-source.ts";
import { temporaryFolder } from "../support/server-process.ts";
import { startCuttingProxy } from "../support/cutting-proxy.ts";
import { agentOf, rpcClient, serving } from "../support/serving.ts";

const echo = defineAgent({
  id: "echo",
  engine: scripted([{ kind: "echo", prefix: "far: " }], { tokenMs: 0 }),
  name: "Far Echo",
  description: "Says it again.",
});
const home = defineAgent({ id: "home", engine: scripted([{ kind: "echo" }], { tokenMs: 0 }) });

async function told(url: string, task: string): Promise<string> {
  const { events } = await readEvents(`${url}/api/tasks/${task}/events`, { until: ({ type }) => type === "end" });
  return textOfEntries(entriesOf(events));
}

test("a foreign agent is examined, added, talked to, kept over a restart, and removed; its credentials are sent and never shown", async (t) => {
  await using folder = await temporaryFolder();
  const key = makeApiKey({ tenant: "far", user: "us" });
  const file = join(folder.path, "keys");
  await writeFile(file, `${key.line}\n`);
  const far = await serving(t, [echo], { auth: { kind: "api-keys", file } });
  await using store = createMemoryStore({});
  const options = { agents: [home], store, port: 0, grpcPort: false as const, allowLocalTargets: true, report: () => {} };
  const first = await startServer(options);
  let task: string;
  try {
    const api = apiClient(first.url);
    const url = `${far.url}/a2a/echo`;
    const { body: report, status } = await api.post<CardReport>("/api/cards", { url });
    assert.equal(status, 200);
    assert.deepEqual([report.card["name"], report.right, report.url], ["Far Echo", true, `${url}/.well-known/agent-card.json`]);
    assert.ok(report.findings.length > 20 && report.findings.some(({ rule }) => rule.includes("ETag")));

    const added = await api.post<AgentSummary>("/api/remotes", { url, token: key.key });
    assert.equal(added.status, 201);
    assert.deepEqual(
      { id: added.body.id, name: added.body.name, description: added.body.description, remote: added.body.remote },
      { id: "far-echo", name: "Far Echo", description: "Says it again.", remote: { url, protocol: "1.0", binding: "JSONRPC", shared: false } },
    );
    const listed = await api.get<AgentSummary[]>("/api/agents");
    assert.deepEqual(
      listed.body.map(({ id, remote }) => [id, remote?.url]),
      [
        ["home", undefined],
        ["far-echo", url],
      ],
    );
    assert.ok(!JSON.stringify(listed.body).includes(key.key));
    task = (await api.send("far-echo", "hello")).task;
    assert.equal(await told(first.url, task), "far: hello");
    assert.equal((await api.get<CardReport>("/api/agents/far-echo/card")).body.card["name"], "Far Echo");
    assert.equal((await api.get<CardReport>("/api/agents/home/card")).body.right, true);
    assert.equal((await api.post<AgentSummary>("/api/remotes", { url, token: key.key })).body.id, "far-echo-2");
    assert.equal((await api.post("/api/remotes", { url, id: "home" })).status, 409);
  } finally {
    await first[Symbol.asyncDispose]();
  }
  const second = await startServer(options);
  try {
    const api = apiClient(second.url);
    assert.equal((await api.get<AgentSummary[]>("/api/remotes")).body.length, 2);
    assert.equal(await told(second.url, (await api.send("far-echo", "again")).task), "far: again");
    assert.equal((await api.call("DELETE", "/api/remotes/far-echo")).status, 204);
    assert.equal((await api.call("DELETE", "/api/remotes/far-echo")).status, 404);
    assert.equal((await api.call("DELETE", "/api/remotes/home")).status, 404);
    assert.equal((await api.post("/api/agents/far-echo/messages", { messageId: "1", parts: [{ text: "x" }] })).status, 404);
    assert.equal((await api.get(`/api/tasks/${task}?agent=far-echo`)).status, 200);
  } finally {
    await second[Symbol.asyncDispose]();
  }
});

test("callers reach out only to hosts that are allowed, and never into private ranges; without authentication only an operator does", async (t) => {
  await using folder = await temporaryFolder();
  const anna = makeApiKey({ tenant: "a", user: "anna", roles: ["operator"] });
  const bert = makeApiKey({ tenant: "a", user: "bert" });
  const file = join(folder.path, "keys");
  await writeFile(file, `${anna.line}\n${bert.line}\n`);
  const server = await serving(t, [home], { auth: { kind: "api-keys", file }, remoteHosts: ["127.0.0.1", "*.example.com"] });
  const operator = apiClient(server.url, { authorization: `Bearer ${anna.key}` });
  const other = apiClient(server.url, { authorization: `Bearer ${bert.key}` });
  for (const path of ["/api/cards", "/api/remotes"]) {
    const reasons: readonly [unknown, string | undefined, number][] = [
      // Loopback is not allowed here: `allowLocalTargets` is off.
      [{ url: server.url }, "TARGET_NOT_ALLOWED", 403],
      [{ url: "https://elsewhere.test/" }, "REMOTE_HOST_NOT_ALLOWED", 403],
      [{ url: "https://example.com/" }, "REMOTE_HOST_NOT_ALLOWED", 403],
      [{ url: "file:///etc/passwd" }, undefined, 400],
      [{ url: "https://u:p@a.example.com/" }, undefined, 400],
      [{ url: "http://127.0.0.1", headers: { Host: "x" } }, undefined, 400],
      [{ url: "http://127.0.0.1", headers: { a: "b\r\nc: d" } }, undefined, 400],
      [{}, undefined, 400],
    ];
    for (const [body, reason, status] of reasons) {
      for (const api of [operator, other]) {
        const answer = await api.post<ApiError>(path, body);
        assert.deepEqual([answer.status, answer.body.error.reason], [status, reason], JSON.stringify(body));
      }
    }
  }
  const shared = await other.post<ApiError>("/api/remotes", { url: "https://a.example.com", shared: true });
  assert.deepEqual([shared.status, shared.body.error.reason], [403, "OPERATOR_ONLY"]);
  assert.equal((await other.call("DELETE", "/api/remotes/x")).status, 404);
  // Everybody is the one local user, and on other addresses than loopback no operator.
  const open = await serving(t, [home], { host: "0.0.0.0", allowAnonymous: true, allowedHosts: ["127.0.0.1"] });
  for (const path of ["/api/cards", "/api/remotes"])
    assert.equal((await apiClient(`http://127.0.0.1:${open.port}`).post<ApiError>(path, { url: "https://a.example.com" })).body.error.reason, "OPERATOR_ONLY");
});

test("a card that names another host after it was added is not followed there", async (t) => {
  const far = await serving(t, [echo]);
  let place = far.url;
  const cards = createServer((_, response) => {
    const card = {
      name: "Moves",
      description: "d",
      version: "1",
      capabilities: {},
      defaultInputModes: ["text/plain"],
      defaultOutputModes: ["text/plain"],
      skills: [],
    };
    const supportedInterfaces = [{ url: `${place}/a2a/echo`, protocolBinding: "JSONRPC", protocolVersion: "1.0" }];
    response.setHeader("content-type", "application/json").end(JSON.stringify({ ...card, supportedInterfaces }));
  }).listen(0, "127.0.0.1");
  await once(cards, "listening");
  t.after(() => cards.close());
  const store = createMemoryStore({});
  const options = { store, allowLocalTargets: true, remoteHosts: ["127.0.0.1"] };
  const first = await serving(t, [home], options);
  let api = apiClient(first.url);
  const { port } = cards.address() as AddressInfo;
  const added = await api.post<AgentSummary>("/api/remotes", { url: `http://127.0.0.1:${port}/card.json`, id: "moves" });
  assert.equal(added.status, 201, JSON.stringify(added.body));
  assert.equal(await told(first.url, (await api.send("moves", "one")).task), "far: one");
  // After a restart the card is read again.
  await first[Symbol.asyncDispose]();
  place = far.url.replace("127.0.0.1", "localhost");
  const server = await serving(t, [home], options);
  api = apiClient(server.url);
  const { task } = await api.send("moves", "two");
  await readEvents(`${server.url}/api/tasks/${task}/events`, { until: ({ type }) => type === "end" });
  const { body } = await api.get<TaskDetail>(`/api/tasks/${task}`);
  assert.equal(body.state, "TASK_STATE_FAILED");
  assert.match(JSON.stringify(body.snapshot), /REMOTE_HOSTS/);
});

test("a remote agent is its adder's alone, wherever others look; an operator may share one", async (t) => {
  await using folder = await temporaryFolder();
  const keys = {
    anna: makeApiKey({ tenant: "a", user: "anna" }),
    bert: makeApiKey({ tenant: "a", user: "bert" }),
    oli: makeApiKey({ tenant: "b", user: "oli", roles: ["operator"] }),
  };
  const file = join(folder.path, "keys");
  await writeFile(
    file,
    Object.values(keys)
      .map(({ line }) => `${line}\n`)
      .join(""),
  );
  const far = await serving(t, [echo]);
  await using store = createMemoryStore({});
  const options = {
    agents: [home],
    store,
    port: 0,
    grpcPort: false as const,
    allowLocalTargets: true,
    auth: { kind: "api-keys", file } as const,
    limits: { maxRemotesPerUser: 1, maxRemotes: 2 },
    report: () => {},
  };
  const url = `${far.url}/a2a/echo`;
  for (const round of ["first", "after a restart"]) {
    await using server = await startServer(options);
    const as = (name: keyof typeof keys) => apiClient(server.url, { authorization: `Bearer ${keys[name].key}` });
    const [anna, bert, oli] = [as("anna"), as("bert"), as("oli")];
    const namesFor = async (api: typeof anna): Promise<unknown> => {
      const agents = (await api.get<AgentSummary[]>("/api/agents")).body;
      return agents.map(({ id, remote }) => (remote === undefined ? id : [id, remote.shared]));
    };
    if (round === "first") {
      const added = await anna.post<AgentSummary>("/api/remotes", { url: `${url}?secret=1`, id: "annas", token: "t0ken" });
      assert.deepEqual([added.status, added.body.remote], [201, { url, protocol: "1.0", binding: "JSONRPC", shared: false }]);
      const again = await anna.post<ApiError>("/api/remotes", { url });
      assert.deepEqual([again.status, again.body.error.reason], [429, "TOO_MANY_REMOTES"]);
      assert.match(again.body.error.message, /maxRemotesPerUser/);
      assert.equal((await oli.post("/api/remotes", { url, id: "ours", shared: true })).status, 201);
      assert.match((await bert.post<ApiError>("/api/remotes", { url })).body.error.message, /maxRemotes\)/);
    }
    assert.deepEqual(await namesFor(anna), ["home", ["annas", false], ["ours", true]], round);
    for (const api of [bert, oli]) assert.deepEqual(await namesFor(api), ["home", ["ours", true]], round);
    // A shared one does what it does for all.
    for (const [api, agent] of [
      [anna, "annas"],
      [anna, "ours"],
      [bert, "ours"],
      [oli, "ours"],
    ] as const) {
      const { task } = await api.send(agent, "hello");
      const headers = { authorization: `Bearer ${keys[api === anna ? "anna" : api === bert ? "bert" : "oli"].key}` };
      const { events } = await readEvents(`${server.url}/api/tasks/${task}/events`, { headers, until: ({ type }) => type === "end" });
      assert.equal(textOfEntries(entriesOf(events)), "far: hello");
    }
    // To others it does not exist, whichever way they ask.
    const key = `Bearer ${keys.bert.key}`;
    const message = { messageId: "m", role: "ROLE_USER", parts: [{ text: "x" }] };
    assert.equal((await bert.post("/api/agents/annas/messages", { messageId: "m", parts: [{ text: "x" }] })).status, 404);
    assert.equal((await bert.get("/api/agents/annas/card")).status, 404);
    assert.equal((await bert.call("DELETE", "/api/remotes/annas")).status, 404);
    assert.equal((await oli.call("DELETE", "/api/remotes/annas")).status, 404);
    assert.equal((await bert.call("DELETE", "/api/remotes/ours")).status, 403);
    assert.deepEqual(
      (await bert.get<AgentSummary[]>("/api/remotes")).body.map(({ id }) => id),
      ["ours"],
    );
    const models = (await (await fetch(`${server.url}/v1/models`, { headers: { authorization: key } })).json()) as { data: { id: string }[] };
    assert.deepEqual(
      models.data.map(({ id }) => id),
      ["home", "ours"],
    );
    const bridged: readonly [string, object][] = [
      ["/v1/chat/completions", { model: "annas", messages: [{ role: "user", content: "x" }] }],
      ["/agui/annas", { threadId: "1", runId: "1", state: {}, messages: [], tools: [], context: [], forwardedProps: {} }],
      ["/ai/annas", { id: "c", messages: [] }],
      ["/a2a/annas/rest/message:send", { message }],
    ];
    for (const [path, body] of bridged) {
      const answer = await bert.post<unknown>(path, body, { "a2a-version": "1.0" });
      assert.equal(answer.status, 404, path);
      assert.ok(!JSON.stringify(answer.body).includes("annas,"), JSON.stringify(answer.body));
    }
    const rpc = await rpcClient(`${server.url}/a2a/annas`, { authorization: key }).call("SendMessage", { message });
    assert.match(rpc.error?.message ?? "", /no agent "annas"/);
    assert.ok(!(await (await fetch(`${server.url}/a2a`, { headers: { authorization: key } })).text()).includes("annas"));
    const card = (authorization: string): Promise<Response> => fetch(`${server.url}/a2a/annas/.well-known/agent-card.json`, { headers: { authorization } });
    assert.deepEqual([(await card(key)).status, (await card("")).status, (await card(`Bearer ${keys.anna.key}`)).status], [404, 404, 200]);
    const whole = JSON.stringify([await anna.get("/api/agents"), await bert.get("/api/agents"), await bert.get("/api/agents/ours/card")]);
    assert.ok(!/t0ken|secret/.test(whole));
  }
});

test("to remove a remote agent ends what it does, tells it, and closes its connections; its tasks stay", { timeout: 30_000 }, async (t) => {
  const begun = Promise.withResolvers<void>();
  const told = Promise.withResolvers<void>();
  const slow = agentOf(
    async function* ({ input }, signal) {
      const text = input[0]?.parts[0]?.text ?? "";
      if (text === "ask") yield { kind: "interrupt", reason: "input", message: [{ text: "What?" }] };
      else {
        yield { kind: "text", text: "begun " };
        begun.resolve();
        await new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve()));
        told.resolve();
      }
    },
    { id: "slow" },
  );
  const far = await serving(t, [slow]);
  // Only the WebSocket is offered, so that an open connection shows.
  const proxy = await startCuttingProxy(() => undefined);
  t.after(() => proxy[Symbol.asyncDispose]());
  proxy.target = far.port;
  const card = { ...((await (await fetch(`${far.url}/a2a/slow/.well-known/agent-card.json`, { headers: { "a2a-version": "1.0" } })).json()) as object) };
  const supportedInterfaces = [{ url: `ws://127.0.0.1:${proxy.port}/a2a/slow/ws`, protocolBinding: A2A_SOCKET_BINDING, protocolVersion: "1.0" }];
  const cards = await serving(t, [home], {
    pages: [
      async ({ url }) =>
        url.pathname === "/slow/.well-known/agent-card.json"
          ? {
              status: 200,
              headers: { "content-type": "application/json" },
              body: JSON.stringify({ ...card, supportedInterfaces, additionalInterfaces: undefined, url: undefined }),
            }
          : undefined,
    ],
  });
  const server = await serving(t, [home], { allowLocalTargets: true });
  const api = apiClient(server.url);
  const added = await api.post<AgentSummary>("/api/remotes", { url: `${cards.url}/slow`, id: "gone" });
  assert.deepEqual([added.status, added.body.remote?.binding], [201, "WEBSOCKET"]);
  const { task: running } = await api.send("gone", "run");
  const { task: asking } = await api.send("gone", "ask");
  await begun.promise;
  await readEvents(`${server.url}/api/tasks/${asking}/events`, { until: ({ data }) => data.includes("INPUT_REQUIRED") });
  const following = readEvents(`${server.url}/api/tasks/${running}/events`, { until: ({ type }) => type === "end" });
  assert.ok(proxy.open > 0);
  assert.equal((await api.call("DELETE", "/api/remotes/gone")).status, 204);
  await told.promise;
  await following;
  while (proxy.open > 0) await new Promise((resolve) => setTimeout(resolve, 5));
  for (const task of [running, asking]) {
    const { body } = await api.get<TaskDetail>(`/api/tasks/${task}?agent=gone`);
    assert.deepEqual([body.state, body.sealed], ["TASK_STATE_CANCELED", true]);
  }
});
