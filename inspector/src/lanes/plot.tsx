import { type ReadonlySignal, useSignal } from "@preact/signals";
import type { VNode } from "preact";
import { useEffect, useMemo, useRef } from "preact/hooks";
import type { StreamEntry } from "../../../src/lib/model/api.ts";
import { onColors, readColors } from "../theme/colors.ts";
import type { Lane } from "./lane.ts";
import { Labels } from "./labels.tsx";
import { LaneTable } from "./lane-table.tsx";
import { Legend } from "./legend.tsx";
import type { Lanes } from "./model.ts";
import { AXIS_HEIGHT, createPainter, LANE_COLORS, type LaneColors, type Painter, ROW } from "./paint.ts";
import { type Found, pick } from "./pick.ts";
import { createScale, fit, followTo, pan, resize, reveal, type Scale, setFollow, zoom } from "./scale.ts";
import { Tip } from "./tip.tsx";
import "./lanes.css";

/** What the lanes are drawn from. */
export interface PlotProps {
  readonly lanes: Lanes;
  /** Counts up when entries came. */
  readonly version: ReadonlySignal<number>;
  /** The present by the clock of the entries; undefined where nothing goes on. */
  readonly now: () => number | undefined;
  /** The moment that a replay shows, by the same clock. */
  readonly at?: ReadonlySignal<number | undefined>;
  /** The entry itself, if it is at hand. */
  readonly entryOf: (task: string, seq: number) => StreamEntry | undefined;
  /** A person picked an entry. */
  readonly onPick: (lane: Lane, seq: number) => void;
  /** Where a lane's task is. */
  readonly hrefOf: (lane: Lane) => string;
}

/** From this width on the labels stand beside the lanes, else over them. */
const WIDE_PX = 720;
const LABEL_PX = 248;
const LABELS_MS = 250;

/** All lanes in one canvas, drawn once a frame, with labels, numbers and what is under the pointer over it. */
export function LanesPlot(props: PlotProps): VNode {
  const { lanes, version, now, at, entryOf, onPick, hrefOf } = props;
  const scroller = useRef<HTMLDivElement>(null);
  const canvas = useRef<HTMLCanvasElement>(null);
  const following = useSignal(true);
  const asTable = useSignal(false);
  const width = useSignal(0);
  const top = useSignal(0);
  const beat = useSignal(0);
  const selected = useSignal<string | undefined>(undefined);
  const found = useSignal<Found | undefined>(undefined);
  const view = useMemo(() => ({ scale: createScale(now() ?? Date.now(), 800) as Scale, dirty: true, fitted: false }), [now]);

  void beat.value;
  const rows = lanes.list();
  const isWide = width.value === 0 || width.value >= WIDE_PX;
  const rowHeight = isWide ? ROW.height : ROW.narrow;
  const laneTop = isWide ? 0 : ROW.narrow - ROW.height;
  const labelWidth = isWide ? LABEL_PX : 0;

  const change = (scale: Scale): void => {
    view.scale = scale;
    view.dirty = true;
    view.fitted = true;
    following.value = scale.follow;
  };
  const fitAll = (): void => {
    const { extent } = lanes;
    if (extent !== undefined) change(fit(view.scale, extent.from, Math.max(extent.to, now() ?? 0)));
  };
  const follow = (wanted: boolean): void => change(setFollow(view.scale, wanted, now() ?? lanes.extent?.to ?? Date.now()));

  useEffect(() => {
    const box = scroller.current;
    const picture = canvas.current;
    const context = picture?.getContext("2d");
    if (box === null || picture === null || context === null || context === undefined) return;
    const colors = (): LaneColors => readColors(LANE_COLORS) as LaneColors;
    const painter: Painter = createPainter(context, colors());
    const size = { width: 0, height: 0 };
    const measure = (): void => {
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
      view.scale = followTo(resize(view.scale, room), now() ?? lanes.extent?.to ?? Date.now());
      view.dirty = true;
    };
    const observer = new ResizeObserver(measure);
    observer.observe(box);
    measure();
    const unwatch = onColors(() => {
      painter.setColors(colors());
      view.dirty = true;
    });
    let frame = 0;
    let drawn = -1;
    let drawnAt: number | undefined;
    const loop = (): void => {
      frame = requestAnimationFrame(loop);
      const present = now();
      if (present !== undefined) lanes.advance(present);
      if (!view.fitted && lanes.extent !== undefined) {
        // What is over is shown whole, what goes on from where it is.
        view.fitted = true;
        if (present === undefined) {
          view.scale = fit(view.scale, lanes.extent.from, lanes.extent.to);
          following.value = false;
        }
        view.dirty = true;
      }
      const position = at?.peek();
      if (position !== drawnAt && position !== undefined && !view.scale.follow) view.scale = reveal(view.scale, position);
      const moves = present !== undefined && view.scale.follow && position === undefined;
      if (!moves && !view.dirty && drawn === lanes.version && position === drawnAt) return;
      if (view.scale.follow) view.scale = followTo(view.scale, position ?? present ?? lanes.extent?.to ?? Date.now(), lanes.extent?.from);
      const height = size.width >= WIDE_PX - LABEL_PX && box.clientWidth >= WIDE_PX ? ROW.height : ROW.narrow;
      const list = lanes.list();
      const scrolled = box.scrollTop;
      const first = Math.max(0, Math.floor(scrolled / height));
      painter.paint({
        rows: list,
        scale: view.scale,
        first,
        count: Math.ceil(size.height / height) + 1,
        offset: AXIS_HEIGHT + first * height - scrolled,
        rowHeight: height,
        laneTop: height - ROW.height,
        height: size.height,
        origin: lanes.extent?.from ?? present ?? Date.now(),
        now: present,
        at: position,
        selected: selected.peek(),
      });
      drawn = lanes.version;
      drawnAt = position;
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
  }, [lanes, now, at, view, beat, following, selected, width]);

  // Labels of new lanes at once, not with the next beat.
  const known = useRef(0);
  if (version.value >= 0 && known.current !== rows.length) known.current = rows.length;

  const pickAt = (event: { readonly clientX: number; readonly clientY: number }): Found | undefined => {
    const box = canvas.current?.getBoundingClientRect();
    if (box === undefined) return undefined;
    const x = event.clientX - box.left;
    const y = event.clientY - box.top - AXIS_HEIGHT + (scroller.current?.scrollTop ?? 0);
    if (x < 0 || event.clientY - box.top < AXIS_HEIGHT) return undefined;
    const row = rows[Math.floor(y / rowHeight)];
    return row === undefined ? undefined : pick(row.lane, view.scale, x, event.clientY - box.top);
  };

  useGestures({
    target: canvas,
    view: () => view.scale,
    change,
    hover: (event) => {
      found.value = event === undefined ? undefined : pickAt(event);
    },
    press: (event) => {
      const hit = pickAt(event);
      if (hit === undefined) return;
      selected.value = hit.lane.id;
      view.dirty = true;
      if (hit.seq !== undefined) onPick(hit.lane, hit.seq);
    },
  });

  const step = (direction: 1 | -1): void => {
    const lane = rows.find((row) => row.lane.id === selected.peek())?.lane ?? rows[0]?.lane;
    if (lane === undefined) return;
    selected.value = lane.id;
    const from = found.peek()?.lane.id === lane.id ? (found.peek()?.at ?? 0) : direction > 0 ? lane.startedAt - 1 : lane.lastAt + 1;
    const tick = lane.ticks.beside(from, direction);
    if (tick === undefined) return;
    change(reveal(view.scale, tick.at));
    const place = rows.findIndex((row) => row.lane.id === lane.id) * rowHeight - (scroller.current?.scrollTop ?? 0);
    found.value = { lane, at: tick.at, seq: tick.seq, label: tick.kind, x: (tick.at - view.scale.from) / view.scale.msPerPx, y: AXIS_HEIGHT + place + laneTop };
  };
  const select = (steps: number): void => {
    const index = rows.findIndex((row) => row.lane.id === selected.peek());
    const next = Math.min(rows.length - 1, Math.max(0, index + steps));
    selected.value = rows[next]?.lane.id;
    view.dirty = true;
    const box = scroller.current;
    if (box === null) return;
    const above = next * rowHeight;
    if (above < box.scrollTop) box.scrollTop = above;
    else if (above + rowHeight > box.scrollTop + box.clientHeight - AXIS_HEIGHT) box.scrollTop = above + rowHeight - box.clientHeight + AXIS_HEIGHT;
  };
  const press = (event: KeyboardEvent): void => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const { scale } = view;
    const middle = scale.width / 2;
    const actions: Readonly<Record<string, () => void>> = {
      ArrowLeft: () => (event.shiftKey ? step(-1) : change(pan(scale, scale.width / 8))),
      ArrowRight: () => (event.shiftKey ? step(1) : change(pan(scale, -scale.width / 8))),
      ArrowUp: () => select(-1),
      ArrowDown: () => select(1),
      "+": () => change(zoom(scale, middle, 1.5)),
      "=": () => change(zoom(scale, middle, 1.5)),
      "-": () => change(zoom(scale, middle, 1 / 1.5)),
      f: () => follow(!scale.follow),
      Home: fitAll,
      End: () => follow(true),
      Enter: () => {
        const hit = found.peek();
        if (hit?.seq !== undefined) onPick(hit.lane, hit.seq);
      },
      Escape: () => (found.value = undefined),
    };
    const action = actions[event.key];
    if (action === undefined) return;
    action();
    event.preventDefault();
    event.stopPropagation();
  };

  return (
    <section class="lanes" aria-label="Lanes">
      <div class="lanes-bar">
        <button type="button" aria-pressed={following.value} onClick={() => follow(!following.value)} title="F">
          Follow
        </button>
        <button type="button" class="icon" aria-label="Zoom in" title="+" onClick={() => change(zoom(view.scale, view.scale.width / 2, 1.6))}>
          +
        </button>
        <button type="button" class="icon" aria-label="Zoom out" title="−" onClick={() => change(zoom(view.scale, view.scale.width / 2, 1 / 1.6))}>
          −
        </button>
        <button type="button" onClick={fitAll} title="Home">
          All
        </button>
        <button type="button" aria-pressed={asTable.value} onClick={() => (asTable.value = !asTable.value)}>
          Table
        </button>
        <Legend />
      </div>
      {asTable.value && <LaneTable rows={rows} hrefOf={hrefOf} />}
      <div
        ref={scroller}
        class="lanes-plot"
        hidden={asTable.value}
        role="group"
        tabIndex={0}
        aria-label={`Timeline of ${rows.length} ${rows.length === 1 ? "lane" : "lanes"}. Arrows move, plus and minus zoom, F follows, Shift and arrows go from token to token, Enter opens one. The button Table gives the numbers.`}
        style={{ height: `${AXIS_HEIGHT + Math.max(1, rows.length) * rowHeight + 2}px` }}
        onKeyDown={press}
        onScroll={() => {
          top.value = scroller.current?.scrollTop ?? 0;
          view.dirty = true;
          found.value = undefined;
        }}
      >
        <div class="lanes-space" style={{ height: `${AXIS_HEIGHT + rows.length * rowHeight}px` }}>
          <div class="lanes-still">
            <canvas ref={canvas} style={{ left: `${labelWidth}px` }} />
            <Labels
              rows={rows}
              top={top.value}
              rowHeight={rowHeight}
              height={scroller.current?.clientHeight ?? 600}
              isWide={isWide}
              selected={selected.value}
              hrefOf={hrefOf}
            />
            {found.value !== undefined && (
              <Tip found={found.value} left={labelWidth} width={width.value} origin={lanes.extent?.from ?? 0} entry={entryFor(found.value, entryOf)} />
            )}
          </div>
        </div>
      </div>
    </section>
  );
}

function entryFor({ lane, seq }: Found, entryOf: PlotProps["entryOf"]): StreamEntry | undefined {
  return seq === undefined ? undefined : entryOf(lane.task, seq);
}

interface Gestures {
  readonly target: { readonly current: HTMLCanvasElement | null };
  readonly view: () => Scale;
  readonly change: (scale: Scale) => void;
  readonly hover: (event: PointerEvent | undefined) => void;
  readonly press: (event: PointerEvent) => void;
}

/** Drag moves, two fingers and Ctrl with the wheel zoom, a sideways wheel moves, a click picks. */
function useGestures(given: Gestures): void {
  const latest = useRef(given);
  latest.current = given;
  useEffect(() => {
    const { target } = latest.current;
    const canvas = target.current;
    if (canvas === null) return;
    const fingers = new Map<number, { readonly x: number; readonly startX: number; readonly startY: number }>();
    let moved = false;
    const left = (): number => canvas.getBoundingClientRect().left;
    const down = (event: PointerEvent): void => {
      if (event.button !== 0) return;
      moved = false;
      fingers.set(event.pointerId, { x: event.clientX, startX: event.clientX, startY: event.clientY });
    };
    const move = (event: PointerEvent): void => {
      const { view, change, hover } = latest.current;
      const finger = fingers.get(event.pointerId);
      if (finger === undefined) return hover(event);
      const by = event.clientX - finger.x;
      if (!moved && Math.abs(event.clientX - finger.startX) < 4) return;
      if (!moved) canvas.setPointerCapture(event.pointerId);
      moved = true;
      hover(undefined);
      const other = [...fingers.entries()].find(([id]) => id !== event.pointerId)?.[1];
      if (other === undefined) change(pan(view(), by));
      else {
        const before = Math.max(20, Math.abs(finger.x - other.x));
        const after = Math.max(20, Math.abs(event.clientX - other.x));
        change(zoom(view(), other.x - left(), after / before));
      }
      fingers.set(event.pointerId, { ...finger, x: event.clientX });
    };
    const up = (event: PointerEvent): void => {
      if (!fingers.delete(event.pointerId)) return;
      if (!moved && event.type === "pointerup") latest.current.press(event);
    };
    const leave = (): void => latest.current.hover(undefined);
    const wheel = (event: WheelEvent): void => {
      const { view, change } = latest.current;
      if (event.ctrlKey || event.metaKey) change(zoom(view(), event.clientX - left(), Math.exp(-event.deltaY / 200)));
      else if (event.shiftKey || Math.abs(event.deltaX) > Math.abs(event.deltaY))
        change(pan(view(), -(event.shiftKey && event.deltaX === 0 ? event.deltaY : event.deltaX)));
      else return;
      event.preventDefault();
    };
    canvas.addEventListener("pointerdown", down);
    canvas.addEventListener("pointermove", move);
    canvas.addEventListener("pointerup", up);
    canvas.addEventListener("pointercancel", up);
    canvas.addEventListener("pointerleave", leave);
    canvas.addEventListener("wheel", wheel, { passive: false });
    return () => {
      canvas.removeEventListener("pointerdown", down);
      canvas.removeEventListener("pointermove", move);
      canvas.removeEventListener("pointerup", up);
      canvas.removeEventListener("pointercancel", up);
      canvas.removeEventListener("pointerleave", leave);
      canvas.removeEventListener("wheel", wheel);
    };
  }, []);
}
