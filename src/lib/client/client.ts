import type { JsonObject, Message, StreamResponse, Task, TaskState } from "../model/a2a.ts";
import type { IasError } from "../model/errors.ts";
import type { RemoteCard, RemoteInterface } from "./card.ts";

/**
 * A remote A2A agent, over whichever binding and version it speaks; everything here is in A2A 1.0's form, whatever is on the wire.
 * Reading is lenient, writing is strict (SEMANTICS 27). All throw `IasError`: A2A's own errors by their codes, `unauthenticated`, `forbidden`,
 * `not-found`, `limit-reached`, `unavailable`, `timeout`, `invalid-agent-response`, `remote-failed`, `aborted`. Disposing closes its connections.
 */
export interface A2AClient extends AsyncDisposable {
  readonly card: RemoteCard;
  /** The interface of the card that is used. */
  readonly remote: RemoteInterface;
  /** Whether the agent declares our extension: streams then have cursors and resume without a gap, and sending is idempotent. */
  readonly hasCursors: boolean;
  send(request: SendRequest, options?: CallOptions): Promise<SendResult>;
  /**
   * Sends and streams: what the agent sends, one item each, in order; the next is read when asked for. Reconnects by itself (SEMANTICS 27) and ends at a message,
   * at a terminal state, or when the turn ends in INPUT_REQUIRED. An agent that cannot stream is polled.
   * Leaving the loop closes the connection; the task goes on.
   */
  stream(request: SendRequest, options?: StreamOptions): AsyncIterable<StreamItem>;
  /** Follows a task until it is terminal (interruptions do not end it where the agent keeps its stream open). With `after`, only what came after that cursor. */
  subscribe(task: string, options?: StreamOptions & { readonly after?: string }): AsyncIterable<StreamItem>;
  getTask(task: string, options?: CallOptions & { readonly historyLength?: number }): Promise<Task>;
  /** Throws `unsupported-operation` on 0.3, which has no such method. */
  listTasks(query?: ListQuery, options?: CallOptions): Promise<TaskPage>;
  cancelTask(task: string, options?: CallOptions & { readonly metadata?: JsonObject }): Promise<Task>;
  createPushConfig(config: PushConfig, options?: CallOptions): Promise<PushConfig>;
  getPushConfig(task: string, id: string, options?: CallOptions): Promise<PushConfig>;
  listPushConfigs(task: string, options?: CallOptions): Promise<readonly PushConfig[]>;
  deletePushConfig(task: string, id: string, options?: CallOptions): Promise<void>;
  /** The card for authenticated callers, as the agent sent it. */
  extendedCard(options?: CallOptions): Promise<JsonObject>;
}

/** Of every call: an abort rejects it with `aborted`. */
export interface CallOptions {
  readonly signal?: AbortSignal;
}

/** Of every stream. */
export interface StreamOptions extends CallOptions {
  /** Told when the connection changes; for people, nothing depends on it. */
  readonly onConnection?: (state: ConnectionState) => void;
}

/** How a stream is connected just now. */
export type ConnectionState =
  | { readonly kind: "open" }
  | { readonly kind: "lost"; readonly reason: string; readonly retryInMs: number; readonly attempt: number; readonly error?: IasError }
  /** The agent cannot be subscribed to: its task is asked for from time to time. */
  | { readonly kind: "polling" };

/** One event of a stream. */
export interface StreamItem {
  readonly event: StreamResponse;
  /** Where to go on after this event; absent when the agent has no cursors, and on repairs. */
  readonly cursor?: string;
  /**
   * The event was not sent as such: after a lost connection it brings what we have up to the agent's task. `append` is what was missed;
   * `replace` voids what was said of this artifact before.
   */
  readonly resync?: "append" | "replace";
}

/** `a2a.v1.SendMessageRequest`. */
export interface SendRequest {
  readonly message: Message;
  readonly configuration?: {
    readonly acceptedOutputModes?: readonly string[];
    readonly historyLength?: number;
    readonly returnImmediately?: boolean;
    readonly taskPushNotificationConfig?: Omit<PushConfig, "taskId">;
  };
  readonly metadata?: JsonObject;
}

/** `a2a.v1.SendMessageResponse`. */
export type SendResult = { readonly task: Task } | { readonly message: Message };

/** `a2a.v1.ListTasksRequest`. */
export interface ListQuery {
  readonly contextId?: string;
  readonly status?: TaskState;
  /** 1 to 100. */
  readonly pageSize?: number;
  readonly pageToken?: string;
  readonly historyLength?: number;
  /** RFC 3339. */
  readonly statusTimestampAfter?: string;
  readonly includeArtifacts?: boolean;
}

/** `a2a.v1.ListTasksResponse`. */
export interface TaskPage {
  readonly tasks: readonly Task[];
  /** "" on the last page. */
  readonly nextPageToken: string;
  readonly pageSize: number;
  readonly totalSize: number;
}

/** `a2a.v1.TaskPushNotificationConfig`. */
export interface PushConfig {
  readonly taskId: string;
  readonly url: string;
  readonly id?: string;
  readonly token?: string;
  readonly authentication?: { readonly scheme: string; readonly credentials?: string };
}
