import type { Message, Part } from "../../../src/lib/model/a2a.ts";
import type { ExtensionData } from "../../../src/lib/model/extension.ts";
import { isPlain } from "../../../src/lib/model/fold.ts";
import { approvalsIn, askedIn } from "./asked.ts";
import type { Block } from "./blocks.ts";

type Fresh<B = Block> = B extends Block ? Omit<B, "id" | "rev"> : never;

/** The blocks of a transcript, and the ways in which they grow. */
export interface Speech {
  readonly blocks: readonly Block[];
  add(fresh: Fresh): void;
  /** What comes next is of another kind: the last words are complete. */
  close(): void;
  say(seq: number, artifact: string, path: string, text: string): void;
  think(seq: number, path: string, text: string | undefined, size: number): void;
  sayParts(seq: number, artifact: string, parts: readonly Part[]): void;
  /** What an artifact said so far is void: it begins anew. */
  unsay(artifact: string): void;
  hear(seq: number, message: Message): void;
  /** Nothing is asked any more. */
  endAsking(): void;
  call(seq: number, data: ExtensionData & { readonly kind: "tool-call" }): void;
  result(data: ExtensionData & { readonly kind: "tool-result" }): void;
}

/** A block that has become so long ends with its paragraph, UTF-16 units: what is complete is drawn once, however long the stream goes on. */
const LONG = 20_000;
/** Without a paragraph's end it ends here. */
const LONGEST = 2 * LONG;
/** Files and data that stand together. */
const MANY_PARTS = 50;

/** Where a long text is cut in two: after its last paragraph that is no part of a block of code. Undefined: not yet. */
function cutOf(text: string): number | undefined {
  if (text.length <= LONG) return undefined;
  const within = text.slice(0, LONGEST);
  for (let cut = within.lastIndexOf("\n\n"); cut > LONG / 2; cut = within.lastIndexOf("\n\n", cut - 1)) {
    // As many fences opened as closed.
    if (within.slice(0, cut).split("\n```").length % 2 === (within.startsWith("```") ? 0 : 1)) return cut + 2;
  }
  return text.length > LONGEST ? Math.max(LONG, within.lastIndexOf("\n") + 1, within.lastIndexOf(" ") + 1) : undefined;
}

/** Blocks, none yet. */
export function createSpeech(): Speech {
  const blocks: Block[] = [];
  let made = 0;

  const add = (fresh: Fresh): void => {
    close();
    const block = { ...fresh, id: (made += 1), rev: 0 } as Block;
    blocks.push(block);
  };
  const close = (): void => {
    const last = blocks.at(-1);
    if (last !== undefined && (last.kind === "text" || last.kind === "reasoning") && last.open) {
      last.open = false;
      last.rev += 1;
    }
  };
  const say = (seq: number, artifact: string, path: string, text: string): void => {
    if (text === "") return;
    const last = blocks.at(-1);
    if (last?.kind === "text" && last.open && last.artifact === artifact && last.path === path) {
      last.text += text;
      last.rev += 1;
    } else add({ kind: "text", seq, artifact, path, text, open: true });
    for (let open = blocks.at(-1); open?.kind === "text"; open = blocks.at(-1)) {
      const cut = open.text.length > LONGEST || text.includes("\n") ? cutOf(open.text) : undefined;
      if (cut === undefined) return;
      const rest = open.text.slice(cut);
      open.text = open.text.slice(0, cut);
      add({ kind: "text", seq, artifact, path, text: rest, open: true });
    }
  };
  const think = (seq: number, path: string, text: string | undefined, size: number): void => {
    const last = blocks.at(-1);
    if (last?.kind === "reasoning" && last.open && last.path === path && last.text.length < LONG) {
      last.text += text ?? "";
      last.size += size;
      last.rev += 1;
    } else add({ kind: "reasoning", seq, path, text: text ?? "", size, open: true });
  };
  const sayParts = (seq: number, artifact: string, parts: readonly Part[]): void => {
    for (const part of parts) {
      const asked = askedIn(part);
      if (part.text !== undefined && isPlain(part)) say(seq, artifact, "", part.text);
      else if (asked?.kind === "approvals") add({ kind: "approvals", seq, approvals: asked.approvals, answers: new Map(), over: false });
      else if (asked?.kind === "form") add({ kind: "form", seq, schema: asked.schema, over: false });
      else {
        const last = blocks.at(-1);
        if (last?.kind === "parts" && last.artifact === artifact && last.parts.length < MANY_PARTS) {
          last.parts.push(part);
          last.rev += 1;
        } else add({ kind: "parts", seq, artifact, parts: [part] });
      }
    }
  };
  /** What was asked is answered. */
  const settle = (parts: readonly Part[]): void => {
    for (const block of blocks) {
      if ((block.kind !== "approvals" && block.kind !== "form") || block.over) continue;
      if (block.kind === "approvals") for (const { call, approve } of parts.flatMap(approvalsIn)) block.answers.set(call, approve);
      block.over = block.kind === "form" || block.approvals.every(({ call }) => block.answers.has(call)) || parts.some(({ text }) => text !== undefined);
      block.rev += 1;
    }
  };
  const endAsking = (): void => {
    for (const block of blocks) {
      if ((block.kind !== "approvals" && block.kind !== "form") || block.over) continue;
      block.over = true;
      block.rev += 1;
    }
  };
  const unsay = (artifact: string): void => {
    for (let at = blocks.length - 1; at >= 0; at -= 1) {
      const block = blocks[at];
      if (block !== undefined && "artifact" in block && block.artifact === artifact) blocks.splice(at, 1);
    }
  };
  /** A call is told once for everybody and once with its arguments, and again when it was approved. */
  const call = (seq: number, data: ExtensionData & { readonly kind: "tool-call" }): void => {
    const path = pathText(data.path);
    const known = blocks.findLast((block) => block.kind === "tool" && block.call === data.call && block.path === path);
    if (known?.kind !== "tool" || known.state !== "runs") {
      add({ kind: "tool", seq, call: data.call, name: data.name, path, arguments: data.arguments, output: undefined, state: "runs" });
      return;
    }
    known.arguments ??= data.arguments;
    known.rev += 1;
  };
  const result = (data: ExtensionData & { readonly kind: "tool-result" }): void => {
    const path = pathText(data.path);
    const done = blocks.findLast((block) => block.kind === "tool" && block.call === data.call && block.path === path);
    if (done?.kind !== "tool") return;
    done.state = data.failed ? "failed" : "done";
    done.output ??= data.output;
    done.rev += 1;
  };
  const hear = (seq: number, message: Message): void => {
    settle(message.parts);
    // An answer by buttons has its place at the question.
    if (message.parts.every((part) => approvalsIn(part).length > 0)) return;
    add({ kind: "user", seq, message });
  };

  return { blocks, add, close, say, think, sayParts, unsay, hear, endAsking, call, result };
}

/** A chain of child agents in words; "" for the agent itself. */
export function pathText(path: readonly string[] | undefined): string {
  return path?.join(" › ") ?? "";
}
