import assert from "node:assert/strict";
import test from "node:test";
import { restAfter } from "./watch.ts";

test("a board that is watched rests by how long its ledger is, and not by one reading on a busy machine", () => {
  assert.equal(restAfter(3, 3), 500);
  assert.equal(restAfter(1500, 0), 500, "the first");
  assert.equal(restAfter(1500, 3), 500);
  assert.equal(restAfter(3, 1500), 500);
  assert.equal(restAfter(200, 300), 4000, "a twentieth of the time");
});
