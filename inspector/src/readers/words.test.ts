import assert from "node:assert/strict";
import { test } from "node:test";
import type { ReaderInfo } from "../../../src/lib/model/api.ts";
import { readersOf } from "./words.ts";

const reader = (since: number, lag: number): ReaderInfo => ({ agent: "a", task: "t", transport: "sse", audience: "public", since, seq: 1, lag });

test("who is furthest behind comes first", () => {
  const told = { readers: [reader(3, 0), reader(1, 0), reader(2, 9)] };
  assert.deepEqual(
    readersOf(told).map(({ since }) => since),
    [2, 1, 3],
  );
  assert.deepEqual(readersOf([reader(1, 0)]).length, 1);
  assert.deepEqual(readersOf("nothing"), []);
});
