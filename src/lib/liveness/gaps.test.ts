import assert from "node:assert/strict";
import { test } from "node:test";
import { addGap, gapFigure, gapQuantile, NO_GAPS } from "./gaps.ts";

const of = (...gaps: readonly number[]) => gaps.reduce(addGap, NO_GAPS);
const figures = (...gaps: readonly number[]) => [0.5, 0.95].map((q) => gapFigure(of(...gaps), q, { leastMs: Math.min(...gaps), mostMs: Math.max(...gaps) }));

test("the figures of a stream that gives a word a second are about a second, and never beyond its longest or shortest gap", () => {
  assert.deepEqual(figures(999, 1000, 1001), [999, 999]);
  assert.deepEqual(figures(1000, 1000), [1000, 1000]);
  assert.deepEqual(figures(0.2, 0.2), [0.2, 0.2]);
});

test("a figure has no more digits than are known", () => {
  const [p50, p95] = figures(1, 100, 100, 100, 740, 5000);
  assert.deepEqual([p50, p95], [99, 5000]);
  assert.equal(gapQuantile(of(100), 0.5)?.toFixed(2), "98.70", "the quantile itself is not rounded: thresholds follow it");
});

test("without a gap there is no figure", () => assert.equal(gapFigure(NO_GAPS, 0.5, { leastMs: Number.POSITIVE_INFINITY, mostMs: 0 }), undefined));
