import type { Part } from "../../model/a2a.ts";
import type { ErrorCode, ErrorOptions } from "../../model/errors.ts";
import type { AgentEvent, Turn } from "../engine.ts";

/** To a turn's thread. One `next` asks for one event. */
export type ToThread =
  | { readonly kind: "next" }
  /** `reason` is that of the signal's `IasError`: TURN_ABANDONED where the turn goes on elsewhere. */
  | { readonly kind: "abort"; readonly reason?: string }
  | { readonly kind: "answer"; readonly id: number; readonly value: unknown }
  | { readonly kind: "refusal"; readonly id: number; readonly code: ErrorCode; readonly message: string; readonly retryable: boolean };

/** From a turn's thread. */
export type FromThread =
  | { readonly kind: "event"; readonly event: AgentEvent }
  | { readonly kind: "end" }
  | { readonly kind: "error"; readonly code: ErrorCode; readonly message: string; readonly facts: ErrorOptions }
  | TurnCall;

/** A method of the turn, called from the thread. */
export type TurnCall = { readonly kind: "call"; readonly id: number } & (
  | { readonly method: "history" | "references" }
  | { readonly method: "load"; readonly part: Part }
);

/** A turn without its methods: what can be copied into a thread. */
export type PlainTurn = Omit<Turn, "history" | "references" | "load">;

/** What a thread starts with. */
export interface ThreadData {
  readonly module: string;
  readonly name: string;
  readonly turn: PlainTurn;
}

/** What of `turn` can be copied into a thread. */
export function toPlainTurn(turn: Turn): PlainTurn {
  const { history: _history, references: _references, load: _load, ...plain } = turn;
  return plain;
}
