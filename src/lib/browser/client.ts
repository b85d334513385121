import type { JsonObject, Part, TaskState } from "../model/a2a.ts";
import type {
  AgentSummary,
  ConversationSummary,
  FeedFrame,
  SendReply,
  ServerInfo,
  StreamEntry,
  StreamOpened,
  TaskDetail,
  TaskSummary,
  TaskSummaryPage,
  UploadedFile,
} from "../model/api.ts";
import type { Audience } from "../model/entry.ts";
import type { ClientError } from "./client-error.ts";

/**
 * The client of a server's `/api` for pages, and for Node from version 22 on. Streams come back by themselves after a lost connection and give every entry
 * exactly once, in order. All calls throw `ClientError`, and `signal.reason` when aborted.
 */
export interface Client {
  /** Who the caller is, and what the server offers. */
  session(options?: CallOptions): Promise<ServerInfo>;
  /**
   * Turns credentials, such as `{ authorization: "Bearer …" }`, into a session of the page: an HttpOnly cookie, so that no script has to keep them. Streams then come
   * back as the new caller, in all tabs.
   */
  signIn(credentials: Readonly<Record<string, string>>, options?: CallOptions): Promise<ServerInfo>;
  signOut(options?: CallOptions): Promise<void>;
  agents(options?: CallOptions): Promise<readonly AgentSummary[]>;
  /** A page of tasks, those first whose state changed last. */
  tasks(query?: TaskQuery, options?: CallOptions): Promise<TaskSummaryPage>;
  /** A task whole, with the `cursor` from which its stream goes on. `agent` is where to look first. */
  task(task: string, options?: CallOptions & { readonly agent?: string }): Promise<TaskDetail>;
  conversations(query?: ConversationQuery, options?: CallOptions): Promise<ConversationPage>;
  /** Sends a message; the answer comes on the task's stream. Tried again by itself when the connection is lost: a `messageId` is taken once. */
  send(agent: string, message: MessageToSend | string, options?: CallOptions): Promise<SendReply>;
  cancel(task: string, options?: CallOptions & { readonly agent?: string }): Promise<TaskSummary>;
  /** Answers a tool call that waits for approval. */
  approve(task: string, approval: Approval, options?: CallOptions & { readonly agent?: string }): Promise<SendReply>;
  /** Uploads a file, to be sent as `toPart(file)`. */
  upload(file: Blob, options?: CallOptions & { readonly filename?: string }): Promise<UploadedFile>;
  /** A task's entries, from the first that is kept or after a cursor, until it has ended. Leaving the loop ends it. */
  stream(task: string, options?: StreamOptions): EntryStream;
  /** Entries of all tasks that the caller may see. Does not end by itself. */
  feed(options?: FeedStreamOptions): AsyncIterable<FeedFrame>;
  /** Lets the connections go, also those of other tabs; streams come back. */
  reconnect(): void;
  /** Ends all streams and connections; what waits throws `ClientError` "aborted". */
  close(): void;
}

/** Where a client connects, and how. */
export interface ClientOptions {
  /** The server's address, such as `http://127.0.0.1:4000`. Default: the page's own origin. */
  readonly baseUrl?: string;
  /** `auto` (the default): one WebSocket for all streams, server-sent events where that cannot be opened. */
  readonly transport?: "auto" | "sse" | "websocket";
  readonly fetch?: typeof fetch;
  /** Sent with every request, such as `authorization`; asked for again at each. A page with a cookie session needs none. WebSockets then use a one-time ticket. */
  readonly headers?: Readonly<Record<string, string>> | (() => Readonly<Record<string, string>> | Promise<Readonly<Record<string, string>>>);
  /** Whether tabs of one origin share a connection. Default: yes in pages that give neither `headers` nor `fetch`. */
  readonly shared?: boolean;
  /** Before the second try, ms (250), and the longest wait (15 s); half of each wait is random. */
  readonly backoff?: { readonly baseMs: number; readonly maxMs: number };
  /** Lost connections in a row after which a stream throws; default: none, only errors that no retry mends end a stream. */
  readonly maxReconnects?: number;
  /** Server-sent event streams at once over `sse`; further ones take turns. Default: 4 in browsers, which allow six connections an origin; else 256. */
  readonly maxConnections?: number;
}

/** Of every call. */
export interface CallOptions {
  readonly signal?: AbortSignal;
}

/** Which tasks to list; all members are optional. Times are ms since the epoch. */
export interface TaskQuery {
  readonly agent?: string;
  readonly context?: string;
  readonly states?: readonly TaskState[];
  readonly since?: number;
  readonly until?: number;
  /** Words to search for, where the server has `search` among its features. */
  readonly q?: string;
  readonly pageSize?: number;
  /** `nextPageToken` of the page before. */
  readonly pageToken?: string;
}

/** Which conversations to list. */
export type ConversationQuery = Pick<TaskQuery, "agent" | "pageSize" | "pageToken">;

/** A page of conversations, newest first. */
export interface ConversationPage {
  readonly conversations: readonly ConversationSummary[];
  readonly nextPageToken: string;
}

/** A message: its text, or its parts. */
export interface MessageToSend {
  readonly text?: string;
  readonly parts?: readonly Part[];
  /** Made if absent. The same one again attaches to the task that the first made. */
  readonly messageId?: string;
  readonly contextId?: string;
  readonly taskId?: string;
  readonly metadata?: JsonObject;
}

/** An answer to a tool call that waits. */
export interface Approval {
  readonly call: string;
  readonly approve: boolean;
  /** Why, for the agent. */
  readonly note?: string;
}

/** How a stream is read. */
export interface StreamOptions extends Watching {
  /** Where to look for the task first. */
  readonly agent?: string;
  /** A cursor; without one from the first entry that is kept. */
  readonly after?: string;
  /** Default `extension`; `internal` has inputs and reasoning too. */
  readonly audience?: Audience;
  /** Hears how the stream opened, at each connection, before the entries that follow. At a `reset` start over with its `snapshot`, and then the entries. */
  readonly onOpened?: (opened: StreamOpened) => void;
}

/** Which streams a feed has. */
export interface FeedStreamOptions extends Watching {
  readonly agent?: string;
  readonly context?: string;
  /** A task enters the feed in one of these states and then stays until its end. */
  readonly states?: readonly TaskState[];
  /** "0": every task there ever was; without it those that are not finished, and new ones. */
  readonly after?: string;
  /** Of the tasks that there are when it begins only the last so many entries; default: all. */
  readonly tail?: number;
  readonly audience?: Audience;
  /** `false`: ends once everything that there is has been given. */
  readonly live?: boolean;
}

/** How a stream is watched and stopped. */
export interface Watching {
  readonly signal?: AbortSignal;
  readonly onConnection?: (state: ConnectionState) => void;
}

/** Entries of one task, for one loop. */
export interface EntryStream extends AsyncIterable<StreamEntry> {
  /** After it nothing is missed: of the last piece that was given whole. */
  readonly cursor: string | undefined;
}

/** What becomes of a stream's connection. */
export type ConnectionState =
  | { readonly kind: "open" }
  | { readonly kind: "lost"; readonly error: ClientError; readonly attempt: number; readonly retryInMs: number };
