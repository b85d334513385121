import type { ComponentChildren, VNode } from "preact";
import { useEffect, useRef } from "preact/hooks";
import type { Part } from "../../../../src/lib/model/a2a.ts";
import { sizeWords } from "../../state/words.ts";
import { Icon } from "../../ui/icon.tsx";
import { attach, type Draft, nextDraft } from "./draft.ts";
import "./composer.css";

/** Where a message is written: text, and files by button or paste; what is dropped on the conversation comes here too. */
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
    nextDraft(draft);
  };
  const giveUp = (): void => {
    nextDraft(draft);
    field.current?.focus();
  };
  return (
    <form
      class={`composer${draft.dropping.value ? " dropping" : ""}`}
      onSubmit={(event) => {
        event.preventDefault();
        submit();
      }}
    >
      {children}
      {draft.aside.value !== undefined && (
        <div class="row editing small">
          <span class="grow muted">
            You edit what was said
            {draft.aside.value.text === "" && draft.aside.value.attachments.length === 0 ? "" : "; what you were writing comes back after it"}.
          </span>
          <button type="button" class="quiet" onClick={giveUp}>
            Give up
          </button>
        </div>
      )}
      {attachments.length > 0 && (
        <ul class="attachments" aria-label="Files that go with the message">
          {attachments.map((one) => (
            <li key={one.id} class={`pill ${one.state}`}>
              <span class="cut-text">{one.name}</span>
              <span class="muted num">
                {one.state === "uploading" ? "…" : one.state === "failed" ? one.why : one.size === undefined ? "" : sizeWords(one.size)}
              </span>
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
            attach(draft, event.currentTarget.files ?? []);
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
            attach(draft, files);
          }}
        />
        {running && (
          <button type="button" onClick={cancel} aria-label="Cancel" title="Cancel what runs">
            <Icon name="stop" size={16} />
            <span class="long">Cancel</span>
          </button>
        )}
        <button type="submit" class="primary" disabled={!isReady}>
          Send
        </button>
      </div>
    </form>
  );
}
