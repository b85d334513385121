import assert from "node:assert/strict";
import { test } from "node:test";
import { defineAgent } from "../../src/lib/engine/define-agent.ts";
import { scripted } from "../../src/lib/engine/scripted.ts";
import { createMemorySearch } from "../../src/lib/search/memory.ts";
import { serve } from "../../src/lib/main/serve.ts";
import type { ApiError, ServerInfo, TaskSummaryPage } from "../../src/lib/model/api.ts";
import { apiClient } from "../support/api-client.ts";
import { readEvents } from "../support/event-source.ts";
import { temporaryFolder } from "../support/server-process.ts";
import { agentOf, serving } from "../support/serving.ts";

const echo = defineAgent({ id: "echo", engine: scripted([{ kind: "echo", prefix: "Reply: " }], { tokenMs: 0 }) });
const limits = { maxApiRate: Number.POSITIVE_INFINITY, maxAddressRate: Number.POSITIVE_INFINITY };

/** Searches until so many are found: the search follows the log. */
async function found(url: string, query: string, count: number): Promise<TaskSummaryPage> {
  for (;;) {
    const { status, body } = await apiClient(url).get<TaskSummaryPage>(`/api/tasks?${query}`);
    assert.equal(status, 200);
    if (body.tasks.length === count) return body;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

async function told(url: string, text: string, contextId: string): Promise<string> {
  const { task } = await apiClient(url).send("echo", text, { contextId });
  await readEvents(`${url}/api/tasks/${task}/events`, { until: ({ type }) => type === "end" });
  return task;
}

test("tasks are found by what was asked and answered, also after a restart", { timeout: 60_000 }, async () => {
  await using folder = await temporaryFolder();
  const options = { agents: [echo], dataDir: folder.path, port: 0, grpcPort: false as const, limits };
  let first: string;
  {
    await using server = await serve(options);
    assert.ok((await apiClient(server.url).get<ServerInfo>("/api/session")).body.features.includes("search"));
    first = await told(server.url, "where are the walruses", "c1");
    const second = await told(server.url, "walrus again", "c2");
    const { tasks } = await found(server.url, "q=walrus", 2);
    assert.deepEqual(
      tasks.map(({ task }) => task),
      [second, first],
    );
    assert.match(tasks[0]?.match ?? "", /walrus again/);
    assert.equal((await found(server.url, "q=reply+walruses", 1)).tasks[0]?.task, first);
    assert.equal((await found(server.url, "q=walrus&context=c2", 1)).tasks[0]?.task, second);
    await found(server.url, "q=walrus&states=TASK_STATE_FAILED", 0);
    await found(server.url, "q=penguin", 0);
  }
  await using server = await serve(options);
  assert.equal((await found(server.url, "q=walruses", 1)).tasks[0]?.task, first);
});

test("a server without a search says so; one that is given one fills it", async (t) => {
  const without = await serving(t, [echo]);
  const { status, body } = await apiClient(without.url).get<ApiError>("/api/tasks?q=x");
  assert.deepEqual([status, body.error.code], [400, "unsupported-operation"]);
  const search = createMemorySearch();
  t.after(() => search[Symbol.asyncDispose]());
  const server = await serving(t, [echo], { search, limits });
  const task = await told(server.url, "hello", "c");
  assert.equal((await found(server.url, "q=hello", 1)).tasks[0]?.task, task);
});

test("hits of a state are found however many others there are, page by page to the end", { timeout: 120_000 }, async (t) => {
  const gated = agentOf(
    async function* ({ input }) {
      if (input[0]?.parts[0]?.text === "walrus waits") yield { kind: "interrupt", reason: "input", message: [{ text: "What?" }] };
      else yield { kind: "text", text: "walrus" };
    },
    { id: "walrus" },
  );
  const search = createMemorySearch();
  t.after(() => search[Symbol.asyncDispose]());
  const server = await serving(t, [gated], { search, limits });
  const api = apiClient(server.url);
  const waiting: string[] = [];
  for (let n = 0; n < 5; n += 1) waiting.push((await api.send("walrus", "walrus waits")).task);
  // More than a page of hits can hold, all newer than those that wait.
  await Promise.all(Array.from({ length: 210 }, () => api.send("walrus", "walrus done")));
  for (;;) {
    const { body } = await api.get<TaskSummaryPage>("/api/tasks?q=walrus&states=TASK_STATE_COMPLETED&pageSize=1");
    if (body.total === 210) break;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  const pages = async (query: string): Promise<readonly string[]> => {
    const tasks: string[] = [];
    for (let token = ""; ;) {
      const { body, status } = await api.get<TaskSummaryPage>(`/api/tasks?q=walrus&${query}${token === "" ? "" : `&pageToken=${token}`}`);
      assert.equal(status, 200);
      assert.ok(body.tasks.length > 0);
      tasks.push(...body.tasks.map(({ task }) => task));
      token = body.nextPageToken;
      if (token === "") return tasks;
    }
  };
  assert.deepEqual(new Set(await pages("states=TASK_STATE_INPUT_REQUIRED&pageSize=2")), new Set(waiting));
  const all = await pages("pageSize=200");
  assert.deepEqual([all.length, new Set(all).size], [215, 215]);
  assert.deepEqual(all, await pages("pageSize=9"));
  assert.equal((await api.get("/api/tasks?q=walrus&pageToken=nonsense")).status, 400);
});

test("a reply without a task is not found", { timeout: 60_000 }, async (t) => {
  const replies = agentOf(
    async function* () {
      yield { kind: "reply", parts: [{ text: "walrus" }] };
    },
    { id: "replies", replies: "either" },
  );
  const search = createMemorySearch();
  t.after(() => search[Symbol.asyncDispose]());
  const server = await serving(t, [echo, replies], { search, limits });
  await apiClient(server.url).post("/api/agents/replies/messages", { messageId: "1", parts: [{ text: "walrus?" }] });
  const task = await told(server.url, "walrus", "c");
  const body = await found(server.url, "q=walrus", 1);
  assert.deepEqual([body.tasks[0]?.task, body.total], [task, 1]);
});
