import type { VNode } from "preact";
import type { StreamEntry } from "../../../src/lib/model/api.ts";
import { spanText } from "../lanes/scale.ts";
import { kindOf, summaryOf } from "./describe.ts";
import type { RuleBreak } from "./stream-rules.ts";

/** The height of every row, px. */
export const ROW_HEIGHT = 28;

/** An entry in one line. */
export function FrameRow({
  entry,
  origin,
  breaks,
  isChosen,
  isLater,
  onChoose,
}: {
  readonly entry: StreamEntry;
  readonly origin: number;
  readonly breaks: readonly RuleBreak[] | undefined;
  readonly isChosen: boolean;
  /** After the moment that a replay shows. */
  readonly isLater: boolean;
  readonly onChoose: () => void;
}): VNode {
  const { seq, at, audience, event } = entry;
  const kind = kindOf(event);
  return (
    <div
      id={`frame-${seq}`}
      role="option"
      aria-selected={isChosen}
      class={`frame-row${isChosen ? " chosen" : ""}${isLater ? " later" : ""}${breaks === undefined ? "" : " bad"}`}
      onClick={onChoose}
    >
      <span class="num muted frame-seq">{seq}</span>
      <span class="num muted frame-at">{spanText(at - origin, 1)}</span>
      <span class={`frame-kind ${audience}`} title={`for ${audience} readers`}>
        {kind}
      </span>
      <span class="cut-text mono">{summaryOf(entry)}</span>
      {breaks !== undefined && (
        <span class="frame-bad" title={breaks.map(({ section, rule }) => `${section}: ${rule}`).join("\n")}>
          {breaks.length === 1 ? `breaks ${breaks[0]?.section}` : `breaks ${breaks.length} rules`}
        </span>
      )}
    </div>
  );
}

/** The place of an entry that is being fetched. */
export function FrameToCome({ seq }: { readonly seq: number }): VNode {
  return (
    <div id={`frame-${seq}`} role="option" aria-selected={false} aria-busy={true} class="frame-row">
      <span class="num muted frame-seq">{seq}</span>
      <span class="muted">…</span>
    </div>
  );
}
