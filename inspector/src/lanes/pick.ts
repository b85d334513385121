import { type Lane, type Mark, phaseAt } from "./lane.ts";
import { labelOf } from "./phases.ts";
import { type Scale, spanText, toPx, toTime } from "./scale.ts";

/** What lies under the pointer. */
export interface Found {
  readonly lane: Lane;
  readonly at: number;
  /** The entry, where there is one near. */
  readonly seq: number | undefined;
  readonly label: string;
  /** Where it is in the plot, px. */
  readonly x: number;
  readonly y: number;
}

/** How near the pointer must be, px. */
const REACH = 6;

/** The sign, else the token, else the phase at `x` of a lane. `y` is where to tell it. */
export function pick(lane: Lane, scale: Scale, x: number, y: number): Found {
  const at = toTime(scale, x);
  const within = REACH * scale.msPerPx;
  const mark = nearestMark(lane.marks, at, within);
  if (mark !== undefined) return { lane, at: mark.at, seq: mark.seq, label: mark.label, x: toPx(scale, mark.at), y };
  const tick = lane.ticks.nearest(at, within);
  if (tick !== undefined) return { lane, at: tick.at, seq: tick.seq, label: tick.kind === "content" ? "token" : "reasoning", x: toPx(scale, tick.at), y };
  return { lane, at, seq: undefined, label: phaseLabel(lane, at), x, y };
}

/** The next sign or token after (or before) `at` and `seq`, on a lane; undefined at its end. So one goes from entry to entry by keys. */
export function beside(
  lane: Lane,
  from: { readonly at: number; readonly seq: number },
  direction: 1 | -1,
): { at: number; seq: number; label: string } | undefined {
  const isPast = ({ at, seq }: { readonly at: number; readonly seq: number }): boolean => direction * (at - from.at || seq - from.seq) > 0;
  const mark = direction > 0 ? lane.marks.find(isPast) : lane.marks.findLast(isPast);
  const tick = lane.ticks.beside(from, direction);
  if (tick === undefined) return mark;
  const found = { at: tick.at, seq: tick.seq, label: tick.kind === "content" ? "token" : "reasoning" };
  return mark !== undefined && direction * (mark.at - found.at || mark.seq - found.seq) <= 0 ? mark : found;
}

function nearestMark(marks: readonly Mark[], at: number, within: number): Mark | undefined {
  let best: Mark | undefined;
  for (const mark of marks) {
    const distance = Math.abs(mark.at - at);
    if (distance <= within && (best === undefined || distance < Math.abs(best.at - at))) best = mark;
  }
  return best;
}

function phaseLabel(lane: Lane, at: number): string {
  const phase = phaseAt(lane, at);
  if (phase === "none") return at < lane.startedAt ? "before its beginning" : lane.isRemote ? "its entries are on another server" : "nothing";
  const silence = lane.silences.find(({ from, to }) => from <= at && at < to);
  return silence === undefined ? labelOf(phase) : `${labelOf(phase)}, ${spanText(silence.to - silence.from, 100)} of silence`;
}
