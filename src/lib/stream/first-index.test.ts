import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { firstIndex } from "./first-index.ts";

test("the first index past a border is found, or the length where there is none", () => {
  fc.assert(
    fc.property(fc.nat({ max: 1000 }), fc.nat({ max: 1000 }), (length, border) => {
      assert.equal(
        firstIndex(length, (index) => index >= border),
        Math.min(length, border),
      );
    }),
  );
});

test("a million places take twenty looks", () => {
  let looks = 0;
  firstIndex(1_000_000, (index) => (looks += 1) > 0 && index >= 765_432);
  assert.ok(looks <= 20, `${looks}`);
});
