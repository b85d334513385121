import { signal } from "@preact/signals";
import { messageOf } from "../../../src/lib/model/errors.ts";

/** Why what was dropped on the page could not be opened; undefined while nothing is wrong. */
export const dropProblem = signal<string | undefined>(undefined);

/** A stream's file that is dropped anywhere is opened; no drop makes the browser leave the page. What a view takes itself (`preventDefault`) is its own. To be called once. */
export function startDrop(): void {
  window.addEventListener("dragover", (event) => {
    if (hasFiles(event)) event.preventDefault();
  });
  window.addEventListener("drop", (event) => {
    if (event.defaultPrevented || !hasFiles(event)) return;
    event.preventDefault();
    void open([...(event.dataTransfer?.files ?? [])]);
  });
}

function hasFiles(event: DragEvent): boolean {
  return event.dataTransfer?.types.includes("Files") === true;
}

async function open(files: readonly File[]): Promise<void> {
  const file = files.find(({ name, type }) => /\.(?:ndjson|jsonl)$/i.test(name) || /ndjson|jsonl/.test(type));
  if (file === undefined) {
    dropProblem.value = "Only the file of a stream (.ndjson) is opened here. To send a file to an agent, drop it on a conversation.";
    return;
  }
  try {
    const { openStreamFile } = await import("../frames/tools.tsx");
    openStreamFile(await file.text());
    dropProblem.value = undefined;
  } catch (error) {
    dropProblem.value = `${file.name} cannot be opened: ${messageOf(error)}`;
  }
}
