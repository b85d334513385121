import assert from "node:assert/strict";
import { mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, test } from "node:test";
import type { TaskState } from "../model/a2a.ts";
import type { StreamKey } from "../model/key.ts";
import { createMemorySearch } from "./memory.ts";
import type { SearchDocument, SearchQuery, TaskSearch } from "./search.ts";
import { createSqliteSearch } from "./sqlite.ts";

const key = (task: string, user = "u", agent = "a"): StreamKey => ({ tenant: "t", user, agent, task });
const document = (
  task: string,
  text: string,
  more: { user?: string; agent?: string; context?: string; statusAt?: number; state?: TaskState } = {},
): SearchDocument => ({
  key: key(task, more.user, more.agent),
  context: more.context ?? "c",
  state: more.state ?? "TASK_STATE_COMPLETED",
  statusAt: more.statusAt ?? 1,
  text,
});
const scope = { tenant: "t", user: "u", limit: 10 };
const found = async (search: TaskSearch, text: string, more: object = {}): Promise<readonly string[]> =>
  (await search.find({ ...scope, ...more, text })).hits.map((hit) => hit.key.task);

async function withSqlite(run: (open: (logId?: string) => TaskSearch, folder: string) => Promise<void>): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "ias-search-"));
  try {
    await run((logId = "log1") => createSqliteSearch({ folder, logId }), folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

const ADAPTERS: readonly [string, (run: (search: TaskSearch) => Promise<void>) => Promise<void>][] = [
  ["memory", (run) => run(createMemorySearch())],
  [
    "sqlite",
    (run) =>
      withSqlite(async (open) => {
        await using search = open();
        await run(search);
      }),
  ],
];

for (const [name, using] of ADAPTERS) {
  describe(`search in ${name}`, () => {
    test("finds tasks that hold all words, whatever their case and accents, newest first", () =>
      using(async (search) => {
        await search.put(
          [
            document("1", "The Café on the corner", { statusAt: 1 }),
            document("2", "a CAFE, open late", { statusAt: 3 }),
            document("3", "tea only", { statusAt: 2 }),
          ],
          7,
        );
        assert.equal(await search.position(), 7);
        assert.deepEqual(await found(search, "cafe"), ["2", "1"]);
        assert.deepEqual(await found(search, "corner café"), ["1"]);
        assert.deepEqual(await found(search, "cafe tea"), []);
        assert.deepEqual(await found(search, "late caf"), ["2"], "the last word may be a beginning");
        assert.deepEqual(await found(search, "caf late"), [], "the others may not");
        assert.deepEqual(await found(search, "cafe", { limit: 1 }), ["2"]);
      }));

    test("only under the caller, and where it is asked to look", () =>
      using(async (search) => {
        await search.put([document("1", "secret", { user: "other" }), document("2", "secret", { agent: "b" }), document("3", "secret", { context: "d" })], 1);
        assert.deepEqual(await found(search, "secret"), ["3", "2"]);
        assert.deepEqual(await found(search, "secret", { agent: "b" }), ["2"]);
        assert.deepEqual(await found(search, "secret", { context: "d" }), ["3"]);
        assert.deepEqual(await found(search, "secret", { user: "other" }), ["1"]);
        assert.deepEqual(await found(search, "secret", { tenant: "x" }), []);
      }));

    test("a document replaces what was there, and is forgotten when it is removed", () =>
      using(async (search) => {
        await search.put([document("1", "first words")], 1);
        await search.put([document("1", "second words")], 2);
        assert.deepEqual(await found(search, "first"), []);
        assert.deepEqual(await found(search, "second"), ["1"]);
        await search.remove(key("1"));
        await search.remove(key("none"));
        assert.deepEqual(await found(search, "words"), []);
      }));

    test("says the words around the hit; what is no word finds nothing and breaks nothing", () =>
      using(async (search) => {
        await search.put([document("1", `${"before ".repeat(100)}needle\n in ${"after ".repeat(100)}`)], 1);
        const [hit] = (await search.find({ ...scope, text: "needle" })).hits;
        assert.match(hit?.match ?? "", /needle in after/);
        assert.ok((hit?.match.length ?? 0) < 300);
        for (const text of ["", '"', "*", "NEAR(", "a OR", "-", 'x" OR "needle', "text:needle ^"])
          assert.ok(Array.isArray((await search.find({ ...scope, text })).hits), text);
        assert.deepEqual(await found(search, "nothing OR needle"), []);
      }));

    test("gives page after page to the end, also where many rest at the same moment, and says how many there are", () =>
      using(async (search) => {
        const count = 450;
        const documents = Array.from({ length: count }, (_, n) => document(String(n).padStart(3, "0"), "needle", { statusAt: 1000 + Math.floor(n / 7) }));
        await search.put([...documents, document("x", "needle", { user: "other" }), document("y", "hay")], 1);
        for (const limit of [1, 7, 100, 449, 450, 1000]) {
          const tasks: string[] = [];
          for (let after: SearchQuery["after"]; ;) {
            const { hits, total, more } = await search.find({ ...scope, text: "needle", limit, ...(after !== undefined && { after }) });
            assert.equal(total, count);
            tasks.push(...hits.map((hit) => hit.key.task));
            const last = hits.at(-1);
            assert.equal(more, tasks.length < count);
            if (!more || last === undefined) break;
            after = { time: last.statusAt, task: last.key.task };
          }
          assert.deepEqual(tasks, documents.map((each) => each.key.task).toReversed(), `pages of ${limit}`);
        }
      }));

    test("looks only at tasks of a state and a time, and their state changes without their text", () =>
      using(async (search) => {
        await search.put(
          [
            document("1", "word", { state: "TASK_STATE_WORKING", statusAt: 1 }),
            document("2", "word", { state: "TASK_STATE_FAILED", statusAt: 2 }),
            document("3", "word", { state: "TASK_STATE_COMPLETED", statusAt: 3 }),
          ],
          1,
        );
        assert.deepEqual(await found(search, "word", { states: ["TASK_STATE_WORKING", "TASK_STATE_FAILED"] }), ["2", "1"]);
        assert.deepEqual(await found(search, "word", { states: [] }), []);
        assert.deepEqual(await found(search, "word", { statusAfter: 2 }), ["3", "2"]);
        assert.deepEqual(await found(search, "word", { statusUntil: 2 }), ["2", "1"]);
        const { hits, total } = await search.find({ ...scope, text: "word", states: ["TASK_STATE_COMPLETED"], limit: 1 });
        assert.deepEqual([hits[0]?.key.task, hits[0]?.statusAt, total], ["3", 3, 1]);
        const { text: _, ...changed } = document("1", "", { state: "TASK_STATE_COMPLETED", statusAt: 9 });
        await search.put([changed], 2, [key("2"), key("none")]);
        assert.deepEqual(await found(search, "word", { states: ["TASK_STATE_COMPLETED"] }), ["1", "3"]);
        assert.deepEqual(await found(search, "word"), ["1", "3"]);
        assert.equal(await search.position(), 2);
      }));
  });
}

test("what SQLite holds is there again; of another log it is not", () =>
  withSqlite(async (open) => {
    const first = open();
    await first.put([document("1", "kept")], 5);
    await first[Symbol.asyncDispose]();
    const again = open();
    assert.deepEqual([await again.position(), await found(again, "kept")], [5, ["1"]]);
    await again[Symbol.asyncDispose]();
    await using other = open("log2");
    assert.deepEqual([await other.position(), await found(other, "kept")], [0, []]);
  }));

test("a broken file is made again, for this system user alone", () =>
  withSqlite(async (open, folder) => {
    writeFileSync(join(folder, "search.db"), "no database ".repeat(1000));
    await using search = open();
    assert.equal(await search.position(), 0);
    assert.equal(statSync(join(folder, "search.db")).mode & 0o777, 0o600);
  }));
