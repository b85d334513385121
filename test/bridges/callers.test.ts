import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { HttpAgent } from "@ag-ui/client";
import { Chat } from "@ai-sdk/react";
import { DefaultChatTransport, type UIMessage } from "ai";
import OpenAI from "openai";
import { makeApiKey } from "../../src/lib/tenancy/api-keys.ts";
import { agentOf, rpcClient, serving } from "../support/serving.ts";
import { questioningAgent } from "./agents.ts";

const POSTS = {
  "/agui/agent": { threadId: "t", runId: "r", messages: [] },
  "/ai/agent": { id: "c", messages: [] },
  "/v1/chat/completions": {},
  "/v1/responses": {},
};

const post = (url: string, headers: Readonly<Record<string, string>> = {}, body: unknown = {}): Promise<Response> =>
  fetch(url, { method: "POST", headers: { "content-type": "application/json", ...headers }, body: JSON.stringify(body) });

test("each caller has its own conversations: another user's do not exist", async (t) => {
  const keys = { ann: makeApiKey({ tenant: "acme", user: "ann" }), bob: makeApiKey({ tenant: "acme", user: "bob" }) };
  const folder = await mkdtemp(join(tmpdir(), "ias-bridges-"));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const file = join(folder, "keys");
  await writeFile(file, `${keys.ann.line}\n${keys.bob.line}`);
  const server = await serving(t, [questioningAgent()], { auth: { kind: "api-keys", file } });
  for (const [path, body] of Object.entries(POSTS)) {
    const refused = await post(`${server.url}${path}`, {}, body);
    assert.equal(refused.status, 401, path);
    assert.equal(refused.headers.get("www-authenticate"), "Bearer", path);
    const { error } = (await refused.json()) as { error: { code: string } };
    assert.equal(error.code.toLowerCase().replaceAll("_", "-"), path.startsWith("/v1") ? "credentials-missing" : "unauthenticated", path);
  }
  const clientOf = (name: keyof typeof keys): OpenAI => new OpenAI({ baseURL: `${server.url}/v1`, apiKey: keys[name].key });
  const chatOf = (name: keyof typeof keys): Chat<UIMessage> =>
    new Chat<UIMessage>({
      id: "chat",
      transport: new DefaultChatTransport({ api: `${server.url}/ai/agent`, headers: { authorization: `Bearer ${keys[name].key}` } }),
    });
  const asked = await clientOf("ann").responses.create({ model: "agent", input: "hi" });
  await assert.rejects(clientOf("bob").responses.create({ model: "agent", input: "Bob", previous_response_id: asked.id }), { status: 404 });
  await assert.rejects(clientOf("bob").responses.retrieve(asked.id), { status: 404 });
  await assert.rejects(clientOf("bob").responses.cancel(asked.id), { status: 404 });
  const ann = chatOf("ann");
  await ann.sendMessage({ text: "hi" });
  const bob = chatOf("bob");
  await bob.resumeStream();
  assert.deepEqual(bob.messages, []);
  const task = ann.messages[1]?.id ?? "";
  const run = { threadId: "t", runId: "r", messages: [], resume: [{ interruptId: `${task}.0`, status: "resolved", payload: "Bob" }] };
  assert.equal((await post(`${server.url}/agui/agent`, { authorization: `Bearer ${keys.bob.key}` }, run)).status, 404);
  assert.equal((await clientOf("ann").responses.retrieve(asked.id)).output_text, "Who are you?");
});

test("a foreign page is refused, a body that is not JSON too, and who asks too often", async (t) => {
  const server = await serving(t, [questioningAgent()], { limits: { maxApiRate: 0.001, maxApiBurst: 3 } });
  for (const [path, body] of Object.entries(POSTS))
    assert.equal((await post(`${server.url}${path}`, { origin: "https://evil.example" }, body)).status, 403, path);
  assert.equal((await post(`${server.url}/v1/responses`, { "content-type": "text/plain" })).status, 400);
  assert.equal((await post(`${server.url}/ai/agent`, { "content-type": "text/plain" })).status, 400);
  assert.equal((await post(`${server.url}/agui/agent`, { "content-type": "text/plain" })).status, 400);
  const limited = await post(`${server.url}/v1/responses`);
  assert.equal(limited.status, 429);
  assert.ok(Number(limited.headers.get("retry-after")) > 0);
  assert.equal(((await limited.json()) as { error: { type: string } }).error.type, "rate_limit_error");
});

test("an agent that replies without a task answers in each protocol, and leaves none behind", async (t) => {
  const agent = agentOf(
    async function* () {
      yield { kind: "reply", parts: [{ text: "just so" }] };
    },
    { replies: "message" },
  );
  const server = await serving(t, [agent]);
  const run = new HttpAgent({ url: `${server.url}/agui/agent`, initialMessages: [{ id: "m", role: "user", content: "go" }] });
  await run.runAgent();
  assert.equal(run.messages.at(-1)?.content, "just so");
  const chat = new Chat<UIMessage>({ transport: new DefaultChatTransport({ api: `${server.url}/ai/agent` }) });
  await chat.sendMessage({ text: "go" });
  assert.deepEqual(chat.lastMessage?.parts.at(-1), { type: "text", text: "just so", state: "done", providerMetadata: undefined });
  const client = new OpenAI({ baseURL: `${server.url}/v1`, apiKey: "none" });
  assert.equal((await client.responses.create({ model: "agent", input: "go" })).output_text, "just so");
  const said = await client.chat.completions.create({ model: "agent", messages: [{ role: "user", content: "go" }] });
  assert.equal(said.choices[0]?.message.content, "just so");
  assert.equal((await rpcClient(`${server.url}/a2a/agent`).must<{ totalSize: number }>("ListTasks", {})).totalSize, 0);
});
