import assert from "node:assert/strict";
import { describe, it, type TestContext } from "node:test";
import { agentOf, rpcClient, serving, textOf } from "../../../test/support/serving.ts";
import type { Task } from "../model/a2a.ts";

interface Listed {
  readonly tasks: readonly Task[];
  readonly nextPageToken: string;
  readonly pageSize: number;
  readonly totalSize: number;
}

const BUDGET = 32 * 1024;
const TEXT = "x".repeat(12 * 1024);

/** Nine tasks of which two fit into a page, and one that is as large as a page may be. */
async function tenTasks(t: TestContext) {
  const agent = agentOf(async function* ({ input }) {
    const large = input.at(-1)?.parts[0]?.text === "large";
    yield { kind: "text", text: large ? TEXT.repeat(2) : TEXT };
  });
  const server = await serving(t, [agent], { limits: { maxInlineBytes: BUDGET } });
  const client = rpcClient(`${server.url}/a2a/agent`);
  const ids: string[] = [];
  for (let n = 0; n < 10; n += 1) ids.unshift((await client.send(n === 4 ? "large" : `task ${n}`)).task.id);
  const pages = async (params: object): Promise<Listed[]> => {
    const all = [await client.must<Listed>("ListTasks", params)];
    for (let token = all[0]?.nextPageToken; token !== undefined && token !== ""; token = all.at(-1)?.nextPageToken)
      all.push(await client.must<Listed>("ListTasks", { ...params, pageToken: token }));
    return all;
  };
  return { ids, pages };
}

describe("ListTasks", () => {
  it("ends a page before the task that would pass the budget, and skips none", async (t) => {
    const { ids, pages } = await tenTasks(t);
    const all = await pages({ pageSize: 100, includeArtifacts: true });
    assert.deepEqual(
      all.flatMap(({ tasks }) => tasks.map(({ id }) => id)),
      ids,
    );
    for (const { tasks, pageSize, totalSize } of all) {
      assert.ok(tasks.length > 0 && JSON.stringify(tasks).length <= BUDGET + tasks.length, `${tasks.length} tasks`);
      assert.deepEqual([pageSize, totalSize], [100, 10]);
      for (const task of tasks) assert.ok(textOf(task).length >= TEXT.length, "each is whole");
    }
    assert.ok(all.length >= 5 && all.length <= 6, `${all.length} pages`);
  });

  it("counts only what was asked for", async (t) => {
    const { ids, pages } = await tenTasks(t);
    const [page, ...more] = await pages({ pageSize: 100 });
    assert.deepEqual(
      page?.tasks.map(({ id }) => id),
      ids,
    );
    assert.ok(page?.tasks.every((task) => task.artifacts === undefined && task.history?.length === 1));
    assert.deepEqual([page?.nextPageToken, more], ["", []]);
  });
});
