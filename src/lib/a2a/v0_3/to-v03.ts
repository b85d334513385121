import type { Artifact, Json, JsonObject, Message, Part, StreamResponse, Task, TaskState, TaskStatus } from "../../model/a2a.ts";
import { isTerminal } from "../../model/a2a.ts";
import { isObject } from "../../model/json.ts";
import type { PushConfig } from "../operations.ts";

/**
 * A2A 1.0 values as protocol 0.3 says them on JSON-RPC and in webhooks: discriminated by `kind`, states and roles in lower case. Pure; what 0.3 has no
 * word for (a media type of text, a file name of data) is left out. Members that are absent stay absent.
 */

const STATES: Readonly<Record<TaskState, string>> = {
  TASK_STATE_SUBMITTED: "submitted",
  TASK_STATE_WORKING: "working",
  TASK_STATE_COMPLETED: "completed",
  TASK_STATE_FAILED: "failed",
  TASK_STATE_CANCELED: "canceled",
  TASK_STATE_INPUT_REQUIRED: "input-required",
  TASK_STATE_REJECTED: "rejected",
  TASK_STATE_AUTH_REQUIRED: "auth-required",
};

/** Marks a data part whose value is not an object; 0.3 knows only objects, so it stands in `{ value }`. The official SDKs have the same. */
export const WRAPPED_DATA = "data_part_compat";

/** A stream's event. `last` says that the stream ends with this status, though the task has not (SEMANTICS 5); a terminal status is always `final`. */
export function toV03Event(event: StreamResponse, options: { readonly last?: boolean } = {}): JsonObject {
  if ("task" in event) return toV03Task(event.task);
  if ("message" in event) return toV03Message(event.message);
  if ("statusUpdate" in event) {
    const { taskId, contextId, status, metadata } = event.statusUpdate;
    const final = options.last === true || isTerminal(status.state);
    return withPresent({ kind: "status-update", taskId, contextId, status: toV03Status(status), final }, { metadata });
  }
  const { taskId, contextId, artifact, append = false, lastChunk = false, metadata } = event.artifactUpdate;
  return withPresent({ kind: "artifact-update", taskId, contextId, artifact: toV03Artifact(artifact), append, lastChunk }, { metadata });
}

/** A task. */
export function toV03Task({ id, contextId, status, history, artifacts, metadata }: Task): JsonObject {
  return withPresent(
    { kind: "task", id, contextId, status: toV03Status(status) },
    { history: filled(history)?.map(toV03Message), artifacts: filled(artifacts)?.map(toV03Artifact), metadata },
  );
}

/** A message. */
export function toV03Message({ messageId, role, parts, contextId, taskId, metadata, extensions, referenceTaskIds }: Message): JsonObject {
  return withPresent(
    { kind: "message", messageId, role: role === "ROLE_USER" ? "user" : "agent", parts: parts.map(toV03Part) },
    { contextId: named(contextId), taskId: named(taskId), metadata, extensions: filled(extensions), referenceTaskIds: filled(referenceTaskIds) },
  );
}

/** A webhook. 0.3 names several schemes; 1.0 keeps one. */
export function toV03PushConfig({ taskId, id, url, token, authentication }: PushConfig): JsonObject {
  const auth =
    authentication && withPresent({ schemes: authentication.scheme === "" ? [] : [authentication.scheme] }, { credentials: named(authentication.credentials) });
  return { taskId, pushNotificationConfig: withPresent({ url }, { id: named(id), token: named(token), authentication: auth }) };
}

function toV03Status({ state, message, timestamp }: TaskStatus): JsonObject {
  return withPresent({ state: STATES[state] ?? "unknown" }, { message: message && toV03Message(message), timestamp: named(timestamp) });
}

function toV03Artifact({ artifactId, name, description, parts, metadata, extensions }: Artifact): JsonObject {
  return withPresent(
    { artifactId, parts: parts.map(toV03Part) },
    { name: named(name), description: named(description), metadata, extensions: filled(extensions) },
  );
}

function toV03Part(part: Part): JsonObject {
  const { text, raw, url, data, filename, mediaType, metadata } = part;
  if (text !== undefined) return withPresent({ kind: "text", text }, { metadata });
  if (raw === undefined && url === undefined) return toV03Data(data ?? null, metadata);
  const content: JsonObject = raw === undefined ? { uri: url ?? "" } : { bytes: raw };
  return withPresent({ kind: "file", file: withPresent(content, { mimeType: named(mediaType), name: named(filename) }) }, { metadata });
}

function toV03Data(data: Json, metadata: JsonObject | undefined): JsonObject {
  if (isObject(data)) return withPresent({ kind: "data", data }, { metadata });
  return { kind: "data", data: { value: data }, metadata: { ...metadata, [WRAPPED_DATA]: true } };
}

function withPresent(members: JsonObject, optional: { readonly [member: string]: Json | undefined }): JsonObject {
  const present: Record<string, Json> = { ...members };
  for (const [name, value] of Object.entries(optional)) if (value !== undefined) present[name] = value;
  return present;
}

function named(text: string | undefined): string | undefined {
  return text === "" ? undefined : text;
}

function filled<T>(list: readonly T[] | undefined): readonly T[] | undefined {
  return list === undefined || list.length === 0 ? undefined : list;
}
