import type { RecordWrite } from "../log/records.ts";
import type { Message } from "../model/a2a.ts";
import { IasError } from "../model/errors.ts";
import type { Principal, StreamKey } from "../model/key.ts";

/**
 * Where turns run. Everything that must survive is in the log before a runtime hears of it; a runtime may forget and look again.
 * MUST run at most one turn of a task and one *running* turn of a conversation at a time (SEMANTICS 17), and write only through an epoch that it opened.
 */
export interface Runtime extends AsyncDisposable {
  /**
   * Throws `unavailable` (draining) or `limit-reached` (`maxQueuedTurns`, `maxQueuedTurnsPerUser`), both retryable, if a turn of a user could not be taken now.
   * Asked before a turn is recorded.
   */
  admit(user: Pick<Principal, "tenant" | "user">): void;
  /** A turn is recorded (the task is SUBMITTED): run it when its conversation is free. Returns once it is queued; a repeated call is harmless, and nothing is refused here. */
  submit(key: StreamKey): Promise<void>;
  /** Hands an input to the running turn's owner, which records it before this resolves. `idle`: no turn runs here, record it yourself. */
  input(key: StreamKey, input: Input): Promise<"recorded" | "idle">;
  /** Asks the owner to end the turn as CANCELED. `asked` does not say that it has ended: watch the stream. */
  cancel(key: StreamKey, request: CancelRequest): Promise<"asked" | "idle">;
  /** Takes no more turns (`unavailable`, retryable) and lets running ones go on for up to `graceMs`; then they are aborted and left to recovery. */
  drain(options: { readonly graceMs: number }): Promise<void>;
}

/** A message for a task that exists. */
export interface Input {
  readonly principal: Principal;
  readonly message: Message;
  /** Committed with the message. Their `ifVersion` is not asked: nothing but the stream itself may stop what a turn writes. */
  readonly records?: readonly RecordWrite[];
}

/** Who ends a turn. */
export interface CancelRequest {
  readonly principal: Principal;
}

/** The refusal of what would have to wait where enough waits already: `waiting` says how many of what, `limit` names the limit. */
export function queueFull(waiting: string, limit: "maxQueuedTurns" | "maxQueuedTurnsPerUser" | "maxQueuedPerConversation"): IasError {
  return new IasError("limit-reached", `${waiting} (${limit}); send this one later.`, { reason: "QUEUE_FULL", retryable: true, retryAfterMs: 1000 });
}
