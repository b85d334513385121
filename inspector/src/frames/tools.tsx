import type { Signal } from "@preact/signals";
import type { VNode } from "preact";
import { apiPath } from "../state/call.ts";
import { OpenFileButton } from "../shell/open-file-button.tsx";
import type { StreamStore } from "../state/stream.ts";
import { fileName, writeLines } from "../state/stream-file.ts";

/** The line over the frames: search, how many there are and how many break a rule, export and import. */
export function FrameTools({
  stream,
  text,
  rows,
  gone,
  problem,
  judged,
  bad,
  isReady,
}: {
  readonly stream: StreamStore;
  readonly text: Signal<string>;
  readonly rows: number;
  /** Of the rows so many are entries that the page has let go, and why they cannot be fetched. */
  readonly gone: number;
  readonly problem: string | undefined;
  readonly judged: number;
  readonly bad: number;
  readonly isReady: boolean;
}): VNode {
  const all = stream.entries.length;
  return (
    <div class="frames-tools">
      <input
        type="search"
        class="grow"
        data-search
        aria-label="Filter and search"
        placeholder="Search, or kind:tool-call audience:internal seq:10-20 bad"
        value={text.value}
        onInput={(event) => (text.value = event.currentTarget.value)}
      />
      <span class="num small muted" role="status">
        {rows === gone + all ? `${rows} entries` : `${rows} of ${stream.before.value.count > 0 ? "the newest " : ""}${all}`}
        {isReady && judged < all ? `, ${Math.floor((100 * judged) / all)} % checked` : ""}
      </span>
      <button
        type="button"
        class={bad > 0 ? "danger" : ""}
        aria-pressed={text.value === "bad"}
        disabled={bad === 0}
        onClick={() => (text.value = text.value === "bad" ? "" : "bad")}
      >
        {bad === 0 ? (isReady ? "No rule broken" : "Checking…") : `${bad} break rules`}
      </button>
      <button type="button" disabled={all === 0} onClick={() => save(stream)}>
        Export
      </button>
      <OpenFileButton label="Import" />
      {problem !== undefined && (
        <p class="problem" role="alert">
          Earlier entries cannot be fetched. {problem}
        </p>
      )}
    </div>
  );
}

function save(stream: StreamStore): void {
  // What the page has let go the server still has.
  if (stream.source === "server" && stream.before.peek().count > 0)
    return download(apiPath(`/api/tasks/${encodeURIComponent(stream.task)}/export`, { agent: stream.agent }), "");
  const snapshot = stream.snapshot.peek();
  const saved = {
    agent: stream.agent,
    task: stream.task,
    context: stream.context.peek(),
    ...(snapshot !== undefined && { snapshot }),
    entries: stream.entries,
  };
  const url = URL.createObjectURL(new Blob([...writeLines([saved])], { type: "application/x-ndjson" }));
  download(url, fileName([saved]));
  // The download has its own hold of the bytes by then.
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}

function download(url: string, name: string): void {
  const link = document.createElement("a");
  link.href = url;
  link.download = name;
  link.click();
}
