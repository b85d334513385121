import { type Signal, signal } from "@preact/signals";
import { newId } from "../../../../src/lib/browser/words.ts";
import type { Message } from "../../../../src/lib/model/a2a.ts";
import { messageOf } from "../../../../src/lib/model/errors.ts";
import { type Attachment, uploadFile } from "../../state/attachments.ts";

/** What is being written; others put words into it (examples, edits). */
export interface Draft {
  readonly text: Signal<string>;
  readonly attachments: Signal<readonly Attachment[]>;
  /** What was being written when a message was taken up to be edited: it comes back when that is sent or given up. Undefined: nothing is edited. */
  readonly aside: Signal<Written | undefined>;
  /** Files are held over the conversation. */
  readonly dropping: Signal<boolean>;
}

/** What stands in a draft. */
export interface Written {
  readonly text: string;
  readonly attachments: readonly Attachment[];
}

/** An empty draft. */
export function createDraft(): Draft {
  return { text: signal(""), attachments: signal<readonly Attachment[]>([]), aside: signal<Written | undefined>(undefined), dropping: signal(false) };
}

/** Takes a message up, to be written anew: what was being written waits meanwhile. */
export function editMessage(draft: Draft, { parts }: Message): void {
  draft.aside.value ??= { text: draft.text.peek(), attachments: draft.attachments.peek() };
  draft.text.value = parts.flatMap(({ text }) => text ?? []).join("\n");
  draft.attachments.value = parts
    .filter(({ text }) => text === undefined)
    .map((part) => ({ id: newId(), name: part.filename ?? part.mediaType ?? "file", size: undefined, state: "ready", part }) as const);
}

/** The draft was sent or given up: it is empty, or what an edit had laid aside. */
export function nextDraft(draft: Draft): void {
  const { text, attachments } = draft.aside.peek() ?? { text: "", attachments: [] };
  draft.aside.value = undefined;
  draft.text.value = text;
  draft.attachments.value = attachments;
}

/** Takes files along: each is handed to the server at once, and stands in the draft with how that goes. */
export function attach(draft: Draft, files: Iterable<File>): void {
  for (const file of files) void attachOne(draft, file);
}

async function attachOne(draft: Draft, file: File): Promise<void> {
  const id = newId();
  const change = (now: Attachment): void => {
    const changed = (all: readonly Attachment[]): readonly Attachment[] => all.map((one) => (one.id === id ? now : one));
    const aside = draft.aside.peek();
    draft.attachments.value = changed(draft.attachments.peek());
    if (aside !== undefined) draft.aside.value = { ...aside, attachments: changed(aside.attachments) };
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
