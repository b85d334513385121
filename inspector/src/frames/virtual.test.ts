import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { isAtEnd, isFollowed, MAX_HEIGHT, scrollTo, windowOf } from "./virtual.ts";

const viewports = fc.record({
  scrollTop: fc.integer({ min: 0, max: 9_000_000 }),
  height: fc.integer({ min: 50, max: 2000 }),
  rowHeight: fc.integer({ min: 16, max: 60 }),
  rows: fc.integer({ min: 0, max: 2_000_000 }),
});

test("what is drawn covers what is seen, and is no more than that and some", () => {
  fc.assert(
    fc.property(viewports, (viewport) => {
      const { first, end, offset, height } = windowOf(viewport);
      const { rows, rowHeight } = viewport;
      const top = Math.min(viewport.scrollTop, Math.max(0, height - viewport.height));
      assert.ok(first >= 0 && end <= rows && first <= end);
      assert.ok(end - first <= Math.ceil(viewport.height / rowHeight) + 18);
      assert.ok(height <= MAX_HEIGHT);
      assert.ok(offset <= top + 0.01, "nothing is missing at the top");
      const bottom = offset + (end - first) * rowHeight;
      assert.ok(bottom >= Math.min(top + viewport.height, height) - 0.01, "nothing is missing at the bottom");
    }),
  );
});

test("both ends of a very long list are reached", () => {
  const viewport = { height: 600, rowHeight: 28, rows: 3_000_000 };
  assert.equal(windowOf({ ...viewport, scrollTop: 0 }).first, 0);
  assert.equal(windowOf({ ...viewport, scrollTop: MAX_HEIGHT - 600 }).end, 3_000_000);
});

test("a row is scrolled to by the least way", () => {
  fc.assert(
    fc.property(viewports, fc.nat(), (viewport, pick) => {
      if (viewport.rows === 0) return;
      const row = pick % viewport.rows;
      const { first, end } = windowOf({ ...viewport, scrollTop: scrollTo(row, viewport), overscan: 1 });
      assert.ok(row >= first && row < end, `${row} is not in ${first}-${end}`);
    }),
  );
  assert.equal(scrollTo(5, { scrollTop: 100, height: 500, rowHeight: 20, rows: 100 }), 100, "what is seen already moves nothing");
});

test("the end is known, so that a list stays there while it grows", () => {
  assert.equal(isAtEnd({ scrollTop: 1500, height: 500, rowHeight: 20, rows: 100 }), true);
  assert.equal(isAtEnd({ scrollTop: 1400, height: 500, rowHeight: 20, rows: 100 }), false);
});

test("a list is left by scrolling up alone: rows that come meanwhile do not unstick it", () => {
  const viewport = { scrollTop: 1500, height: 500, rowHeight: 20, rows: 100 };
  assert.equal(isFollowed(true, 1000, { ...viewport, rows: 200 }), true, "more came before the event");
  assert.equal(isFollowed(true, 1501, { ...viewport, rows: 200 }), false, "scrolled up");
  assert.equal(isFollowed(true, 1510, viewport), true, "became shorter");
  assert.equal(isFollowed(false, 1000, { ...viewport, rows: 200 }), false, "scrolled down, not to the end");
  assert.equal(isFollowed(false, 1000, viewport), true, "to the end");
});
