import type { VNode } from "preact";
import type { StreamEntry } from "../../../src/lib/model/api.ts";
import { kindOf, summaryOf } from "../frames/describe.ts";
import type { Found } from "./pick.ts";
import { spanText } from "./scale.ts";

const TIP_PX = 300;

/** What is under the pointer, beside it. */
export function Tip({
  found,
  left,
  width,
  origin,
  entry,
}: {
  readonly found: Found;
  /** Where the plot begins, and how wide all is, px. */
  readonly left: number;
  readonly width: number;
  readonly origin: number;
  readonly entry: StreamEntry | undefined;
}): VNode {
  const { at, seq, label, lane } = found;
  const x = Math.max(4, Math.min(width - TIP_PX - 8, left + found.x + 12));
  return (
    <div class="lanes-tip" role="status" style={{ left: `${x}px`, top: `${found.y + 16}px`, maxWidth: `${TIP_PX}px` }}>
      <div class="row small">
        <strong>{lane.path.at(-1) ?? lane.agent}</strong>
        <span class="muted num">{spanText(at - origin, 1)}</span>
        {seq !== undefined && <span class="muted num">#{seq}</span>}
      </div>
      {entry === undefined ? (
        <div class="small">{label}</div>
      ) : (
        <div class="small">
          <span class="muted">{kindOf(entry.event)}</span> <span class="lanes-said">{summaryOf(entry, 220)}</span>
        </div>
      )}
    </div>
  );
}
