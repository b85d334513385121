import assert from "node:assert/strict";
import { test } from "node:test";
import { clockOf } from "./skew.ts";

test("the writers' present is known from the quickest entry, whichever clock is ahead", () => {
  const clock = clockOf();
  assert.equal(clock.now(1000), 1000);
  clock.see(1000, 900_000);
  assert.equal(clock.now(900_000), 900_000, "history tells nothing of the clocks");
  clock.see(900_000, 900_120);
  clock.see(900_100, 900_140);
  assert.equal(clock.now(901_000), 900_960);
  clock.see(905_000, 902_000);
  assert.equal(clock.now(903_000), 906_000);
});
