import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { FEED_LANE_LIMITS } from "./limits.ts";
import { createColumns, createTicks } from "./level-of-detail.ts";

const sum = (counts: Float32Array): number => counts.reduce((total, count) => total + count, 0);

test("every tick that is on the screen is in a column, at every zoom", () => {
  const gaps = fc.array(fc.integer({ min: 0, max: 3000 }), { minLength: 1, maxLength: 300 });
  fc.assert(
    fc.property(gaps, fc.constantFrom(0.5, 4, 16, 33, 100, 1000, 60_000), (list, msPerColumn) => {
      const ticks = createTicks();
      let at = 1_700_000_000_000;
      for (const [index, gap] of list.entries()) ticks.add((at += gap), index + 1, index % 3 === 0 ? "reasoning" : "content");
      const span = at - 1_700_000_000_000 + 2 * msPerColumn;
      const width = Math.min(2_000_000, Math.ceil(span / msPerColumn) + 2);
      const out = createColumns(width);
      // From a round moment, as the canvas asks, so that no bucket begins before the screen.
      const from = Math.floor(1_700_000_000_000 / 67_108_864) * 67_108_864;
      const skipped = Math.floor((1_700_000_000_000 - from) / msPerColumn) * msPerColumn;
      ticks.columns(from + skipped - msPerColumn, msPerColumn, out);
      assert.ok(sum(out.counts) === list.length, `${sum(out.counts)} of ${list.length}`);
      assert.equal(sum(out.reasoning), Math.ceil(list.length / 3));
      assert.equal(out.peak, Math.max(...out.counts));
    }),
    { numRuns: 60 },
  );
});

test("a single tick is in the column of its time when zoomed in", () => {
  const ticks = createTicks();
  ticks.add(1000, 1, "content");
  ticks.add(1003, 2, "content");
  const out = createColumns(10);
  ticks.columns(1000, 1, out);
  assert.deepEqual([...out.counts], [1, 0, 0, 1, 0, 0, 0, 0, 0, 0]);
});

test("a time that steps back counts as the time before it, so that order stays", () => {
  const ticks = createTicks();
  ticks.add(500, 1, "content");
  ticks.add(400, 2, "content");
  assert.equal(ticks.nearest(500, 0)?.seq, 1);
  const out = createColumns(1);
  ticks.columns(500, 1, out);
  assert.equal(out.counts[0], 2);
});

test("memory is bounded, and what is no longer there one by one is still counted", () => {
  const ticks = createTicks({ maxTicks: 1000, maxBuckets: 1000, reserves: false });
  for (let index = 0; index < 5000; index += 1) ticks.add(index * 20, index + 1, "content");
  assert.equal(ticks.length, 5000);
  assert.equal(ticks.nearest(0, 10), undefined, "the oldest is gone");
  assert.equal(ticks.nearest(4999 * 20, 10)?.seq, 5000);
  const out = createColumns(100);
  ticks.columns(0, 1024, out);
  assert.equal(sum(out.counts), 5000);
  ticks.columns(0, 4, out);
  assert.ok(sum(out.counts) > 0, "zoomed in there, a coarser level stands in");
});

test("a stream of a day takes no more memory than its limits allow, and is still seen from its first hour to its last", () => {
  const ticks = createTicks(FEED_LANE_LIMITS);
  const day = 86_400_000;
  // 20 tokens a second, in bursts, so that the finest buckets fill up too.
  const taken = new Set<number>();
  for (let at = 0; at < day; at += 50) {
    ticks.add(at - (at % 400) / 2, at / 50 + 1, "content");
    if (at % 5000 === 0) taken.add(ticks.bytes);
  }
  assert.equal(ticks.length, 1_728_000);
  const { maxTicks, maxBuckets } = FEED_LANE_LIMITS;
  const [short, ...rest] = taken;
  assert.ok(short !== undefined && short < 10_000, `a short answer took ${short} bytes`);
  assert.deepEqual(rest, [16 * (maxTicks + 8 * maxBuckets)], "after its first seconds a lane grows no more");
  const out = createColumns(1000);
  ticks.columns(0, day / 1000, out);
  assert.ok(
    out.counts.every((count) => count > 0),
    "no hour of it is blank",
  );
  assert.equal(sum(out.counts), 1_728_000);
  let rates = 0;
  ticks.rates(0, day, 3 * (day / 1000), (_, perSecond) => {
    rates += 1;
    assert.ok(perSecond < 21);
  });
  assert.ok(rates > 200, `${rates} stretches have a rate`);
});

test("where single tokens are forgotten, wider buckets stand in beside those that are kept: no stripes, no gap, none twice", () => {
  const ticks = createTicks({ maxTicks: 400, maxBuckets: 400, reserves: false });
  // 50 a second for a minute: at 40 ms a column two in each.
  for (let index = 0; index < 3000; index += 1) ticks.add(index * 20, index + 1, "content");
  const out = createColumns(1500);
  ticks.columns(0, 40, out);
  assert.ok(
    out.counts.every((count) => count > 0),
    "each column has its share",
  );
  assert.ok(out.peak <= 5, `${out.peak} in a column`);
  assert.ok(Math.abs(sum(out.counts) - 3000) <= 10, `${sum(out.counts)} of 3,000`);
  const newest = out.counts.slice(-180);
  assert.ok(
    newest.every((count) => Number.isInteger(count)),
    "the newest are counted one by one",
  );
  assert.ok(
    out.counts.slice(100, 800).every((count) => count < 2.6),
    "a wide bucket is shared among its columns",
  );
});

test("the nearest tick is found, within reach only", () => {
  const ticks = createTicks();
  ticks.add(100, 1, "content");
  ticks.add(200, 2, "reasoning");
  assert.deepEqual(ticks.nearest(140, 50), { at: 100, seq: 1, kind: "content" });
  assert.deepEqual(ticks.nearest(160, 50), { at: 200, seq: 2, kind: "reasoning" });
  assert.equal(ticks.nearest(400, 50), undefined);
});

test("rates are per second", () => {
  const ticks = createTicks();
  for (let index = 0; index < 50; index += 1) ticks.add(1024 * 1000 + index * 20, index + 1, "content");
  const found: number[] = [];
  ticks.rates(1024 * 1000, 1024 * 1001, 0, (_, rate) => found.push(Math.round(rate)));
  assert.deepEqual(found, [49]);
});

test("a screen costs some rows a column, at every zoom, however many ticks there are", () => {
  const ticks = createTicks();
  for (let index = 0; index < 100_000; index += 1) ticks.add(index * 20, index, "content");
  const out = createColumns(1600);
  for (const msPerColumn of [0.5, 5, 50, 500, 1250, 1_000_000]) {
    const read = ticks.columns(0, msPerColumn, out);
    assert.ok(read <= 8 * 1600, `${read} rows at ${msPerColumn} ms a column`);
  }
});

test("one goes from tick to tick, also of those at the same moment, and there is none beyond the ends", () => {
  const ticks = createTicks();
  assert.equal(ticks.beside({ at: 0, seq: 0 }, 1), undefined);
  for (const [at, seq] of [
    [100, 1],
    [200, 2],
    [200, 3],
    [200, 4],
    [300, 5],
  ] as const)
    ticks.add(at, seq, "content");
  const walk = (from: { at: number; seq: number }, direction: 1 | -1): number[] => {
    const next = ticks.beside(from, direction);
    return next === undefined ? [] : [next.seq, ...walk(next, direction)];
  };
  assert.deepEqual(walk({ at: 0, seq: 0 }, 1), [1, 2, 3, 4, 5]);
  assert.deepEqual(walk({ at: 900, seq: 9 }, -1), [5, 4, 3, 2, 1]);
  assert.deepEqual(walk({ at: 250, seq: 4 }, -1), [4, 3, 2, 1], "from between two");
});
