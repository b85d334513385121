import { type ReadonlySignal, useSignal } from "@preact/signals";
import type { VNode } from "preact";
import { useMemo, useRef } from "preact/hooks";
import type { StreamEntry } from "../../../src/lib/model/api.ts";
import type { Lane } from "./lane.ts";
import { Labels } from "./labels.tsx";
import { LaneTable } from "./lane-table.tsx";
import { Legend } from "./legend.tsx";
import type { Lanes } from "./model.ts";
import { useGestures } from "./gestures.ts";
import { AXIS_HEIGHT, ROW } from "./look.ts";
import { beside, type Found, pick } from "./pick.ts";
import { createPlotView, type PlotView } from "./plot-view.ts";
import { fit, pan, reveal, type Scale, setFollow, toPx, toTime, zoom } from "./scale.ts";
import { Tip } from "./tip.tsx";
import { toldRows } from "./told.ts";
import { LABEL_PX, usePicture, WIDE_PX } from "./use-picture.ts";
import "./lanes.css";

/** What the lanes are drawn from. */
export interface PlotProps {
  readonly lanes: Lanes;
  /** The present by the clock of the entries; undefined where nothing goes on. */
  readonly now: () => number | undefined;
  /** The moment that a replay shows, by the same clock: the picture after it is dimmed. */
  readonly at?: ReadonlySignal<number | undefined>;
  /** The lanes as they were at a moment: then the names and numbers are theirs. */
  readonly past?: (time: number) => Lanes;
  /** The entry itself, if it is at hand. */
  readonly entryOf: (task: string, seq: number) => StreamEntry | undefined;
  /** A person picked an entry. */
  readonly onPick: (lane: Lane, seq: number) => void;
  /** A person pressed the axis: a replay goes there. */
  readonly onSeek?: (time: number) => void;
  /** Where a lane's task is. */
  readonly hrefOf: (lane: Lane) => string;
}

/** All lanes in one canvas, drawn once a frame, with labels, numbers and what is under the pointer over it. */
export function LanesPlot(props: PlotProps): VNode {
  const { lanes, now, at, past, entryOf, onPick, onSeek, hrefOf } = props;
  const scroller = useRef<HTMLDivElement>(null);
  const canvas = useRef<HTMLCanvasElement>(null);
  const following = useSignal(true);
  const asTable = useSignal(false);
  const width = useSignal(0);
  const top = useSignal(0);
  const beat = useSignal(0);
  const selected = useSignal<string | undefined>(undefined);
  const found = useSignal<Found | undefined>(undefined);
  const view: PlotView = useMemo(() => createPlotView(now() ?? Date.now()), [now]);

  void beat.value;
  const rows = lanes.list();
  // Four times a second, like all numbers here.
  const moment = at?.peek();
  const told = toldRows(rows, { past: moment === undefined ? undefined : past?.(moment), isHeard: now() !== undefined });
  const isWide = width.value === 0 || width.value >= WIDE_PX;
  const rowHeight = isWide ? ROW.height : ROW.narrow;
  const laneTop = isWide ? 0 : ROW.narrow - ROW.height;
  const labelWidth = isWide ? LABEL_PX : 0;

  const change = (scale: Scale): void => {
    view.scale = scale;
    view.dirty = true;
    view.fitted = true;
    view.chosen = true;
    following.value = scale.follow;
  };
  const fitAll = (): void => {
    const { extent } = lanes;
    if (extent !== undefined) change(fit(view.scale, extent.from, Math.max(extent.to, now() ?? 0)));
  };
  const follow = (wanted: boolean): void => change(setFollow(view.scale, wanted, now() ?? lanes.extent?.to ?? Date.now()));

  usePicture({ lanes, now, at, view, scroller, canvas, width, selected, following, beat });

  const pickAt = (event: { readonly clientX: number; readonly clientY: number }): Found | undefined => {
    const box = canvas.current?.getBoundingClientRect();
    if (box === undefined) return undefined;
    const x = event.clientX - box.left;
    const y = event.clientY - box.top - AXIS_HEIGHT + (scroller.current?.scrollTop ?? 0);
    if (x < 0 || event.clientY - box.top < AXIS_HEIGHT) return undefined;
    const row = rows[Math.floor(y / rowHeight)];
    return row === undefined ? undefined : pick(row.lane, view.scale, x, event.clientY - box.top);
  };

  /** The time that was pressed, where that was on the axis. */
  const timeOnAxis = (event: { readonly clientX: number; readonly clientY: number }): number | undefined => {
    const box = canvas.current?.getBoundingClientRect();
    return box === undefined || event.clientY - box.top >= AXIS_HEIGHT ? undefined : toTime(view.scale, event.clientX - box.left);
  };

  useGestures({
    target: canvas,
    view: () => view.scale,
    change,
    hover: (event) => {
      found.value = event === undefined ? undefined : pickAt(event);
    },
    press: (event) => {
      const time = timeOnAxis(event);
      if (time !== undefined) return onSeek?.(time);
      const hit = pickAt(event);
      const before = found.peek();
      // A finger cannot hover: its first tap shows what is there, the second opens it.
      if (event.pointerType !== "mouse") found.value = hit;
      if (hit === undefined) return;
      selected.value = hit.lane.id;
      view.dirty = true;
      const isShown = event.pointerType === "mouse" || (before?.lane.id === hit.lane.id && before.seq === hit.seq);
      if (hit.seq !== undefined && isShown) onPick(hit.lane, hit.seq);
    },
  });

  const step = (direction: 1 | -1): void => {
    const lane = rows.find((row) => row.lane.id === selected.peek())?.lane ?? rows[0]?.lane;
    if (lane === undefined) return;
    selected.value = lane.id;
    const here = found.peek();
    const start = direction > 0 ? { at: lane.startedAt - 1, seq: 0 } : { at: lane.lastAt + 1, seq: Number.MAX_SAFE_INTEGER };
    const next = beside(lane, here?.lane.id === lane.id ? { at: here.at, seq: here.seq ?? 0 } : start, direction);
    if (next === undefined) return;
    change(reveal(view.scale, next.at));
    const place = rows.findIndex((row) => row.lane.id === lane.id) * rowHeight - (scroller.current?.scrollTop ?? 0);
    found.value = { lane, at: next.at, seq: next.seq, label: next.label, x: toPx(view.scale, next.at), y: AXIS_HEIGHT + place + laneTop };
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
      {asTable.value && <LaneTable rows={told} hrefOf={hrefOf} />}
      <div
        ref={scroller}
        class="lanes-plot"
        hidden={asTable.value}
        role="group"
        tabIndex={0}
        aria-label={`Timeline of ${rows.length} ${rows.length === 1 ? "lane" : "lanes"}. Arrows move, plus and minus zoom, F follows, Shift and arrows go from entry to entry, Enter opens one. The button Table gives the numbers.`}
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
              rows={told}
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
