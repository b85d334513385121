import type { Json, JsonObject } from "../model/a2a.ts";

/** The operations of A2A 1.0 by their names. */
export type Operation =
  | "SendMessage"
  | "SendStreamingMessage"
  | "GetTask"
  | "ListTasks"
  | "CancelTask"
  | "SubscribeToTask"
  | "CreateTaskPushNotificationConfig"
  | "GetTaskPushNotificationConfig"
  | "ListTaskPushNotificationConfigs"
  | "DeleteTaskPushNotificationConfig"
  | "GetExtendedAgentCard";

/** Those that answer with a stream. */
export type StreamOperation = "SendStreamingMessage" | "SubscribeToTask";

/**
 * One binding to one remote interface: puts 1.0 parameters on the wire (translated where the interface speaks 0.3) and gives back what came, as it came;
 * `read.ts` makes sense of it. Throws `IasError` as the client does.
 */
export interface Wire extends AsyncDisposable {
  /** Which form answers are in. */
  readonly version: "1.0" | "0.3";
  call(operation: Exclude<Operation, StreamOperation>, params: JsonObject, options: WireOptions): Promise<Json>;
  /** Opens a stream. Ends without an error when the server ends it; a broken connection throws `unavailable` or `timeout`, both retryable. The connection closes when the iteration ends. */
  stream(operation: StreamOperation, params: JsonObject, options: WireStreamOptions): AsyncIterable<WireFrame>;
}

/** Of every call. */
export interface WireOptions {
  readonly signal?: AbortSignal;
  /** Makes sending idempotent where the server knows the header (SEMANTICS 16). */
  readonly idempotencyKey?: string;
}

/** Of every stream. */
export interface WireStreamOptions extends WireOptions {
  /** A cursor to resume after. */
  readonly lastEventId?: string;
  /** Silence after which the connection counts as lost, ms. */
  readonly idleTimeoutMs: number;
}

/** One payload of a stream: a `StreamResponse` in the interface's form. */
export interface WireFrame {
  readonly payload: Json;
  /** From the frame itself (SSE `id:`); bindings without one carry it in the event's metadata. */
  readonly cursor?: string;
  /** The server's reconnection time, ms, when it has told one since the last frame. */
  readonly retryMs?: number;
  /** The frame is an error that the server put into the stream; a wire throws it. */
  readonly failed?: boolean;
}
