import assert from "node:assert/strict";
import { test } from "node:test";
import { createSteps } from "./steps.ts";

const stretches = (steps: ReturnType<typeof createSteps>, from: number, to: number): number[][] => {
  const found: number[][] = [];
  steps.between(from, to, (...stretch) => found.push(stretch));
  return found;
};

test("each stretch that is on the screen is given, cut at its edges, the last until the end", () => {
  const steps = createSteps();
  steps.set(10, 1);
  steps.set(20, 2);
  steps.set(30, 0);
  assert.deepEqual(stretches(steps, 15, 40), [
    [15, 20, 1],
    [20, 30, 2],
    [30, 40, 0],
  ]);
  assert.deepEqual(stretches(steps, 0, 5), []);
  assert.deepEqual(
    [5, 10, 19, 20, 99].map((at) => steps.valueAt(at)),
    [0, 1, 1, 2, 0],
  );
});

test("what lasted no time leaves no trace", () => {
  const steps = createSteps();
  steps.set(10, 1);
  steps.set(20, 2);
  steps.set(20, 1);
  assert.equal(steps.length, 1);
  steps.set(5, 3);
  assert.equal(steps.valueAt(10), 3, "a time before the last change counts as of then");
});

test("memory is bounded", () => {
  const steps = createSteps({ most: 100 });
  for (let at = 0; at < 1000; at += 1) steps.set(at, at % 2);
  assert.ok(steps.length <= 100);
  assert.equal(steps.valueAt(999), 1);
});
