import assert from "node:assert/strict";
import { test } from "node:test";
import { decodeSegment, joinKey, splitKey } from "./key.ts";

test("a key that was joined splits into its parts again, whatever they hold", () => {
  const parts = ["a/b", "", "50 %", "é🦜", "x"];
  assert.deepEqual(splitKey(joinKey(...parts)), parts);
});

test("a segment that cannot be decoded stays as it is", () => {
  assert.equal(decodeSegment("a%2Fb"), "a/b");
  assert.equal(decodeSegment("50%"), "50%");
  assert.deepEqual(splitKey("a%20b/50%"), ["a b", "50%"]);
});
