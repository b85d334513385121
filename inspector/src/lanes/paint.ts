import type { ColorName } from "../theme/colors.ts";
import { type Columns, createColumns } from "./level-of-detail.ts";
import type { LaneRow } from "./model.ts";
import { paintElsewhere, paintMark } from "./paint-marks.ts";
import { AXIS_HEIGHT, type LaneColors, ROW } from "./look.ts";
import { PHASES } from "./phases.ts";
import { axisOf, type Scale, toPx } from "./scale.ts";

/** What is drawn. */
export interface Picture {
  readonly rows: readonly LaneRow[];
  readonly scale: Scale;
  /** The first row that is seen, how many, and where the first one's top is, px from the top of the plot. */
  readonly first: number;
  readonly count: number;
  readonly offset: number;
  readonly rowHeight: number;
  /** Where in a row the lane begins: below its label where the label lies over it. */
  readonly laneTop: number;
  /** Of the whole canvas, px. */
  readonly height: number;
  /** Where the axis counts from. */
  readonly origin: number;
  /** The present by the clock of the entries; undefined where nothing goes on. */
  readonly now: number | undefined;
  /** The moment that a replay shows: what is after it is dimmed. */
  readonly at: number | undefined;
  readonly selected: string | undefined;
}

/** Draws pictures into one canvas. */
export interface Painter {
  /** Draws all of `picture`; returns nothing and keeps nothing of it. */
  paint(picture: Picture): void;
  setColors(colors: LaneColors): void;
}

/** A painter for `context`, whose unit is a CSS pixel. */
export function createPainter(context: CanvasRenderingContext2D, given: LaneColors): Painter {
  let colors = given;
  let columns: Columns = createColumns(1);
  /** The highest rate of all lanes that were drawn last: all lines have the same scale. */
  let topRate = 1;

  const paintPhases = ({ lane }: LaneRow, scale: Scale, top: number, until: number): void => {
    let last = -1;
    lane.phases.between(scale.from, until, (from, to, code) => {
      const phase = PHASES[code];
      if (phase === undefined || phase.height === 0) return;
      const left = toPx(scale, from);
      const right = toPx(scale, to);
      // Many short phases in one pixel are one.
      if (right < last + 0.5) return;
      last = right;
      const height = ROW.band * phase.height;
      const color = colors[phase.token.slice(2) as ColorName];
      context.globalAlpha = 0.24;
      context.fillStyle = color;
      context.fillRect(left, top + ROW.band - height, Math.max(1, right - left), height);
      context.globalAlpha = 0.9;
      context.fillRect(left, top + ROW.band - 2, Math.max(1, right - left), 2);
    });
    context.globalAlpha = 1;
  };

  const paintHeat = ({ lane }: LaneRow, scale: Scale, top: number, now: number | undefined): void => {
    const present = now === undefined ? undefined : lane.silence(now);
    const heat = (from: number, to: number, amount: number): void => {
      const left = toPx(scale, from);
      const right = toPx(scale, to);
      if (right < 0 || left > scale.width || right - left < 0.75) return;
      context.fillStyle = amount >= 0.85 ? colors["phase-stalled"] : colors["phase-slow"];
      context.globalAlpha = 0.12 + 0.5 * amount;
      context.fillRect(left, top, right - left, ROW.band);
    };
    for (let index = lane.silences.length - 1; index >= 0; index -= 1) {
      const silence = lane.silences[index];
      if (silence === undefined || silence.to < scale.from) break;
      heat(silence.from, silence.to, silence.heat);
    }
    if (present !== undefined) heat(present.from, present.to, present.heat);
    context.globalAlpha = 1;
  };

  const paintTicks = ({ lane }: LaneRow, scale: Scale, top: number): void => {
    const width = Math.ceil(scale.width);
    if (columns.counts.length !== width) columns = createColumns(width);
    lane.ticks.columns(scale.from, scale.msPerPx, columns);
    const { counts, reasoning, peak } = columns;
    if (peak === 0) return;
    // Far apart a tick of one pixel is lost between them.
    if (scale.msPerPx < 5) {
      for (let column = width - 1; column > 0; column -= 1) {
        if (counts[column] !== 0) continue;
        counts[column] = counts[column - 1] ?? 0;
        reasoning[column] = reasoning[column - 1] ?? 0;
      }
    }
    const bottom = top + ROW.band;
    const heightOf = (column: number, kind: "content" | "reasoning"): number => {
      const count = counts[column] ?? 0;
      if (count === 0 || 2 * (reasoning[column] ?? 0) > count !== (kind === "reasoning")) return 0;
      // In quarters: what is finer is not seen, and costs a corner of the path.
      return peak <= 1 ? ROW.band : ROW.band * (0.4 + 0.15 * Math.ceil((4 * count) / peak));
    };
    for (const kind of ["content", "reasoning"] as const) {
      // One path a lane: a rectangle a token costs ten times as much.
      context.beginPath();
      let height = 0;
      context.moveTo(0, bottom);
      for (let column = 0; column <= width; column += 1) {
        const next = column === width ? 0 : heightOf(column, kind);
        if (next === height) continue;
        context.lineTo(column, bottom - height);
        context.lineTo(column, bottom - next);
        height = next;
      }
      context.fillStyle = kind === "content" ? colors["phase-generating"] : colors["phase-prefill"];
      context.fill();
    }
  };

  const paintRate = ({ lane }: LaneRow, scale: Scale, top: number, until: number): number => {
    // Within a second there is no rate by the second.
    if (scale.width * scale.msPerPx < 3000) return 0;
    const bottom = top + ROW.rate;
    let most = 0;
    let end: number | undefined;
    let rate = 0;
    context.beginPath();
    lane.ticks.rates(scale.from, scale.from + scale.width * scale.msPerPx, 3 * scale.msPerPx, (at, perSecond, ms) => {
      // A bucket begins before the lane does, and goes on beyond the present: of one that has hardly begun nothing can be told yet.
      const begin = Math.max(at, lane.startedAt);
      const over = Math.min(at + ms, until);
      if (over - begin >= ms / 4 || end === undefined) rate = (perSecond * ms) / Math.max(over - begin, ms / 4);
      most = Math.max(most, rate);
      const left = toPx(scale, begin);
      const right = toPx(scale, over);
      const y = bottom - Math.min(1, rate / topRate) * ROW.rate;
      if (end === undefined || left > end + 0.5) {
        if (end !== undefined) context.lineTo(end, bottom);
        context.moveTo(left, bottom);
      }
      context.lineTo(left, y);
      context.lineTo(right, y);
      end = right;
    });
    if (end !== undefined) context.lineTo(end, bottom);
    context.globalAlpha = 0.18;
    context.fillStyle = colors.muted;
    context.fill();
    context.globalAlpha = 0.75;
    context.strokeStyle = colors.muted;
    context.lineWidth = 1;
    context.stroke();
    context.globalAlpha = 1;
    return most;
  };

  const paintMarks = ({ lane }: LaneRow, scale: Scale, top: number): void => {
    let last = Number.NEGATIVE_INFINITY;
    for (const mark of lane.marks) {
      const x = Math.round(toPx(scale, mark.at));
      if (x < -8 || x > scale.width + 8) continue;
      // Signs that lie on each other are one; ends and failures are always seen.
      if (x - last < 4 && mark.kind !== "failed" && mark.kind !== "end" && mark.kind !== "first-token") continue;
      last = x;
      paintMark(context, mark, x, top, colors);
    }
  };

  return {
    setColors(next) {
      colors = next;
    },
    paint(picture) {
      // To whole columns, so that a picture which follows the present moves by whole pixels and does not shimmer.
      const from = Math.floor(picture.scale.from / picture.scale.msPerPx) * picture.scale.msPerPx;
      const scale = { ...picture.scale, from };
      const { rows, first, count, offset, rowHeight, laneTop, now, at, height } = picture;
      context.clearRect(0, 0, scale.width, height);
      paintAxis(context, { ...picture, scale }, colors);
      context.save();
      context.beginPath();
      context.rect(0, AXIS_HEIGHT, scale.width, height - AXIS_HEIGHT);
      context.clip();
      let most = 0;
      for (let index = first; index < Math.min(rows.length, first + count); index += 1) {
        const row = rows[index];
        if (row === undefined) continue;
        const top = offset + (index - first) * rowHeight;
        if (row.lane.id === picture.selected) {
          context.fillStyle = colors.sunken;
          context.fillRect(0, top, scale.width, rowHeight);
        }
        const band = top + laneTop + ROW.top;
        // An open phase goes on until the present, or until the last entry where nothing is awaited.
        const until = row.lane.isOver ? Number.MAX_SAFE_INTEGER : (now ?? row.lane.lastAt);
        paintPhases(row, scale, band, Math.min(until, scale.from + scale.width * scale.msPerPx));
        paintHeat(row, scale, band, row.lane.isOver ? undefined : now);
        paintTicks(row, scale, band);
        most = Math.max(most, paintRate(row, scale, band + ROW.band + ROW.gap, row.lane.isOver ? row.lane.lastAt : (now ?? row.lane.lastAt)));
        paintMarks(row, scale, band);
        if (row.lane.isRemote) paintElsewhere(context, toPx(scale, row.lane.startedAt), band, scale, colors);
        context.fillStyle = colors.line;
        context.fillRect(0, top + rowHeight - 1, scale.width, 1);
      }
      topRate = Math.max(1, most);
      paintFamily(context, { ...picture, scale }, colors);
      if (at !== undefined) {
        const x = Math.round(toPx(scale, at));
        context.globalAlpha = 0.72;
        context.fillStyle = colors.bg;
        context.fillRect(x, AXIS_HEIGHT, Math.max(0, scale.width - x), height);
        context.globalAlpha = 1;
        context.fillStyle = colors.accent;
        context.fillRect(x - 1, AXIS_HEIGHT, 2, height);
      }
      context.restore();
      if (now === undefined || at !== undefined) return;
      context.fillStyle = colors.accent;
      context.fillRect(Math.round(toPx(scale, now)), AXIS_HEIGHT, 1, height);
    },
  };
}

/** The axis, with lines through all lanes. */
function paintAxis(context: CanvasRenderingContext2D, { scale, origin, height }: Picture, colors: LaneColors): void {
  context.fillStyle = colors.line;
  const lines = axisOf(scale, origin);
  for (const { px } of lines) context.fillRect(Math.round(px), AXIS_HEIGHT - 4, 1, height);
  context.fillStyle = colors.muted;
  context.font = "11px system-ui, sans-serif";
  context.textBaseline = "middle";
  context.textAlign = "left";
  for (const { px, label } of lines) context.fillText(label, Math.round(px) + 4, AXIS_HEIGHT / 2);
}

/** Lines from each parent to its children, where they begin. */
function paintFamily(context: CanvasRenderingContext2D, { rows, scale, first, count, offset, rowHeight, laneTop }: Picture, colors: LaneColors): void {
  const places = new Map(rows.map(({ lane }, index) => [lane.id, index]));
  context.strokeStyle = colors["line-strong"];
  context.globalAlpha = 0.7;
  context.lineWidth = 1;
  context.beginPath();
  for (let index = first; index < Math.min(rows.length, first + count); index += 1) {
    const row = rows[index];
    const parent = row?.lane.parent === undefined ? undefined : places.get(row.lane.parent);
    if (row === undefined || parent === undefined) continue;
    const x = Math.round(toPx(scale, row.lane.startedAt)) + 0.5;
    if (x < 0 || x > scale.width) continue;
    const bandOf = (place: number): number => offset + (place - first) * rowHeight + laneTop + ROW.top;
    context.moveTo(x, Math.max(0, bandOf(parent) + ROW.band));
    context.lineTo(x, bandOf(index));
  }
  context.stroke();
  context.globalAlpha = 1;
}
