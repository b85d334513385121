import assert from "node:assert/strict";
import { test } from "node:test";
import type { StreamEntry } from "../../../src/lib/model/api.ts";
import { createPages, type FetchPage } from "./pages.ts";

const entry = (seq: number): StreamEntry => ({
  seq,
  gen: 1,
  at: seq,
  attempt: 1,
  audience: "public",
  event: { task: { id: "t", contextId: "c", status: { state: "TASK_STATE_WORKING" } } },
});
const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

test("what is looked at is fetched by the page, once, and what was not looked at for long is let go", async () => {
  const asked: number[] = [];
  let changes = 0;
  const fetchPage: FetchPage = async (first, count) => {
    asked.push(first);
    return Array.from({ length: count }, (_, index) => entry(first + index));
  };
  const pages = createPages(fetchPage, () => (changes += 1), { pageEntries: 10, maxPages: 3 });
  assert.equal(pages.get(0), undefined, "there is no such entry");
  assert.equal(pages.get(7), undefined);
  assert.equal(pages.get(8), undefined);
  await settled();
  assert.deepEqual([pages.get(7)?.seq, pages.get(10)?.seq, changes, asked], [7, 10, 1, [1]]);
  for (const seq of [11, 21, 5, 31]) {
    pages.get(seq);
    await settled();
  }
  assert.deepEqual([pages.kept, asked], [3, [1, 11, 21, 31]]);
  assert.equal(pages.get(5)?.seq, 5, "the first page was looked at again");
  assert.equal(pages.get(11), undefined, "the second is asked for anew");
});

test("a page that does not come says why, and is asked for again when it is looked at again", async () => {
  let fails = true;
  const pages = createPages(
    async (first) => {
      if (fails) throw new Error("The server is away.");
      return [entry(first)];
    },
    () => {},
    { pageEntries: 10, maxPages: 3 },
  );
  pages.get(1);
  await settled();
  assert.equal(pages.problem, "The server is away.");
  fails = false;
  pages.get(1);
  await settled();
  assert.deepEqual([pages.get(1)?.seq, pages.problem], [1, undefined]);
});
