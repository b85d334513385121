import type { Agent } from "../engine/agent.ts";
import type { JsonObject, Message, StreamResponse, Task } from "../model/a2a.ts";
import type { Audience, EXTENSION_URI } from "../model/entry.ts";
import type { Principal, StreamKey } from "../model/key.ts";
import type { ReaderInfo } from "../model/api.ts";

/**
 * The operations of A2A 1.0.1 (section 3.1), once, on ProtoJSON values; each binding only finds the caller and the parameters,
 * and puts results and errors into its form. Parameters are unknown on purpose: operations parse them, so that every binding refuses the same.
 * All throw `IasError`; `a2a/errors.ts` has the wire forms.
 */
export interface Operations {
  sendMessage(call: Call, params: unknown): Promise<{ readonly task: Task } | { readonly message: Message }>;
  sendStreamingMessage(call: Call, params: unknown): Promise<FrameStream>;
  getTask(call: Call, params: unknown): Promise<Task>;
  listTasks(call: Call, params: unknown): Promise<TaskList>;
  cancelTask(call: Call, params: unknown): Promise<Task>;
  subscribeToTask(call: Call, params: unknown): Promise<FrameStream>;
  createTaskPushNotificationConfig(call: Call, params: unknown): Promise<PushConfig>;
  getTaskPushNotificationConfig(call: Call, params: unknown): Promise<PushConfig>;
  listTaskPushNotificationConfigs(call: Call, params: unknown): Promise<{ readonly configs: readonly PushConfig[]; readonly nextPageToken?: string }>;
  deleteTaskPushNotificationConfig(call: Call, params: unknown): Promise<void>;
  getExtendedAgentCard(call: Call, params: unknown): Promise<JsonObject>;
}

/** Who calls which agent, and the service parameters of the call (specification 3.2.6), the same for every binding. */
export interface Call {
  readonly principal: Principal;
  readonly agent: Agent;
  readonly version: "1.0" | "0.3";
  /** URIs that the caller activated (`A2A-Extensions`). */
  readonly extensions: ReadonlySet<string>;
  /** A cursor to go on from: `Last-Event-ID`, gRPC `a2a-last-event-id`. */
  readonly lastEventId?: string;
  /** `Idempotency-Key`. */
  readonly idempotencyKey?: string;
  /** The task that the message makes or goes to is removed so long after its end, ms; absent: it is kept. */
  readonly removeAfterMs?: number;
  /** Aborted when the caller has gone. It ends what the caller waits for, never a run. */
  readonly signal: AbortSignal;
  /** By which way it came, for the list of readers; absent: not listed. */
  readonly transport?: ReaderInfo["transport"];
  /** Largest batch of a stream, UTF-16 units of events, below `maxFrameBytes`: what a reader that does not read holds. */
  readonly maxBatchBytes?: number;
}

/** A stream of a task for one reader. */
export interface FrameStream {
  readonly key: StreamKey;
  /** How it opened (SEMANTICS 4). A `message` stream has one frame, of a message-only reply, without a cursor. */
  readonly opening: "fresh" | "resume" | "reset" | "message";
  readonly audience: Audience;
  /**
   * Frames in order, in batches; a batch is at most what one read of the log gives. Ends as SEMANTICS 5 says. Several frames of one opening may share a cursor.
   * The next batch is fetched only when asked for: a slow reader falls back to the store.
   */
  readonly frames: AsyncIterable<readonly Frame[]>;
}

/** One event on its way to a reader: an `Entry` is one. */
export interface Frame {
  /** The cursor's number. */
  readonly seq: number;
  /** `StreamResponse` as JSON text. Bindings that translate cache by this object (SEMANTICS 7): entries are shared between readers. */
  readonly event: string;
}

/** `a2a.v1.ListTasksResponse`. */
export interface TaskList {
  readonly tasks: readonly Task[];
  /** "" at the end. */
  readonly nextPageToken: string;
  readonly pageSize: number;
  readonly totalSize: number;
}

/** `a2a.v1.TaskPushNotificationConfig` in ProtoJSON. */
export interface PushConfig {
  readonly id: string;
  readonly taskId: string;
  readonly url: string;
  readonly token?: string;
  readonly authentication?: { readonly scheme: string; readonly credentials?: string };
  readonly tenant?: string;
  /** Only once the server has given up on it, and only for callers that activated our extension (PROTOCOL.md, PUSH-2). */
  readonly [EXTENSION_URI]?: { readonly givenUp: GivenUp };
}

/** Since when (RFC 3339), after how many failures in a row, and the last one in words. */
export interface GivenUp {
  readonly at: string;
  readonly failures: number;
  readonly why: string;
}

/** Decodes a frame's event. */
export function decodeFrame(frame: Frame): StreamResponse {
  return JSON.parse(frame.event) as StreamResponse;
}
