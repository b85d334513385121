import assert from "node:assert/strict";
import { test } from "node:test";
import { IasError } from "../model/errors.ts";
import { createRateLimit } from "./rate-limit.ts";

function limit(perSecond: number, burst: number) {
  let time = 0;
  const take = createRateLimit({ names: ["rate", "burst"], perSecond, burst, now: () => time });
  const taken = (key = "a"): boolean | number => {
    try {
      take(key);
      return true;
    } catch (error) {
      assert.ok(error instanceof IasError && error.reason === "RATE_LIMITED" && error.retryable);
      return error.retryAfterMs ?? 0;
    }
  };
  return { taken, pass: (ms: number) => (time += ms) };
}

test("a burst is taken at once, then so many a second, and the error says when", () => {
  const { taken, pass } = limit(10, 3);
  assert.deepEqual([taken(), taken(), taken(), taken()], [true, true, true, 100]);
  pass(50);
  assert.equal(taken(), 50);
  pass(50);
  assert.deepEqual([taken(), taken()], [true, 100]);
  pass(60_000);
  assert.deepEqual([taken(), taken(), taken(), taken()], [true, true, true, 100]);
});

test("one key does not use up another's, and a clock that goes back gives nothing", () => {
  const { taken, pass } = limit(1, 1);
  assert.deepEqual([taken("a"), taken("b"), taken("a")], [true, true, 1000]);
  pass(-5000);
  assert.equal(taken("a"), 1000);
});

test("many keys do not make memory grow, and those that are at their limit are not let off while there is room", () => {
  const { taken, pass } = limit(1, 1);
  for (let index = 0; index < 30_000; index += 1) {
    pass(1);
    taken(String(index));
  }
  assert.equal(typeof taken("29999"), "number");
});

test("Infinity takes the limit away", () => {
  const { taken } = limit(Number.POSITIVE_INFINITY, 1);
  assert.deepEqual([taken(), taken(), taken()], [true, true, true]);
});
