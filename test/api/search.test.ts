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
import { serving } from "../support/serving.ts";

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
