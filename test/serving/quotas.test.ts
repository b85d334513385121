import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import type { ApiError, SendReply } from "../../src/lib/model/api.ts";
import type { Limits } from "../../src/lib/model/limits.ts";
import type { Server } from "../../src/lib/main/server.ts";
import { makeApiKey } from "../../src/lib/tenancy/api-keys.ts";
import { type ApiAnswer, apiClient } from "../support/api-client.ts";
import { readEvents } from "../support/event-source.ts";
import { is, openPageSocket } from "../support/page-socket.ts";
import { temporaryFolder } from "../support/server-process.ts";
import { agentOf, rpcClient, serving } from "../support/serving.ts";

/** A server of two users, whose agent says a word and waits until it may end. */
async function setUp(t: TestContext, limits: Partial<Limits>) {
  const gate = Promise.withResolvers<void>();
  const agent = agentOf(async function* () {
    yield { kind: "text", text: "here " };
    await gate.promise;
  });
  const folder = await temporaryFolder();
  t.after(() => folder[Symbol.asyncDispose]());
  const users = { ann: makeApiKey({ tenant: "t", user: "ann" }), bea: makeApiKey({ tenant: "t", user: "bea" }) };
  const file = join(folder.path, "keys");
  await writeFile(file, `${users.ann.line}\n${users.bea.line}\n`);
  const server = await serving(t, [agent], { limits, auth: { kind: "api-keys", file } });
  const headers = (user: keyof typeof users) => ({ authorization: `Bearer ${users[user].key}` });
  return { server, headers, ann: userOf(server, headers("ann")), bea: userOf(server, headers("bea")), open: () => gate.resolve() };
}

function userOf(server: Server, headers: Readonly<Record<string, string>>) {
  const api = apiClient(server.url, headers);
  const send = (): Promise<ApiAnswer<ApiError & SendReply>> =>
    api.post("/api/agents/agent/messages", { messageId: crypto.randomUUID(), parts: [{ text: "x" }] });
  return {
    api,
    send,
    async task(): Promise<string> {
      const { body } = await send();
      return "task" in body ? body.task : assert.fail(JSON.stringify(body));
    },
    states: async (): Promise<readonly string[]> => {
      const { body } = await api.get<{ tasks: { state: string }[] }>("/api/tasks");
      return body.tasks.map(({ state }) => state.replace("TASK_STATE_", "")).toSorted();
    },
  };
}

async function until<T>(get: () => Promise<T>, wanted: T): Promise<void> {
  while (JSON.stringify(await get()) !== JSON.stringify(wanted)) await new Promise((resolve) => setTimeout(resolve, 20));
}

test("one user's turns leave places to others, and only so many of them wait", { timeout: 60_000 }, async (t) => {
  const { ann, bea, open } = await setUp(t, { maxParallelTurns: 3, maxParallelTurnsPerUser: 2, maxQueuedTurns: 10, maxQueuedTurnsPerUser: 2 });
  for (let n = 0; n < 4; n += 1) await ann.task();
  const refused = await ann.send();
  assert.deepEqual([refused.status, refused.body.error.reason, refused.body.error.retryable], [429, "QUEUE_FULL", true]);
  assert.match(refused.body.error.message, /^2 turns of this user wait for a place \(maxQueuedTurnsPerUser\)/);
  await bea.task();
  await until(ann.states, ["SUBMITTED", "SUBMITTED", "WORKING", "WORKING"]);
  await until(bea.states, ["WORKING"]);
  open();
  await until(ann.states, Array<string>(4).fill("COMPLETED"));
  await until(bea.states, ["COMPLETED"]);
});

test("one user's streams leave places to others, by whichever way they are opened", { timeout: 60_000 }, async (t) => {
  const { server, headers, ann, bea } = await setUp(t, { maxReaders: 3, maxReadersPerUser: 2 });
  const task = await ann.task();
  const stop = new AbortController();
  const opened = Promise.withResolvers<void>();
  const reading = readEvents(`${server.url}/api/tasks/${task}/events`, {
    headers: headers("ann"),
    signal: stop.signal,
    until: () => (opened.resolve(), false),
  });
  await opened.promise;
  await using page = await openPageSocket(server.url, { headers: headers("ann") });
  page.say({ op: "subscribe-feed", sub: 1 });
  await page.next(is("feed", 1));
  const says = /^2 streams are open \(of this user, maxReadersPerUser\)/;
  const http = await ann.api.get<ApiError>(`/api/tasks/${task}/events`);
  assert.deepEqual([http.status, http.body.error.reason], [429, "TOO_MANY_READERS"]);
  assert.match(http.body.error.message, says);
  page.say({ op: "subscribe", sub: 2, task });
  const { error } = await page.next(is("error", 2));
  assert.deepEqual([error.reason, error.retryable], ["TOO_MANY_READERS", true]);
  const rpc = await rpcClient(`${server.url}/a2a/agent`, headers("ann")).call("SubscribeToTask", { id: task });
  assert.match(rpc.error?.message ?? "", says);
  // The other user has a place, and after one of the first's was given back so has the first.
  const others = await openPageSocket(server.url, { headers: headers("bea") });
  others.say({ op: "subscribe", sub: 1, task: await bea.task() });
  await others.next(is("opened", 1));
  stop.abort();
  await reading;
  for (let sub = 3; ; sub += 1) {
    page.say({ op: "subscribe", sub, task });
    const event = await page.next((each): each is typeof each => (each.op === "opened" || each.op === "error") && each.sub === sub);
    if (event.op === "opened") break;
  }
  await others[Symbol.asyncDispose]();
});

test("one user's sockets leave places to others", { timeout: 60_000 }, async (t) => {
  const { server, headers } = await setUp(t, { maxSockets: 2, maxSocketsPerUser: 1 });
  const first = await openPageSocket(server.url, { headers: headers("ann") });
  await assert.rejects(openPageSocket(server.url, { headers: headers("ann") }), /HTTP 429/);
  await using _ = await openPageSocket(server.url, { headers: headers("bea") });
  await first[Symbol.asyncDispose]();
  for (;;) {
    const next = await openPageSocket(server.url, { headers: headers("ann") }).catch(() => undefined);
    if (next === undefined) continue;
    await next[Symbol.asyncDispose]();
    break;
  }
});

test("without authentication all callers are one user, and have all there is", { timeout: 60_000 }, async (t) => {
  const gate = Promise.withResolvers<void>();
  const agent = agentOf(async function* () {
    yield { kind: "text", text: "here " };
    await gate.promise;
  });
  const server = await serving(t, [agent], { limits: { maxApiRate: Number.POSITIVE_INFINITY, maxAddressRate: Number.POSITIVE_INFINITY } });
  const user = userOf(server, {});
  await Promise.all(Array.from({ length: 140 }, () => user.task()));
  await until(async () => (await user.api.get<{ total: number }>("/api/tasks?states=TASK_STATE_WORKING&pageSize=1")).body.total, 140);
  gate.resolve();
});
