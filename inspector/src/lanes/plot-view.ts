import type { Lanes } from "./model.ts";
import { createScale, resize, type Scale } from "./scale.ts";

/** What of a plot changes without Preact: the stretch on the screen, and whether it must be drawn anew. */
export interface PlotView {
  scale: Scale;
  dirty: boolean;
  /** Somebody, or the first look, has chosen the stretch. */
  fitted: boolean;
  /** Somebody has: it does not grow by itself any more. */
  chosen: boolean;
}

/** The picture's width until it is measured, px: with it a pixel is 10 ms. */
const FIRST_PX = 800;

/** The view before the first look, which follows the present. */
export function createPlotView(now: number): PlotView {
  return { scale: createScale(now, FIRST_PX), dirty: true, fitted: false, chosen: false };
}

/**
 * Where all that was seen `before` is gone (a server with another log, lanes that made room), what comes is shown as on a first look; a stretch that somebody has
 * chosen stays. True if the view begins anew.
 */
export function beginAnew(view: PlotView, before: Lanes["extent"], after: Lanes["extent"], now: number): boolean {
  // In a hidden tab the new may have come before anything was looked at.
  const isGone = before !== undefined && (after === undefined || after.from > before.to);
  if (!isGone || view.chosen) return false;
  const first = createPlotView(now);
  Object.assign(view, first, { scale: resize(first.scale, view.scale.width) });
  return true;
}
