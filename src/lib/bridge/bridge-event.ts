import type { Json, JsonObject } from "../model/a2a.ts";
import type { ErrorCode } from "../model/errors.ts";

/**
 * What a turn's entries say, in the words that all frontends' protocols share: one union, made of entries by `createTranslator`, put into each protocol's
 * form by its encoder. Blocks (text, reasoning) open, grow and close; never two of the same agent are open at once. Ids are made of the entries alone, so a
 * second reader of the same entries gets the same ids. `path` names the chain of child agents; absent, the turn's agent itself speaks.
 */
export type BridgeEvent =
  | { readonly kind: "text-start"; readonly id: string; readonly child?: string }
  | { readonly kind: "text"; readonly id: string; readonly delta: string; readonly child?: string }
  | { readonly kind: "text-end"; readonly id: string; readonly child?: string }
  | { readonly kind: "reasoning-start"; readonly id: string; readonly child?: string }
  | { readonly kind: "reasoning"; readonly id: string; readonly delta: string; readonly child?: string }
  | { readonly kind: "reasoning-end"; readonly id: string; readonly child?: string }
  /** `arguments` is JSON text as the model gave it; absent where the agent does not expose it. */
  | { readonly kind: "tool-call"; readonly id: string; readonly name: string; readonly arguments?: string; readonly child?: string }
  | { readonly kind: "tool-result"; readonly id: string; readonly name: string; readonly output?: string; readonly failed: boolean; readonly child?: string }
  /** A file of the answer; `url` is a data URL where the bytes are inline. */
  | { readonly kind: "file"; readonly id: string; readonly url: string; readonly mediaType: string; readonly filename?: string }
  | { readonly kind: "data"; readonly id: string; readonly value: Json }
  /** A child agent works, until `child-end`; `id` is of this one invocation. */
  | { readonly kind: "child-start"; readonly id: string; readonly name: string; readonly parent?: string }
  | { readonly kind: "child-end"; readonly id: string; readonly name: string }
  /** What the agent says of its work, beside the answer. */
  | { readonly kind: "status"; readonly text: string }
  | { readonly kind: "note"; readonly name: string; readonly value: Json }
  | { readonly kind: "usage"; readonly usage: JsonObject }
  /**
   * The task waits for its user to authorise something, outside of the stream, which stays open (SEMANTICS 5); the same id again without `waits` once it goes on. What
   * the agent says to it is text of the answer too, before it.
   */
  | { readonly kind: "auth"; readonly id: string; readonly waits: boolean; readonly message: string }
  /** The task waited here for answers that it has got meanwhile. Every block and child is closed before it. */
  | { readonly kind: "pause" }
  /** The last one. Every block and child is closed before it. */
  | { readonly kind: "end"; readonly end: TurnEnd };

/** How a turn ended, as its task tells. */
export type TurnEnd =
  | { readonly outcome: "completed" | "canceled" }
  /** `message` is for people. */
  | { readonly outcome: "failed"; readonly code: string; readonly message: string; readonly retryable: boolean }
  /** A new attempt began: what was sent is void, and cannot be taken back (SEMANTICS 19). */
  | { readonly outcome: "superseded" }
  /** The client must answer: a question, or tool calls that wait for a yes. */
  | { readonly outcome: "input"; readonly message: string; readonly approvals: readonly WaitingCall[] };

/** A tool call that waits for a human; `id` as in its `tool-call`. */
export interface WaitingCall {
  readonly id: string;
  readonly name: string;
  readonly arguments: string;
}

/** The code of a failure that names none. */
export const FAILED: ErrorCode = "engine-failed";
