import type { ReadonlySignal, Signal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { onColors, readColors } from "../theme/colors.ts";
import type { Lanes } from "./model.ts";
import { AXIS_HEIGHT, LANE_COLORS, ROW } from "./look.ts";
import { createPainter } from "./paint.ts";
import { beginAnew, type PlotView } from "./plot-view.ts";
import { fit, followTo, grow, resize, reveal } from "./scale.ts";

/** From this width on the labels stand beside the lanes, else over them. */
export const WIDE_PX = 720;

/** How wide the labels are beside the lanes, px. */
export const LABEL_PX = 276;

const LABELS_MS = 250;
const NEWS_MS = 50;
/** A server pauses less between the pieces of a stream that a page catches up with, ms. */
const SETTLE_MS = 1000;
/** A stream that took less is not blown up to the whole width, ms. */
const SHORTEST_MS = 400;

/** What the picture is drawn from, and into. */
export interface PictureParts {
  readonly lanes: Lanes;
  readonly now: () => number | undefined;
  readonly at: ReadonlySignal<number | undefined> | undefined;
  readonly view: PlotView;
  readonly scroller: { readonly current: HTMLDivElement | null };
  readonly canvas: { readonly current: HTMLCanvasElement | null };
  readonly width: Signal<number>;
  readonly selected: ReadonlySignal<string | undefined>;
  readonly following: Signal<boolean>;
  /** Counts up when the labels should be looked at again: four times a second. */
  readonly beat: Signal<number>;
}

/** Draws the lanes once a frame, when something has changed, while the component is shown. */
export function usePicture({ lanes, now, at, view, scroller, canvas, width, selected, following, beat }: PictureParts): void {
  useEffect(() => {
    const box = scroller.current;
    const picture = canvas.current;
    const context = picture?.getContext("2d");
    if (box === null || picture === null || context === null || context === undefined) return;
    const painter = createPainter(context, readColors(LANE_COLORS));
    const size = { width: 0, height: 0 };
    const measure = (): void => {
      // Hidden until there is a lane: no width, by which a scale would grow.
      if (box.clientWidth === 0) return;
      width.value = box.clientWidth;
      const room = Math.max(50, box.clientWidth - (box.clientWidth >= WIDE_PX ? LABEL_PX : 0));
      size.width = room;
      size.height = box.clientHeight;
      const ratio = Math.min(2, window.devicePixelRatio);
      picture.width = Math.round(room * ratio);
      picture.height = Math.round(size.height * ratio);
      picture.style.width = `${room}px`;
      picture.style.height = `${size.height}px`;
      context.setTransform(ratio, 0, 0, ratio, 0, 0);
      view.scale = resize(view.scale, room);
      view.dirty = true;
    };
    const observer = new ResizeObserver(measure);
    observer.observe(box);
    measure();
    const unwatch = onColors(() => {
      painter.setColors(readColors(LANE_COLORS));
      view.dirty = true;
    });

    /** What is over is shown whole, what goes on from where it is. */
    const firstLook = (present: number | undefined): void => {
      if (view.fitted || lanes.extent === undefined) return;
      view.fitted = true;
      view.dirty = true;
      if (present !== undefined) return;
      view.scale = fit(view.scale, lanes.extent.from, Math.max(lanes.extent.to, lanes.extent.from + SHORTEST_MS));
      following.value = false;
    };
    let frame = 0;
    let drawn = -1;
    let drawnAt: number | undefined;
    let drawnColumn = Number.NaN;
    let drawnAtMs = 0;
    let wasLive = false;
    let seen: Lanes["extent"];
    const loop = (): void => {
      frame = requestAnimationFrame(loop);
      const present = now();
      if (present !== undefined) lanes.advance(present, SETTLE_MS);
      if (beginAnew(view, seen, lanes.extent, present ?? Date.now())) following.value = true;
      seen = lanes.extent;
      firstLook(present);
      const position = at?.peek();
      if (position !== drawnAt && position !== undefined && !view.scale.follow) view.scale = reveal(view.scale, position);
      const isLive = present !== undefined;
      const { extent } = lanes;
      const followed = position ?? present ?? extent?.to ?? Date.now();
      const grown = view.chosen || extent === undefined ? view.scale : grow(view.scale, followed, extent.from);
      if (grown !== view.scale) view.dirty = true;
      view.scale = followTo(grown, followed, extent?.from);
      // The picture moves by whole columns: between two of them nothing is to be seen, but what came, and that twenty times a second.
      const column = Math.floor(view.scale.from / view.scale.msPerPx);
      const cameAgo = performance.now() - drawnAtMs;
      const hasNews = (drawn !== lanes.version || isLive) && cameAgo >= NEWS_MS;
      if (!view.dirty && column === drawnColumn && !hasNews && position === drawnAt && isLive === wasLive) return;
      drawnColumn = column;
      drawnAtMs = performance.now();
      const rowHeight = box.clientWidth >= WIDE_PX ? ROW.height : ROW.narrow;
      const scrolled = box.scrollTop;
      const first = Math.max(0, Math.floor(scrolled / rowHeight));
      painter.paint({
        rows: lanes.list(),
        scale: view.scale,
        first,
        count: Math.ceil(size.height / rowHeight) + 1,
        offset: AXIS_HEIGHT + first * rowHeight - scrolled,
        rowHeight,
        laneTop: rowHeight - ROW.height,
        height: size.height,
        origin: extent?.from ?? present ?? Date.now(),
        now: present,
        at: position,
        selected: selected.peek(),
      });
      drawn = lanes.version;
      drawnAt = position;
      wasLive = isLive;
      view.dirty = false;
    };
    frame = requestAnimationFrame(loop);
    const timer = setInterval(() => {
      beat.value += 1;
    }, LABELS_MS);
    return () => {
      cancelAnimationFrame(frame);
      clearInterval(timer);
      observer.disconnect();
      unwatch();
    };
  }, [lanes, now, at, view, scroller, canvas, width, selected, following, beat]);
}
