import type { VNode } from "preact";
import { spanText } from "../lanes/scale.ts";
import { insetOf } from "./inset.ts";
import type { Arrow } from "./model.ts";

/** The height of every arrow's row, px. */
export const ARROW_HEIGHT = 40;

/** The height of the participants' row, px. */
export const HEAD_HEIGHT = 44;

/** Where each participant's line is, px from the left. */
export type Columns = ReadonlyMap<string, number>;

/** One arrow: a button that opens its entries. */
export function ArrowRow({
  arrow,
  columns,
  seen,
  origin,
  isOpen,
  onOpen,
}: {
  readonly arrow: Arrow;
  readonly columns: Columns;
  /** The stretch of the diagram that is on the screen, px: words stand within it, and times at its left. */
  readonly seen: { readonly left: number; readonly right: number };
  readonly origin: number;
  readonly isOpen: boolean;
  readonly onOpen: () => void;
}): VNode {
  const from = columns.get(arrow.from) ?? 0;
  const to = columns.get(arrow.to) ?? 0;
  const isOwn = arrow.from === arrow.to;
  const left = Math.min(from, to);
  const width = isOwn ? 240 : Math.abs(to - from);
  const inset = insetOf({ left, right: left + width }, seen);
  const nameOf = (id: string): string => id.slice(id.indexOf(":") + 1);
  const words = `${nameOf(arrow.from)} ${isOwn ? "notes" : `to ${nameOf(arrow.to)}`}: ${arrow.kind}${arrow.isFailure ? ", failed" : ""}: `;
  return (
    <li class="sequence-row" style={{ height: `${ARROW_HEIGHT}px` }}>
      <button type="button" data-arrow={arrow.index} aria-expanded={isOpen} onClick={onOpen}>
        <span class="sr">{words}</span>
        <span
          class={`sequence-arrow ${arrow.kind}${to < from ? " back" : ""}${isOwn ? " own" : ""}${arrow.isFailure ? " failure" : ""}`}
          style={{ left: `${left}px`, width: `${width}px` }}
        >
          <span class="sequence-label cut-text" style={isOwn ? {} : { left: `${inset.left}px`, right: `${inset.right}px` }}>
            {arrow.label === "" ? arrow.kind : arrow.label}
            {arrow.entries > 1 && <span class="muted num"> ×{arrow.entries}</span>}
          </span>
        </span>
        <span class="sr">{arrow.entries === 1 ? ", one entry, after " : `, ${arrow.entries} entries, after `}</span>
        <span class="sequence-at num" style={{ left: `${seen.left}px` }}>
          {spanText(arrow.at - origin, 10)}
        </span>
      </button>
    </li>
  );
}
