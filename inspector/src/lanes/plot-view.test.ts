import assert from "node:assert/strict";
import { test } from "node:test";
import { beginAnew, createPlotView } from "./plot-view.ts";
import { followTo, grow, resize, zoom } from "./scale.ts";

const NOW = 1_700_000_000_000;

/** A view that has been looked at for a minute. */
function grown() {
  const view = createPlotView(NOW);
  view.scale = resize(view.scale, 1200);
  for (let at = NOW; at < NOW + 60_000; at += 1000) view.scale = followTo(grow(view.scale, at, NOW), at, NOW);
  return Object.assign(view, { fitted: true, dirty: false });
}

test("when all lanes are gone the view begins as on a first look, in the width that it has", () => {
  const view = grown();
  assert.equal(view.scale.msPerPx, 40);
  const later = NOW + 61_000;
  assert.equal(beginAnew(view, { from: NOW, to: NOW + 60_000 }, undefined, later), true);
  const first = createPlotView(later);
  assert.deepEqual(view, { ...first, scale: resize(first.scale, 1200) });
  assert.equal(beginAnew(view, undefined, undefined, later), false, "once");
});

test("lanes that all came after those that were seen are a new beginning, too; while one is left it is none", () => {
  const before = { from: NOW, to: NOW + 60_000 };
  assert.equal(beginAnew(grown(), before, { from: NOW + 62_000, to: NOW + 62_500 }, NOW + 63_000), true);
  assert.equal(beginAnew(grown(), before, { from: NOW + 30_000, to: NOW + 62_500 }, NOW + 63_000), false);
  assert.equal(beginAnew(grown(), undefined, { from: NOW, to: NOW }, NOW), false, "a first look is none");
});

test("a stretch that somebody has chosen stays when all lanes are gone", () => {
  const view = grown();
  view.scale = zoom(view.scale, 600, 3);
  view.chosen = true;
  const { scale } = view;
  assert.equal(beginAnew(view, { from: NOW, to: NOW + 60_000 }, undefined, NOW + 61_000), false);
  assert.deepEqual([view.scale, view.fitted], [scale, true]);
});
