import { signal } from "@preact/signals";
import { messageOf } from "../../../src/lib/model/errors.ts";

/** Why a file could not be opened; undefined while nothing is wrong. */
export const fileProblem = signal<string | undefined>(undefined);

/** A stream's file that is dropped anywhere is opened; no drop makes the browser leave the page. What a view takes itself (`preventDefault`) is its own. To be called once. */
export function startDrop(): void {
  window.addEventListener("dragover", (event) => {
    if (hasFiles(event)) event.preventDefault();
  });
  window.addEventListener("drop", (event) => {
    if (event.defaultPrevented || !hasFiles(event)) return;
    event.preventDefault();
    void openDropped([...(event.dataTransfer?.files ?? [])]);
  });
}

function hasFiles(event: DragEvent): boolean {
  return event.dataTransfer?.types.includes("Files") === true;
}

async function openDropped(files: readonly File[]): Promise<void> {
  const file = files.find(({ name, type }) => /\.(?:ndjson|jsonl)$/i.test(name) || /ndjson|jsonl/.test(type));
  if (file !== undefined) return openFile(file);
  fileProblem.value = "Only the file of a stream (.ndjson) is opened here. To send a file to an agent, drop it on a conversation.";
}

/** Opens a stream's file, in place of what is shown; what is wrong with it stands in `fileProblem`. */
export async function openFile(file: File): Promise<void> {
  try {
    const { openStreamFile } = await import("../state/open-stream-file.ts");
    openStreamFile(await file.text());
    fileProblem.value = undefined;
  } catch (error) {
    fileProblem.value = `${file.name} cannot be opened: ${messageOf(error)}`;
  }
}
