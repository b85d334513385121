import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, it, type TestContext } from "node:test";
import { AgentCard } from "@a2a-js/sdk";
import { exportJWK, generateKeyPair, SignJWT } from "jose";
import { WebSocket } from "ws";
import { connectA2A } from "../../src/lib/client/connect.ts";
import type { Server } from "../../src/lib/main/server.ts";
import { makeApiKey } from "../../src/lib/tenancy/api-keys.ts";
import { messageOf } from "../support/messages.ts";
import { is, openPageSocket } from "../support/page-socket.ts";
import { agentOf, rpcClient, serving } from "../support/serving.ts";

const KEYS = {
  ann: makeApiKey({ tenant: "acme", user: "ann" }),
  bob: makeApiKey({ tenant: "acme", user: "bob" }),
  eve: makeApiKey({ tenant: "other", user: "ann" }),
};

const agent = agentOf(
  async function* () {
    yield { kind: "text", text: "hello" };
  },
  { extendedCard: { description: "For those who have a key." } },
);

async function withKeys(t: TestContext): Promise<Server> {
  const folder = await mkdtemp(join(tmpdir(), "ias-callers-"));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const file = join(folder, "keys");
  await writeFile(
    file,
    Object.values(KEYS)
      .map(({ line }) => line)
      .join("\n"),
  );
  return serving(t, [agent], { auth: { kind: "api-keys", file } });
}

/** How a handshake ends: "open", the status of its refusal, or its close code. */
async function handshake(server: Server, path: string, headers: Readonly<Record<string, string>>): Promise<string | number> {
  const ws = new WebSocket(`${server.url.replace("http", "ws")}${path}`, { headers: { ...headers } });
  ws.on("error", () => {});
  const end = await new Promise<string | number>((resolve) => {
    ws.once("unexpected-response", (_, { statusCode }) => resolve(statusCode ?? 0));
    ws.once("message", () => resolve("open"));
    ws.once("open", () => ws.send('{"jsonrpc":"2.0","id":1,"method":"$/ping"}'));
    ws.once("close", resolve);
  });
  ws.terminate();
  return end;
}

function as(server: Server, name: keyof typeof KEYS) {
  return rpcClient(`${server.url}/a2a/agent`, { authorization: `Bearer ${KEYS[name].key}` });
}

describe("callers with API keys", () => {
  it("without a good key get 401 and how to authenticate, on both bindings; the card is for everybody", async (t) => {
    const server = await withKeys(t);
    for (const [path, init] of [
      ["/a2a/agent", { method: "POST", body: "{}", headers: { "content-type": "application/json", "a2a-version": "1.0" } }],
      ["/a2a/agent/rest/tasks", { headers: { "a2a-version": "1.0" } }],
      ["/a2a/agent/rest/acme/tasks/t", { headers: { "a2a-version": "1.0", authorization: "Bearer wrong" } }],
    ] as const) {
      const response = await fetch(`${server.url}${path}`, init);
      assert.equal(response.status, 401, path);
      assert.match(response.headers.get("www-authenticate") ?? "", "authorization" in init.headers ? /^Bearer error="invalid_token"$/ : /^Bearer$/);
    }
    const card = AgentCard.fromJSON(await (await fetch(`${server.url}/.well-known/agent-card.json`, { headers: { "a2a-version": "1.0" } })).json());
    assert.deepEqual(Object.keys(card.securitySchemes).sort(), ["apiKey", "bearer"]);
    assert.equal(card.capabilities?.extendedAgentCard, true);
  });

  it("see their own tasks only: another user's and another tenant's do not exist", async (t) => {
    const server = await withKeys(t);
    const { task } = await as(server, "ann").send("mine");
    assert.equal((await as(server, "ann").get(task.id)).id, task.id);
    for (const name of ["bob", "eve"] as const) {
      const client = as(server, name);
      for (const [method, params] of [
        ["GetTask", { id: task.id }],
        ["CancelTask", { id: task.id }],
        ["SubscribeToTask", { id: task.id }],
        ["SendMessage", { message: messageOf("yours?", { taskId: task.id }) }],
        ["CreateTaskPushNotificationConfig", { taskId: task.id, url: "https://example.com" }],
        ["ListTaskPushNotificationConfigs", { taskId: task.id }],
      ] as const) {
        assert.equal((await client.call(method, params)).error?.code, -32001, `${name} ${method}`);
      }
      assert.equal((await client.must<{ totalSize: number }>("ListTasks", {})).totalSize, 0);
    }
  });

  it("open WebSockets with their key only, a page is told so after the handshake, and another's task does not exist there either", async (t) => {
    const server = await withKeys(t);
    for (const path of ["/api/ws", "/a2a/agent/ws"]) {
      assert.equal(await handshake(server, path, {}), 401);
      assert.equal(await handshake(server, path, { authorization: "Bearer wrong" }), 401);
      assert.equal(await handshake(server, path, { origin: server.url }), 4401);
      assert.equal(await handshake(server, path, { origin: "https://evil.example" }), 403);
      assert.equal(await handshake(server, path, { authorization: `Bearer ${KEYS.ann.key}` }), "open");
    }
    const { task } = await as(server, "ann").send("mine");
    await using page = await openPageSocket(server.url, { headers: { authorization: `Bearer ${KEYS.bob.key}` } });
    page.say({ op: "subscribe", sub: 1, task: task.id, agent: "agent" });
    assert.equal((await page.next(is("error", 1))).error.code, "task-not-found");
    page.say({ op: "cancel", ref: 1, task: task.id });
    assert.equal((await page.next(is("error"))).error.code, "task-not-found");
    const options = { allowLocal: true, bindings: ["WEBSOCKET"] } as const;
    await using ann = await connectA2A(server.url, { ...options, headers: { Authorization: `Bearer ${KEYS.ann.key}` } });
    assert.equal((await ann.getTask(task.id)).id, task.id);
    await using eve = await connectA2A(server.url, { ...options, headers: { authorization: `Bearer ${KEYS.eve.key}` } });
    await assert.rejects(eve.getTask(task.id), { code: "task-not-found" });
    await using nobody = await connectA2A(server.url, options);
    await assert.rejects(nobody.getTask(task.id), { code: "unauthenticated" });
  });

  it("may name their own tenant and no other", async (t) => {
    const server = await withKeys(t);
    const client = as(server, "ann");
    const { task } = await client.send("mine");
    assert.equal((await client.must<{ id: string }>("GetTask", { tenant: "acme", id: task.id })).id, task.id);
    const { error } = await client.call("GetTask", { tenant: "other", id: task.id });
    assert.equal(error?.code, -32091);
    const rest = (tenant: string): Promise<Response> =>
      fetch(`${server.url}/a2a/agent/rest/${tenant}/tasks/${task.id}`, { headers: { "a2a-version": "1.0", "x-api-key": KEYS.ann.key } });
    assert.deepEqual([(await rest("acme")).status, (await rest("other")).status], [200, 403]);
  });

  it("get the extended card", async (t) => {
    const server = await withKeys(t);
    const card = await as(server, "bob").must<{ description: string }>("GetExtendedAgentCard", {});
    assert.equal(card.description, "For those who have a key.");
  });
});

describe("callers with tokens of an issuer", () => {
  it("are who their claims say", async (t) => {
    const folder = await mkdtemp(join(tmpdir(), "ias-callers-"));
    t.after(() => rm(folder, { recursive: true, force: true }));
    const { publicKey, privateKey } = await generateKeyPair("EdDSA");
    await writeFile(join(folder, "jwks.json"), JSON.stringify({ keys: [{ ...(await exportJWK(publicKey)), kid: "k" }] }));
    const auth = { kind: "jwt", jwks: join(folder, "jwks.json"), issuer: "https://id.example", audience: "ias", claims: { tenant: "org" } } as const;
    const server = await serving(t, [agent], { auth });
    const client = async (org: string, audience = "ias") => {
      const token = new SignJWT({ org, sub: "ann" }).setProtectedHeader({ alg: "EdDSA", kid: "k" }).setIssuer("https://id.example").setAudience(audience);
      return rpcClient(`${server.url}/a2a/agent`, { authorization: `Bearer ${await token.setExpirationTime("1m").sign(privateKey)}` });
    };
    const { task } = await (await client("acme")).send("mine");
    assert.equal((await (await client("acme")).get(task.id)).id, task.id);
    assert.equal((await (await client("other")).call("GetTask", { id: task.id })).error?.code, -32001);
    const { error } = await (await client("acme", "somebody else")).call("GetTask", { id: task.id });
    assert.deepEqual([error?.code, /"aud"/.test(error?.message ?? "")], [-32090, true]);
  });
});

describe("callers without authentication", () => {
  it("are one user, and the tenant that they name is a place of its own", async (t) => {
    const client = rpcClient(`${(await serving(t, [agent])).url}/a2a/agent`);
    const { task } = await client.must<{ task: { id: string } }>("SendMessage", { tenant: "red", message: messageOf("hi") });
    assert.equal((await client.must<{ id: string }>("GetTask", { tenant: "red", id: task.id })).id, task.id);
    for (const tenant of [undefined, "blue", ""]) assert.equal((await client.call("GetTask", { tenant, id: task.id })).error?.code, -32001);
  });
});
