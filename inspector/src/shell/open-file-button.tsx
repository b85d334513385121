import type { VNode } from "preact";
import { useRef } from "preact/hooks";
import { openFile } from "./open-file.ts";

/** Opens the file of a stream that was exported. */
export function OpenFileButton({ label, title }: { readonly label: string; readonly title?: string }): VNode {
  const picker = useRef<HTMLInputElement>(null);
  return (
    <>
      <button type="button" title={title} onClick={() => picker.current?.click()}>
        {label}
      </button>
      <input
        ref={picker}
        type="file"
        hidden
        aria-label="A stream's file"
        accept=".ndjson,.jsonl,application/x-ndjson"
        onChange={(event) => {
          const [chosen] = event.currentTarget.files ?? [];
          if (chosen !== undefined) void openFile(chosen);
          event.currentTarget.value = "";
        }}
      />
    </>
  );
}
