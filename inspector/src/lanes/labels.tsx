import type { VNode } from "preact";
import { stateName } from "../state/words.ts";
import { labelOf } from "./phases.ts";
import type { Lane, LaneFigures } from "./lane.ts";
import { AXIS_HEIGHT } from "./look.ts";
import { spanText } from "./scale.ts";
import { figuresOf, type ToldRow } from "./told.ts";

/** The names of the lanes that are seen, with what they do and their numbers. */
export function Labels({
  rows,
  top,
  rowHeight,
  height,
  isWide,
  selected,
  hrefOf,
}: {
  readonly rows: readonly ToldRow[];
  /** How far the list is scrolled, px. */
  readonly top: number;
  readonly rowHeight: number;
  readonly height: number;
  readonly isWide: boolean;
  readonly selected: string | undefined;
  readonly hrefOf: (lane: Lane) => string;
}): VNode {
  const first = Math.max(0, Math.floor(top / rowHeight) - 1);
  const end = Math.min(rows.length, Math.ceil((top + height) / rowHeight) + 1);
  return (
    <ul class={isWide ? "lanes-labels beside" : "lanes-labels over"}>
      {rows.slice(first, end).map(({ lane, depth, told, isHeard }, index) => (
        <li
          key={lane.id}
          class={lane.id === selected ? "chosen" : undefined}
          style={{ top: `${AXIS_HEIGHT + (first + index) * rowHeight - top}px`, height: `${rowHeight}px`, paddingLeft: `${12 + Math.min(4, depth) * 14}px` }}
        >
          <div class="lanes-name">
            <span class="dot" style={{ "--dot": `var(--phase-${told === undefined || told.shown === "none" ? "ended" : told.shown})` }} />
            <a class="cut-text" href={hrefOf(lane)}>
              {nameOf(lane)}
            </a>
            <span class="muted small cut-text">{doing(told)}</span>
          </div>
          <div class="lanes-figures muted num">{figuresText(figuresOf({ told, isHeard }))}</div>
        </li>
      ))}
    </ul>
  );
}

/** How a lane is called. */
export function nameOf(lane: Lane): string {
  return lane.path.at(-1) ?? lane.agent;
}

/** What a lane does, in words. */
export function doing(lane: Lane | undefined): string {
  if (lane === undefined) return "not begun";
  if (lane.isRemote) return "on another server";
  if (lane.isOver && lane.state !== undefined) return stateName(lane.state);
  return lane.shown === "none" ? (lane.isOver ? "ended" : "rests") : labelOf(lane.shown);
}

/** The numbers of a lane in one line. */
function figuresText(figures: LaneFigures | undefined): string {
  if (figures === undefined) return "";
  const { tokens, rate, firstTokenMs, gapP50, gapP95 } = figures;
  return [
    `${tokens} tok`,
    rate === undefined ? "" : `${rateText(rate)}/s`,
    firstTokenMs === undefined ? "" : `first ${spanText(firstTokenMs, 100)}`,
    gapP50 === undefined || gapP95 === undefined ? "" : `gaps ${Math.round(gapP50)} · ${Math.round(gapP95)} ms`,
  ]
    .filter((text) => text !== "")
    .join("  ");
}

/** A rate with two digits that mean something. */
export function rateText(rate: number): string {
  return rate >= 10 ? String(Math.round(rate)) : rate.toFixed(1);
}
