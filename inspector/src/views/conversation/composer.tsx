import { type Signal, useSignal } from "@preact/signals";
import type { ComponentChildren, VNode } from "preact";
import { useEffect, useRef } from "preact/hooks";
import type { Part } from "../../../../src/lib/model/a2a.ts";
import { messageOf } from "../../../../src/lib/model/errors.ts";
import { type Attachment, uploadFile } from "../../state/attachments.ts";
import { sizeWords } from "../../state/words.ts";
import { Icon } from "../../ui/icon.tsx";
import "./composer.css";

/** What is being written; others put words into it (examples, edits). */
export interface Draft {
  readonly text: Signal<string>;
  readonly attachments: Signal<readonly Attachment[]>;
}

/** Where a message is written: text, and files by button, drop or paste. */
export function Composer(props: {
  readonly draft: Draft;
  readonly label: string;
  readonly running: boolean;
  readonly send: (parts: readonly Part[]) => void;
  readonly cancel: () => void;
  readonly children?: ComponentChildren;
}): VNode {
  const { draft, label, running, send, cancel, children } = props;
  const field = useRef<HTMLTextAreaElement>(null);
  const picker = useRef<HTMLInputElement>(null);
  const dropping = useSignal(false);
  const text = draft.text.value;
  const attachments = draft.attachments.value;
  const isReady = attachments.every(({ state }) => state !== "uploading") && (text.trim() !== "" || attachments.some(({ state }) => state === "ready"));
  useEffect(() => {
    if (field.current === null) return;
    field.current.style.height = "auto";
    field.current.style.height = `${Math.min(field.current.scrollHeight + 2, 220)}px`;
  }, [text]);
  const submit = (): void => {
    if (!isReady) return;
    const files = attachments.flatMap(({ part }) => (part === undefined ? [] : [part]));
    send([...(text.trim() === "" ? [] : [{ text: text.trim() }]), ...files]);
    draft.text.value = "";
    draft.attachments.value = [];
  };
  const add = (files: Iterable<File>): void => {
    for (const file of files) void attach(draft, file);
  };
  const drop = (event: DragEvent): void => {
    dropping.value = false;
    const files = [...(event.dataTransfer?.files ?? [])];
    if (files.length === 0) return;
    event.preventDefault();
    add(files);
  };
  return (
    <form
      class={`composer${dropping.value ? " dropping" : ""}`}
      onSubmit={(event) => {
        event.preventDefault();
        submit();
      }}
      onDragOver={(event) => {
        if (event.dataTransfer?.types.includes("Files") !== true) return;
        event.preventDefault();
        dropping.value = true;
      }}
      onDragLeave={() => (dropping.value = false)}
      onDrop={drop}
    >
      {children}
      {attachments.length > 0 && (
        <ul class="attachments" aria-label="Files that go with the message">
          {attachments.map((one) => (
            <li key={one.id} class={`pill ${one.state}`}>
              <span class="cut-text">{one.name}</span>
              <span class="muted num">{one.state === "uploading" ? "…" : one.state === "failed" ? one.why : sizeWords(one.size)}</span>
              <button
                type="button"
                class="quiet"
                aria-label={`Take ${one.name} away`}
                onClick={() => (draft.attachments.value = draft.attachments.peek().filter(({ id }) => id !== one.id))}
              >
                <Icon name="close" size={14} />
              </button>
            </li>
          ))}
        </ul>
      )}
      <div class="composer-line">
        <button type="button" class="quiet icon" aria-label="Attach files" title="Attach files; drop or paste them too" onClick={() => picker.current?.click()}>
          <Icon name="attach" />
        </button>
        <input
          ref={picker}
          type="file"
          multiple
          hidden
          aria-hidden="true"
          tabIndex={-1}
          onChange={(event) => {
            add(event.currentTarget.files ?? []);
            event.currentTarget.value = "";
          }}
        />
        <textarea
          ref={field}
          rows={1}
          aria-label={label}
          placeholder={label}
          data-composer
          value={text}
          onInput={(event) => (draft.text.value = event.currentTarget.value)}
          onKeyDown={(event) => {
            if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
            event.preventDefault();
            submit();
          }}
          onPaste={(event) => {
            const files = [...(event.clipboardData?.files ?? [])];
            if (files.length === 0) return;
            event.preventDefault();
            add(files);
          }}
        />
        {running && (
          <button type="button" onClick={cancel} title="Cancel what runs">
            <Icon name="stop" size={16} /> Cancel
          </button>
        )}
        <button type="submit" class="primary" disabled={!isReady}>
          Send
        </button>
      </div>
    </form>
  );
}

async function attach(draft: Draft, file: File): Promise<void> {
  const id = crypto.randomUUID();
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
