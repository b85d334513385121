import { type Signal, signal } from "@preact/signals";
import { newId } from "../../../../src/lib/browser/words.ts";
import { messageOf } from "../../../../src/lib/model/errors.ts";
import { type Attachment, uploadFile } from "../../state/attachments.ts";

/** What is being written; others put words into it (examples, edits). */
export interface Draft {
  readonly text: Signal<string>;
  readonly attachments: Signal<readonly Attachment[]>;
  /** Files are held over the conversation. */
  readonly dropping: Signal<boolean>;
}

/** An empty draft. */
export function createDraft(): Draft {
  return { text: signal(""), attachments: signal<readonly Attachment[]>([]), dropping: signal(false) };
}

/** Takes files along: each is handed to the server at once, and stands in the draft with how that goes. */
export function attach(draft: Draft, files: Iterable<File>): void {
  for (const file of files) void attachOne(draft, file);
}

async function attachOne(draft: Draft, file: File): Promise<void> {
  const id = newId();
  const change = (now: Attachment): void => {
    draft.attachments.value = draft.attachments.peek().map((one) => (one.id === id ? now : one));
  };
  const base = { id, name: file.name, size: file.size };
  draft.attachments.value = [...draft.attachments.peek(), { ...base, state: "uploading" }];
  try {
    change({ ...base, state: "ready", part: await uploadFile(file) });
  } catch (error) {
    change({ ...base, state: "failed", why: messageOf(error) });
  }
}

/** What an element does with files that are dragged onto it: they go with the next message. */
export function dropInto(draft: Draft): {
  readonly onDragOver: (event: DragEvent) => void;
  readonly onDragLeave: (event: DragEvent) => void;
  readonly onDrop: (event: DragEvent) => void;
} {
  return {
    onDragOver(event) {
      if (event.dataTransfer?.types.includes("Files") !== true) return;
      event.preventDefault();
      draft.dropping.value = true;
    },
    onDragLeave(event) {
      // From one part of it to the next is not away.
      const { currentTarget, relatedTarget } = event;
      if (!(currentTarget instanceof Node && relatedTarget instanceof Node && currentTarget.contains(relatedTarget))) draft.dropping.value = false;
    },
    onDrop(event) {
      draft.dropping.value = false;
      const files = [...(event.dataTransfer?.files ?? [])];
      if (files.length === 0) return;
      event.preventDefault();
      attach(draft, files);
    },
  };
}
