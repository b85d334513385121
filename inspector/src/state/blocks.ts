import type { Json, Message, Part } from "../../../src/lib/model/a2a.ts";

/** What is said and done in a task, in order, for people. Blocks change in place; `rev` counts their changes. */
export type Block = { readonly id: number; readonly seq: number; rev: number } & (
  | { readonly kind: "user"; readonly message: Message }
  /** The agent's words; with `path` another agent's, whom it asked. */
  | { readonly kind: "text"; readonly artifact: string; readonly path: string; text: string; open: boolean }
  /** What is no plain text: files, data. */
  | { readonly kind: "parts"; readonly artifact: string; readonly parts: Part[] }
  | { readonly kind: "reasoning"; readonly path: string; text: string; size: number; open: boolean }
  | {
      readonly kind: "tool";
      readonly call: string;
      readonly name: string;
      readonly path: string;
      arguments: string | undefined;
      output: string | undefined;
      state: "runs" | "done" | "failed";
    }
  | { readonly kind: "delegation"; readonly from: string; readonly to: string; readonly via: string; readonly task: string | undefined }
  | { readonly kind: "approvals"; readonly approvals: readonly Approval[]; readonly answers: Map<string, boolean>; over: boolean }
  | { readonly kind: "form"; readonly schema: FormSchema; over: boolean }
  | { readonly kind: "notice"; readonly tone: "plain" | "bad" | "warn"; readonly text: string }
);

/** A tool call that waits for a person. */
export interface Approval {
  readonly call: string;
  readonly name: string;
  readonly arguments: string;
}

/** What an agent asks to be filled in: JSON Schema of an object of plain values. */
export interface FormSchema {
  readonly title?: string;
  readonly description?: string;
  readonly properties: Readonly<Record<string, { readonly [key: string]: Json }>>;
  readonly required: readonly string[];
}
