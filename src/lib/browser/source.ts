import type { TaskState } from "../model/a2a.ts";
import type { FeedFrame, StreamEntry, StreamOpened } from "../model/api.ts";
import type { Audience } from "../model/entry.ts";

/** What is subscribed to: a task's stream, or the feed of all. */
export type Subscription = { readonly after?: string | undefined; readonly audience?: Audience; readonly agent?: string } & (
  | { readonly kind: "task"; readonly task: string }
  | { readonly kind: "feed"; readonly context?: string; readonly states?: readonly TaskState[]; readonly tail?: number; readonly live?: boolean }
);

/** What comes of a subscription, in order. Whoever comes back with the last `cursor` misses nothing. Plain data: it crosses from tab to tab. */
export type Piece =
  | { readonly kind: "opened"; readonly opened: StreamOpened }
  | { readonly kind: "entries"; readonly cursor: string | undefined; readonly entries: readonly StreamEntry[] }
  | { readonly kind: "feed"; readonly cursor: string | undefined; readonly frames: readonly FeedFrame[] };

/**
 * One attempt at a subscription: gives pieces as they come, each asked for when the one before was dealt with. Ends when the stream has ended; throws
 * `ClientError` when the connection is lost (`retryable`) or refused, and the signal's reason. Returning it lets the subscription go.
 */
export type Source = (subscription: Subscription, signal: AbortSignal) => AsyncGenerator<Piece, void, undefined>;

/** Where to come back to after a piece. */
export function cursorOf(piece: Piece): string | undefined {
  return piece.kind === "opened" ? piece.opened.cursor : piece.cursor;
}
