import { type Signal, useSignal } from "@preact/signals";
import type { VNode } from "preact";
import { useRef } from "preact/hooks";
import { messageOf } from "../../../src/lib/model/errors.ts";
import { apiPath } from "../state/call.ts";
import { FILE_AGENT, heldFile, heldProblem } from "../state/held-file.ts";
import { loadStream, type StreamStore } from "../state/stream.ts";
import { navigate, paths } from "../router.ts";
import { fileName, type OpenedFile, readLines, writeLines } from "./file.ts";

/** The line over the frames: search, how many there are and how many break a rule, export and import. */
export function FrameTools({
  stream,
  text,
  rows,
  gone,
  problem: pageProblem,
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
  const file = useRef<HTMLInputElement>(null);
  const problem = useSignal<string | undefined>(undefined);
  const all = stream.entries.length;
  const open = async (chosen: File | undefined): Promise<void> => {
    if (chosen === undefined) return;
    try {
      openStreamFile(await chosen.text());
      problem.value = undefined;
    } catch (error) {
      problem.value = messageOf(error);
    }
  };
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
      <button type="button" onClick={() => file.current?.click()}>
        Import
      </button>
      <input
        ref={file}
        type="file"
        hidden
        aria-label="A stream's file"
        accept=".ndjson,.jsonl,application/x-ndjson"
        onChange={(event) => {
          void open(event.currentTarget.files?.[0]);
          event.currentTarget.value = "";
        }}
      />
      {(problem.value ?? pageProblem) !== undefined && (
        <p class="problem" role="alert">
          {problem.value ?? `Earlier entries cannot be fetched. ${pageProblem ?? ""}`}
        </p>
      )}
    </div>
  );
}

/** Shows the first stream of a file, with what of it could not be read. Throws where nothing can be shown. */
export function openStreamFile(text: string): void {
  const { streams, problems }: OpenedFile = readLines(text);
  const [first, ...more] = streams.filter(({ entries }) => entries.length > 0);
  const told = problems.slice(0, 3).map(({ line, message }) => `Line ${line} ${message}.`);
  if (first === undefined) throw new Error(told.length === 0 ? "The file has no entries." : told.join(" "));
  const task = first.task === "" ? "file" : first.task;
  heldFile.value = loadStream([...writeLines([{ ...first, task }])].join(""));
  const others = more.length === 0 ? "" : `The file has ${more.length} more ${more.length === 1 ? "stream" : "streams"}, which are not shown. `;
  heldProblem.value = told.length === 0 && others === "" ? undefined : others + told.join(" ");
  navigate(paths.task(FILE_AGENT, heldFile.value.task, { view: "lanes" }));
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
