import type { SendBody, SendReply, StreamOpened, TaskSummary } from "../model/api.ts";
import type { TaskState } from "../model/a2a.ts";
import type { Audience } from "../model/entry.ts";
import type { Principal } from "../model/key.ts";
import type { ReaderInfo } from "../model/api.ts";

/**
 * What the endpoints under `/api` and the sockets do for a caller, once. All reads are by the caller's tenant and user: a foreign task does not exist.
 * All methods throw `IasError`.
 */
export interface Api {
  /** Puts a message into the log and returns; the same `messageId` again finds the task that the first made (SEMANTICS 16). Throws `not-found` for an unknown agent, and what SendMessage throws. */
  send(caller: Caller, agent: string, body: SendBody, options?: SendOptions): Promise<SendReply>;
  /** Cancels a task; one that is canceled is returned. Throws `task-not-found`, `task-not-cancelable`. */
  cancel(caller: Caller, name: TaskName): Promise<TaskSummary>;
  /** Opens a task's stream (SEMANTICS 4). Throws `task-not-found`; `limit-reached` when too many streams are open. */
  events(caller: Caller, name: TaskName, options: EventsOptions): Promise<EventStream>;
  /** All streams that the caller may see. Throws `limit-reached` when too many streams are open. */
  feed(caller: Caller, options: FeedOptions): Promise<FeedStream>;
}

/** Who asks. `signal` ends what is waited for and the streams that were opened, never a run. */
export interface Caller {
  readonly principal: Principal;
  readonly signal: AbortSignal;
}

/** How long what a message begins is kept. */
export interface SendOptions {
  /** The task is removed so long after its end, ms; absent: it is kept as every task. */
  readonly removeAfterMs?: number;
}

/** A task of the caller. `agent` is where to look first; without it all agents are asked. */
export interface TaskName {
  readonly task: string;
  readonly agent?: string;
}

/** From where a stream is read, by whom. */
export interface EventsOptions {
  /** A cursor; "0" or none: from the first entry that is kept. */
  readonly after?: string;
  /** Default `extension`. */
  readonly audience?: Audience;
  readonly transport: ReaderInfo["transport"];
  /** The last seq that the reader has dealt with, where it says so itself; default: the last that it was given. */
  readonly acked?: () => number;
  /** Largest batch, UTF-16 units of events; default `maxFrameBytes`. What a reader that does not read holds. */
  readonly maxBytes?: number;
}

/** An open stream of a task. */
export interface EventStream {
  readonly opened: StreamOpened;
  /** Nothing follows and nothing will: it is sealed, and the cursor is at its end. */
  readonly atEnd: boolean;
  /**
   * Entries in order, as they come; the next batch is fetched only when asked for. Ends when the stream is sealed and wholly given, when the caller's signal
   * aborts, when entries are gone that were to follow (a slow reader of a stream that rolls), or when the server stops: `isOver` says which. To be iterated once; returning it leaves the stream.
   */
  readonly batches: AsyncIterable<readonly EncodedEntry[]>;
  /** Once `batches` has ended: whether the stream itself is over; if not, it goes on at another connection. */
  isOver(): Promise<boolean>;
  /** The cursor of the last entry that was read, given to the reader or not. */
  cursor(): string;
}

/** A `StreamEntry` as JSON text, with its place. */
export interface EncodedEntry {
  readonly seq: number;
  readonly cursor: string;
  readonly json: string;
}

/** Which streams a feed has, and from where. */
export interface FeedOptions {
  readonly agent?: string;
  readonly context?: string;
  /** A task enters the feed in one of these states and then stays until its end; all states when absent. */
  readonly states?: readonly TaskState[];
  /**
   * A cursor of a checkpoint; "0": every task that there is; none: those that are not finished, from their first entry that is kept, and new ones. A cursor that is of no
   * use counts as none.
   */
  readonly after?: string;
  /**
   * Of the unfinished tasks that there are when a feed without a cursor begins only the last so many entries; those that begin later come whole, and from the first
   * checkpoint on nothing is left out. Default: all.
   */
  readonly tail?: number;
  /** Default `extension`. */
  readonly audience?: Audience;
  /** `false`: every task that there is, in any of the states, up to now, and then the feed ends; not with `after` (`invalid-params`). Default true. */
  readonly live?: boolean;
  /** Largest frame, UTF-16 units of events; default `maxFrameBytes`. A single larger entry, or a snapshot, passes it. */
  readonly maxBytes?: number;
  readonly transport: ReaderInfo["transport"];
}

/** An open feed; ends when the caller's signal aborts, when the server stops, or where it was not to be live. */
export type FeedStream = AsyncIterable<FeedItem>;

/**
 * Entries of one stream (a `FeedFrame` as JSON text), consecutive per task and each once within a connection, with a snapshot where some are gone; or a checkpoint: whoever comes back with its
 * cursor misses nothing, and may get entries again that came after it.
 */
export type FeedItem =
  | { readonly kind: "frame"; readonly agent: string; readonly task: string; readonly seq: number; readonly json: string }
  | { readonly kind: "checkpoint"; readonly cursor: string };
