import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { axisOf, createScale, grow, endOf, fit, followTo, pan, resize, reveal, type Scale, setFollow, spanText, toPx, toTime, zoom } from "./scale.ts";

const NOW = 1_700_000_000_000;
const scales: fc.Arbitrary<Scale> = fc.record({
  from: fc.integer({ min: NOW - 1e7, max: NOW + 1e7 }),
  msPerPx: fc.double({ min: 0.1, max: 1000, noNaN: true }),
  width: fc.integer({ min: 100, max: 4000 }),
  follow: fc.constant(false),
});

test("a time goes to a place and back", () => {
  fc.assert(fc.property(scales, fc.integer({ min: 0, max: 4000 }), (scale, px) => Math.abs(toPx(scale, toTime(scale, px)) - px) < 0.01));
});

test("zooming keeps what is under the pointer where it is", () => {
  fc.assert(
    fc.property(scales, fc.integer({ min: 0, max: 4000 }), fc.double({ min: 0.2, max: 5, noNaN: true }), (scale, px, factor) => {
      const at = toTime(scale, px);
      return Math.abs(toPx(zoom(scale, px, factor), at) - px) < 0.05;
    }),
  );
});

test("a scale that follows keeps the present at the right edge, also when it is zoomed or resized", () => {
  let scale = createScale(NOW, 1000);
  const present = toPx(scale, NOW);
  assert.equal(Math.round(present), 976);
  scale = followTo(scale, NOW + 500);
  assert.equal(Math.round(toPx(scale, NOW + 500)), 976);
  assert.equal(Math.round(toPx(zoom(scale, 10, 3), NOW + 500)), 976);
  const wide = resize(scale, 1500);
  assert.equal(Math.round(endOf(wide)), Math.round(endOf(scale)));
});

test("a young stream begins at the left, and the present moves until it is at the right edge", () => {
  const scale = createScale(NOW, 1000, 30_000);
  assert.equal(Math.round(toPx(followTo(scale, NOW + 3000, NOW), NOW)), 24);
  assert.equal(Math.round(toPx(followTo(scale, NOW + 3000, NOW), NOW + 3000)), 124);
  assert.equal(Math.round(toPx(followTo(scale, NOW + 60_000, NOW), NOW + 60_000)), 976);
});

test("panning ends following, and following begins again on request", () => {
  const scale = pan(createScale(NOW, 1000), 100);
  assert.equal(scale.follow, false);
  assert.equal(followTo(scale, NOW + 9000), scale);
  assert.equal(Math.round(toPx(setFollow(scale, true, NOW + 9000), NOW + 9000)), 976);
});

test("all of a stretch fits", () => {
  const scale = fit(createScale(NOW, 800), NOW - 5000, NOW);
  assert.equal(Math.round(toPx(scale, NOW - 5000)), 24);
  assert.equal(Math.round(toPx(scale, NOW)), 776);
});

test("a moment outside is brought to the middle, one inside moves nothing", () => {
  const scale = fit(createScale(NOW, 800), NOW - 5000, NOW);
  assert.equal(reveal(scale, NOW - 100), scale);
  assert.equal(Math.round(toPx(reveal(scale, NOW + 60_000), NOW + 60_000)), 400);
});

test("the axis has round distances from the beginning and never crowds", () => {
  fc.assert(
    fc.property(scales, (scale) => {
      const lines = axisOf(scale, NOW);
      return lines.every(({ px }, index) => index === 0 || px - (lines[index - 1]?.px ?? 0) >= 89.9) && lines.length <= scale.width / 89 + 1;
    }),
  );
  const lines = axisOf({ from: NOW - 500, msPerPx: 10, width: 500, follow: false }, NOW);
  assert.deepEqual(
    lines.map(({ label }) => label),
    ["0 s", "1 s", "2 s", "3 s", "4 s"],
  );
});

test("spans are said as people read them", () => {
  assert.equal(spanText(320, 1), "320 ms");
  assert.equal(spanText(1250, 10), "1.25 s");
  assert.equal(spanText(125_000, 1000), "2:05");
  assert.equal(spanText(3_725_000, 1000), "1:02:05");
  assert.equal(spanText(-2000, 1000), "−2 s");
});

test("a stream that begins fills the screen, which takes in more in steps until it scrolls; whoever does not follow is left alone", () => {
  let scale = createScale(1000, 1000);
  const widths = new Set<number>();
  for (let now = 1000; now < 200_000; now += 100) {
    scale = followTo(grow(scale, now, 1000), now, 1000);
    widths.add(scale.msPerPx);
    assert.ok(toPx(scale, now) <= 1000, "the present is on the screen");
    if (now < 30_000) assert.ok(toPx(scale, 1000) >= 0, "and so is the beginning");
  }
  assert.deepEqual([...widths], [8, 16, 32]);
  const still = pan(createScale(1000, 1000), 10);
  assert.equal(grow(still, 1_000_000, 0), still);
});
