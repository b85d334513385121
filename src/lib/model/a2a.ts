/**
 * A2A 1.0.1 wire types in ProtoJSON form (specification section 4; field names are camelCase, enums are their proto names).
 * These are the shapes on the wire and in the log; nothing here has behaviour.
 */

/** Any JSON value, as `google.protobuf.Value` admits. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

/** A JSON object, as `google.protobuf.Struct` admits. */
export type JsonObject = { readonly [key: string]: Json };

/** States of a task, as A2A names them. */
export const TASK_STATES = [
  "TASK_STATE_SUBMITTED",
  "TASK_STATE_WORKING",
  "TASK_STATE_COMPLETED",
  "TASK_STATE_FAILED",
  "TASK_STATE_CANCELED",
  "TASK_STATE_INPUT_REQUIRED",
  "TASK_STATE_REJECTED",
  "TASK_STATE_AUTH_REQUIRED",
] as const;

/** `a2a.v1.TaskState`. */
export type TaskState = (typeof TASK_STATES)[number];

/** `a2a.v1.Role`. */
export type Role = "ROLE_USER" | "ROLE_AGENT";

/** One piece of content: exactly one of `text`, `raw` (base64), `url`, `data`. */
export interface Part {
  readonly text?: string;
  /** Base64 of the bytes. */
  readonly raw?: string;
  readonly url?: string;
  readonly data?: Json;
  readonly metadata?: JsonObject;
  readonly filename?: string;
  readonly mediaType?: string;
}

/** A message between a client and an agent. */
export interface Message {
  readonly messageId: string;
  readonly contextId?: string;
  readonly taskId?: string;
  readonly role: Role;
  readonly parts: readonly Part[];
  readonly metadata?: JsonObject;
  readonly extensions?: readonly string[];
  readonly referenceTaskIds?: readonly string[];
}

/** The state of a task, since when (RFC 3339 UTC with milliseconds), and an optional message of the agent. */
export interface TaskStatus {
  readonly state: TaskState;
  readonly message?: Message;
  readonly timestamp?: string;
}

/** An output of a task. */
export interface Artifact {
  readonly artifactId: string;
  readonly name?: string;
  readonly description?: string;
  readonly parts: readonly Part[];
  readonly metadata?: JsonObject;
  readonly extensions?: readonly string[];
}

/** A task as GetTask returns it. */
export interface Task {
  readonly id: string;
  readonly contextId: string;
  readonly status: TaskStatus;
  readonly artifacts?: readonly Artifact[];
  readonly history?: readonly Message[];
  readonly metadata?: JsonObject;
}

/** A change of a task's status. */
export interface TaskStatusUpdateEvent {
  readonly taskId: string;
  readonly contextId: string;
  readonly status: TaskStatus;
  readonly metadata?: JsonObject;
}

/** A new artifact (`append` false or absent) or more parts of a known one (`append` true). */
export interface TaskArtifactUpdateEvent {
  readonly taskId: string;
  readonly contextId: string;
  readonly artifact: Artifact;
  readonly append?: boolean;
  readonly lastChunk?: boolean;
  readonly metadata?: JsonObject;
}

/** What a stream carries; the member's name says which. */
export type StreamResponse =
  | { readonly task: Task }
  | { readonly message: Message }
  | { readonly statusUpdate: TaskStatusUpdateEvent }
  | { readonly artifactUpdate: TaskArtifactUpdateEvent };

/** The id of the task that an event is of; undefined for a message without a task, and where an agent leaves it empty. */
export function taskIdOf(event: StreamResponse): string | undefined {
  const id =
    "task" in event ? event.task.id : "statusUpdate" in event ? event.statusUpdate.taskId : "artifactUpdate" in event ? event.artifactUpdate.taskId : undefined;
  return id === "" ? undefined : id;
}

/** The states in which a task is over. */
export const TERMINAL_STATES: readonly TaskState[] = ["TASK_STATE_COMPLETED", "TASK_STATE_FAILED", "TASK_STATE_CANCELED", "TASK_STATE_REJECTED"];

/** Whether a task in `state` is over: its stream is sealed and takes no more entries. */
export function isTerminal(state: TaskState): boolean {
  return TERMINAL_STATES.includes(state);
}

/** Whether a task in `state` waits for its client: for a message or for credentials. */
export function isInterrupted(state: TaskState): boolean {
  return state === "TASK_STATE_INPUT_REQUIRED" || state === "TASK_STATE_AUTH_REQUIRED";
}
