import assert from "node:assert/strict";
import { test } from "node:test";
import { withinMs } from "./within.ts";

test("what is done in time is given, what is late is not, and no time is too long to wait", async () => {
  assert.equal(await withinMs(Promise.resolve(1), 1000), 1);
  assert.equal(await withinMs(new Promise(() => undefined), 1), undefined);
  await assert.rejects(withinMs(Promise.reject(new Error("no")), 1000), /no/);
  // A timer of the system fires at once where its time is longer than it can count.
  for (const ms of [Number.POSITIVE_INFINITY, 1e12]) {
    const later = new Promise((resolve) => setTimeout(() => resolve("late"), 20));
    assert.equal(await withinMs(later, ms), "late");
  }
});
