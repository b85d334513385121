import assert from "node:assert/strict";
import test from "node:test";
import fc from "fast-check";
import { DEFAULT_BACKOFF, isHopeless, nextDelay } from "./backoff.ts";

test("waits double, lie in the upper half, and stop growing", () => {
  assert.deepEqual(
    [1, 2, 3, 4].map((failures) => nextDelay(DEFAULT_BACKOFF, failures, undefined, 0)),
    [500, 1000, 2000, 4000],
  );
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 1000 }), fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }), (failures, random) => {
      const delay = nextDelay(DEFAULT_BACKOFF, failures, undefined, random);
      const full = Math.min(DEFAULT_BACKOFF.maxMs, 1000 * 2 ** (failures - 1));
      assert.ok(delay >= Math.round(full / 2) && delay <= full, `${delay} of ${full}`);
    }),
  );
});

test("what the receiver asks for is the least, within reason", () => {
  assert.equal(nextDelay(DEFAULT_BACKOFF, 1, 60_000, 0.5), 60_000);
  assert.equal(nextDelay(DEFAULT_BACKOFF, 1, 10, 0), 500);
  assert.equal(nextDelay(DEFAULT_BACKOFF, 1, 1e12, 0), DEFAULT_BACKOFF.maxRetryAfterMs);
});

test("a row of failures is hopeless after a day or a thousand", () => {
  assert.equal(isHopeless(DEFAULT_BACKOFF, 999, 0, 24 * 3_600_000 - 1), false);
  assert.equal(isHopeless(DEFAULT_BACKOFF, 1000, 0, 1), true);
  assert.equal(isHopeless(DEFAULT_BACKOFF, 1, 0, 24 * 3_600_000), true);
});
