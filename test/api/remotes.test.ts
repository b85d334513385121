import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { scripted } from "../../src/lib/engine/scripted.ts";
import { defineAgent } from "../../src/lib/engine/define-agent.ts";
import { createMemoryStore } from "../../src/lib/log/memory.ts";
import { startServer } from "../../src/lib/main/server.ts";
import type { AgentSummary, ApiError, CardReport } from "../../src/lib/model/api.ts";
import { makeApiKey } from "../../src/lib/tenancy/api-keys.ts";
import { apiClient, entriesOf, textOfEntries } from "../support/api-client.ts";
import { readEvents } from "../support/event-source.ts";
import { temporaryFolder } from "../support/server-process.ts";
import { serving } from "../support/serving.ts";

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
      { id: "far-echo", name: "Far Echo", description: "Says it again.", remote: { url, protocol: "1.0", binding: "JSONRPC" } },
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

test("only operators reach out, only to hosts that are allowed, and never into private ranges", async (t) => {
  await using folder = await temporaryFolder();
  const anna = makeApiKey({ tenant: "a", user: "anna", roles: ["operator"] });
  const bert = makeApiKey({ tenant: "a", user: "bert" });
  const file = join(folder.path, "keys");
  await writeFile(file, `${anna.line}\n${bert.line}\n`);
  const server = await serving(t, [home], { auth: { kind: "api-keys", file }, remoteHosts: ["127.0.0.1", "*.example.com"] });
  const operator = apiClient(server.url, { authorization: `Bearer ${anna.key}` });
  const other = apiClient(server.url, { authorization: `Bearer ${bert.key}` });
  for (const path of ["/api/cards", "/api/remotes"]) {
    const refused = await other.post<ApiError>(path, { url: server.url });
    assert.deepEqual([refused.status, refused.body.error.reason], [403, "OPERATOR_ONLY"]);
    const reasons: readonly [unknown, string | undefined, number][] = [
      // Loopback is not allowed here: `allowLocalTargets` is off.
      [{ url: server.url }, "TARGET_NOT_ALLOWED", 403],
      [{ url: "https://elsewhere.test/" }, "REMOTE_HOST_NOT_ALLOWED", 403],
      [{ url: "https://example.com/" }, "REMOTE_HOST_NOT_ALLOWED", 403],
      [{ url: "file:///etc/passwd" }, undefined, 400],
      [{ url: "http://127.0.0.1", headers: { Host: "x" } }, undefined, 400],
      [{ url: "http://127.0.0.1", headers: { a: "b\r\nc: d" } }, undefined, 400],
      [{}, undefined, 400],
    ];
    for (const [body, reason, status] of reasons) {
      const answer = await operator.post<ApiError>(path, body);
      assert.deepEqual([answer.status, answer.body.error.reason], [status, reason], JSON.stringify(body));
    }
  }
  assert.equal((await other.call("DELETE", "/api/remotes/x")).status, 403);
});
