import type { VNode } from "preact";
import { kindOf, summaryOf } from "../frames/describe.ts";
import { spanText } from "../lanes/scale.ts";
import { paths } from "../router.ts";
import { FILE_AGENT } from "../state/held-file.ts";
import type { StreamStore } from "../state/stream.ts";
import { Icon } from "../ui/icon.tsx";
import { type Arrow, entriesOf } from "./model.ts";

/** Of an arrow's entries so many are listed; the rest is in the frames. */
const LISTED = 200;

/** What an arrow is made of: each entry leads to its frame. */
export function ArrowEntries({ stream, arrow, onClose }: { readonly stream: StreamStore; readonly arrow: Arrow; readonly onClose: () => void }): VNode {
  const agent = stream.source === "file" ? FILE_AGENT : stream.agent;
  const origin = stream.entries[0]?.at ?? 0;
  return (
    <section class="sequence-entries" aria-label="The arrow's entries">
      <div class="row">
        <h2 class="grow">{arrow.label === "" ? arrow.kind : arrow.label}</h2>
        <button type="button" class="icon quiet" aria-label="Close" onClick={onClose}>
          <Icon name="close" />
        </button>
      </div>
      <p class="small muted">
        {arrow.entries === 1 ? "One entry" : `${arrow.entries} entries`}, {spanText(arrow.at - origin, 10)}
        {arrow.until > arrow.at ? ` to ${spanText(arrow.until - origin, 10)}` : ""}
      </p>
      <ol>
        {entriesOf(stream.entries, arrow, LISTED).map((entry) => (
          <li key={entry.seq}>
            <a class="num" href={paths.task(agent, stream.task, { view: "frames", at: entry.seq })}>
              #{entry.seq}
            </a>{" "}
            <span class="muted small">{kindOf(entry.event)}</span> <span class="mono">{summaryOf(entry, 300)}</span>
          </li>
        ))}
      </ol>
      {arrow.entries > LISTED && <p class="small muted">And {arrow.entries - LISTED} more.</p>}
    </section>
  );
}
