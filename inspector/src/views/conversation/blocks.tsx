import { useSignal } from "@preact/signals";
import type { VNode } from "preact";
import { useRef } from "preact/hooks";
import type { Message, Part } from "../../../../src/lib/model/a2a.ts";
import type { Block } from "../../state/blocks.ts";
import type { Transcript } from "../../state/transcript.ts";
import { pretty, sizeWords } from "../../state/words.ts";
import { Icon } from "../../ui/icon.tsx";
import { Markdown } from "../../ui/markdown.tsx";
import { Parts } from "../../ui/parts.tsx";
import { Approvals, Form } from "./asked.tsx";
import { firstShown, SHOWN_CHARS } from "./tail.ts";
import "./blocks.css";

/** What a person can do in a transcript; absent where it is only read. */
export interface BlockActions {
  readonly edit?: (message: Message) => void;
  /** False: it was not taken, and is still asked. */
  readonly approve?: (call: string, approve: boolean) => Promise<boolean>;
  readonly answer?: (parts: readonly Part[]) => Promise<boolean>;
}

/** A transcript's blocks, of a long one the last. One that has not changed is not drawn again. A transcript changes in place: another `version` says that it has. */
export function Blocks({ transcript, actions }: { readonly transcript: Transcript; readonly version: number; readonly actions: BlockActions }): VNode {
  const drawn = useRef(new Map<number, { readonly rev: number; readonly actions: BlockActions; readonly node: VNode }>());
  const screens = useSignal(1);
  const { blocks } = transcript;
  const first = firstShown(blocks, screens.value * SHOWN_CHARS);
  // Ids grow, so that what is before the first is not shown any more.
  const least = blocks[first]?.id ?? 0;
  for (const id of drawn.current.keys()) if (id < least) drawn.current.delete(id);
  return (
    <>
      {first > 0 && (
        <button type="button" onClick={() => (screens.value += 1)}>
          Show earlier
        </button>
      )}
      {blocks.slice(first).map((block) => {
        const known = drawn.current.get(block.id);
        if (known?.rev === block.rev && known.actions === actions) return known.node;
        const node = <One key={block.id} block={block} rev={block.rev} actions={actions} />;
        drawn.current.set(block.id, { rev: block.rev, actions, node });
        return node;
      })}
    </>
  );
}

function One({ block, actions }: { readonly block: Block; readonly rev: number; readonly actions: BlockActions }): VNode {
  switch (block.kind) {
    case "user":
      return <Said message={block.message} {...(actions.edit !== undefined && { edit: actions.edit })} />;
    case "text":
      return block.path === "" ? (
        <div class={`said agent${block.open ? " open" : ""}`} data-seq={block.seq}>
          <Markdown text={block.text} />
        </div>
      ) : (
        <section class="said child" aria-label={`Said by ${block.path}`} data-seq={block.seq}>
          <span class="who">{block.path}</span>
          <Markdown text={block.text} />
        </section>
      );
    case "parts":
      return (
        <div class="said agent" data-seq={block.seq}>
          <Parts parts={[...block.parts]} />
        </div>
      );
    case "reasoning":
      return (
        <details class="fold" data-seq={block.seq}>
          <summary>
            <Icon name="thought" size={16} />
            <span>{block.open ? "Reasoning…" : "Reasoning"}</span>
            {block.path !== "" && <span class="muted">{block.path}</span>}
            <span class="muted num">{sizeWords(block.size)}</span>
          </summary>
          <div class="fold-body thought">{block.text === "" ? "The agent does not show its reasoning." : block.text}</div>
        </details>
      );
    case "tool":
      return <Tool block={block} />;
    case "delegation":
      return (
        <p class="event" data-seq={block.seq}>
          <Icon name="arrow" size={16} /> <strong>{block.from}</strong> {block.via === "handoff" ? "hands over to" : "asks"} <strong>{block.to}</strong>
        </p>
      );
    case "approvals":
      return <Approvals block={block} {...(actions.approve !== undefined && { approve: actions.approve })} />;
    case "form":
      return <Form block={block} {...(actions.answer !== undefined && { answer: actions.answer })} />;
    case "notice":
      return (
        <p class={`event ${block.tone}`} data-seq={block.seq}>
          {block.text}
        </p>
      );
  }
}

/** What a person said. */
export function Said({
  message,
  edit,
  waits = false,
}: {
  readonly message: Message;
  readonly edit?: (message: Message) => void;
  readonly waits?: boolean;
}): VNode {
  return (
    <div class={`said user${waits ? " waits" : ""}`}>
      <div class="bubble">
        {message.parts.map((part, at) =>
          part.text === undefined ? (
            <Parts key={at} parts={[part]} />
          ) : (
            <p key={at} class="typed">
              {part.text}
            </p>
          ),
        )}
      </div>
      {edit !== undefined && (
        <button type="button" class="quiet icon again" aria-label="Edit and send again" title="Edit and send again" onClick={() => edit(message)}>
          <Icon name="edit" size={16} />
        </button>
      )}
    </div>
  );
}

function Tool({ block }: { readonly block: Block & { readonly kind: "tool" } }): VNode {
  const { name, path, state, output } = block;
  const words = { runs: "running", done: "done", failed: "failed" }[state];
  return (
    <details class={`fold tool ${state}`} data-seq={block.seq}>
      <summary>
        <Icon name="tool" size={16} />
        <span class="mono cut-text">{name}</span>
        {path !== "" && <span class="muted">{path}</span>}
        <span class="brief mono muted cut-text">{brief(block.arguments)}</span>
        <span class={`state ${state}`}>{words}</span>
      </summary>
      <div class="fold-body">
        <p class="fold-title">Arguments</p>
        <pre tabIndex={0}>{block.arguments === undefined ? "The agent does not show them." : pretty(block.arguments)}</pre>
        <p class="fold-title">Result</p>
        <pre tabIndex={0}>{output === undefined ? (state === "runs" ? "Not yet." : "The agent does not show it.") : pretty(output)}</pre>
      </div>
    </details>
  );
}

function brief(text: string | undefined): string {
  return text === undefined || text === "{}" ? "" : text.slice(0, 200);
}
