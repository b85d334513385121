import type { Artifact, Json, JsonObject, Message, Part, StreamResponse, Task, TaskStatus } from "../../model/a2a.ts";
import { isTerminal } from "../../model/a2a.ts";
import { invalidField } from "../../model/errors.ts";
import { isObject } from "../../model/json.ts";
import type { PushConfig } from "../operations.ts";
import { fromV03Send } from "./from-v03.ts";

/**
 * Protocol 0.3 on REST: the ProtoJSON of its `a2a.v1` package, another form than its JSON-RPC: `content` instead of `parts`, `TASK_STATE_CANCELLED`,
 * resource names for webhooks. Official 0.3 clients refuse members that the proto does not have, so none is added.
 */

/** A stream's event; `last` as in `toV03Event`. */
export function toProtoEvent(event: StreamResponse, options: { readonly last?: boolean } = {}): JsonObject {
  if ("task" in event) return { task: toProtoTask(event.task) };
  if ("message" in event) return { message: toProtoMessage(event.message) };
  if ("statusUpdate" in event) {
    const { taskId, contextId, status, metadata } = event.statusUpdate;
    const final = options.last === true || isTerminal(status.state);
    return { statusUpdate: compact({ taskId, contextId, status: toProtoStatus(status), final, metadata }) };
  }
  const { taskId, contextId, artifact, append, lastChunk, metadata } = event.artifactUpdate;
  return { artifactUpdate: compact({ taskId, contextId, artifact: toProtoArtifact(artifact), append, lastChunk, metadata }) };
}

/** A task. */
export function toProtoTask({ id, contextId, status, artifacts, history, metadata }: Task): JsonObject {
  return compact({ id, contextId, status: toProtoStatus(status), artifacts: artifacts?.map(toProtoArtifact), history: history?.map(toProtoMessage), metadata });
}

/** A message. */
export function toProtoMessage({ messageId, contextId, taskId, role, parts, metadata, extensions }: Message): JsonObject {
  return compact({ messageId, contextId, taskId, role, content: parts.map(toProtoPart), metadata, extensions });
}

/** A webhook under its resource name. */
export function toProtoPushConfig({ taskId, id, url, token, authentication }: PushConfig): JsonObject {
  const auth = authentication && compact({ schemes: [authentication.scheme], credentials: authentication.credentials });
  return { name: `tasks/${taskId}/pushNotificationConfigs/${id}`, pushNotificationConfig: compact({ id, url, token, authentication: auth }) };
}

/**
 * The body of `message:send` as parameters of the 1.0 operation. Field names in camelCase or as in the proto; the JSON-RPC form (`kind`, `parts`) is
 * understood as well, since some clients send it here. Throws `invalid-params`.
 */
export function fromProtoSend(body: unknown): JsonObject {
  const { message, request, configuration, metadata } = toObject(body, "body");
  const sent = toObject(message ?? request, "message");
  if ("parts" in sent || "kind" in sent) return fromV03Send({ message: sent, configuration, metadata });
  const { messageId, contextId, taskId, role, content, metadata: own, extensions } = sent;
  if (!Array.isArray(content) || content.length === 0) throw invalidField("message.content", "must hold at least one part");
  return compact({
    message: compact({
      messageId,
      contextId: named(contextId),
      taskId: named(taskId),
      role: fromRole(role),
      parts: content.map(fromProtoPart),
      metadata: own,
      extensions,
    }),
    configuration: configuration === undefined ? undefined : fromConfiguration(toObject(configuration, "configuration")),
    metadata,
  });
}

/** A webhook in any of the wrappings that 0.3 clients send: bare, `{ pushNotificationConfig }`, `{ config: { pushNotificationConfig } }`. */
export function fromProtoPush(body: unknown, taskId: Json): JsonObject {
  const outer = toObject(body, "body");
  const config = outer["config"] === undefined ? outer : toObject(outer["config"], "config");
  const inner = config["pushNotificationConfig"] === undefined ? config : toObject(config["pushNotificationConfig"], "pushNotificationConfig");
  return { taskId, ...fromPush(inner, outer["configId"]) };
}

function fromPush({ id, url, token, authentication }: JsonObject, configId?: Json): JsonObject {
  const auth = authentication === undefined ? undefined : toObject(authentication, "authentication");
  const scheme = Array.isArray(auth?.["schemes"]) ? (auth["schemes"] as readonly Json[])[0] : undefined;
  return compact({
    id: id ?? configId,
    url,
    token,
    authentication: scheme === undefined ? undefined : compact({ scheme, credentials: auth?.["credentials"] }),
  });
}

/** In a proto3 message an absent `blocking` is false and a `historyLength` of 0 is no limit. */
function fromConfiguration({ acceptedOutputModes, pushNotification, historyLength, blocking }: JsonObject): JsonObject {
  return compact({
    acceptedOutputModes,
    historyLength: historyLength === 0 ? undefined : historyLength,
    returnImmediately: blocking !== true,
    taskPushNotificationConfig: pushNotification === undefined ? undefined : fromPush(toObject(pushNotification, "pushNotification")),
  });
}

function fromRole(role: Json | undefined): Json | undefined {
  if (role === 1 || role === "user") return "ROLE_USER";
  return role === 2 || role === "agent" ? "ROLE_AGENT" : role;
}

function toProtoStatus({ state, message, timestamp }: TaskStatus): JsonObject {
  return compact({
    state: state === "TASK_STATE_CANCELED" ? "TASK_STATE_CANCELLED" : state,
    message: message && toProtoMessage(message),
    timestamp,
  });
}

function toProtoArtifact({ artifactId, name, description, parts, metadata, extensions }: Artifact): JsonObject {
  return compact({ artifactId, name, description, parts: parts.map(toProtoPart), metadata, extensions });
}

function toProtoPart({ text, raw, url, data, filename, mediaType, metadata }: Part): JsonObject {
  if (text !== undefined) return compact({ text, metadata });
  if (raw !== undefined || url !== undefined)
    return compact({ file: compact({ fileWithBytes: raw, fileWithUri: raw === undefined ? url : undefined, mimeType: mediaType, name: filename }), metadata });
  const value = data ?? null;
  return compact({ data: { data: isObject(value) ? value : { value } }, metadata });
}

function fromProtoPart(value: Json, index: number): JsonObject {
  const part = toObject(value, `message.content.${index}`);
  const { metadata } = part;
  if (typeof part["text"] === "string") return compact({ text: part["text"], metadata });
  if (part["file"] !== undefined) {
    const { fileWithBytes, fileWithUri, mimeType, name } = toObject(part["file"], `message.content.${index}.file`);
    return compact({ raw: fileWithBytes, url: fileWithUri, mediaType: mimeType, filename: name, metadata });
  }
  if (part["data"] !== undefined) return compact({ data: toObject(part["data"], `message.content.${index}.data`)["data"] ?? {}, metadata });
  throw invalidField(`message.content.${index}`, "must have one of text, file, data");
}

/** Members in camelCase; maps (`metadata`, a data part's value) are left as they are, because this goes one level deep. */
function toObject(value: unknown, field: string): JsonObject {
  if (value === null || typeof value !== "object" || Array.isArray(value))
    throw invalidField(field, value === undefined ? "is required (object)" : "must be an object");
  const members = Object.entries(value as JsonObject).filter(([, member]) => member !== null);
  return Object.fromEntries(members.map(([name, member]) => [name.replaceAll(/_([a-z0-9])/g, (_, letter: string) => letter.toUpperCase()), member]));
}

/** An empty text is what an absent one is in a proto3 message. */
function named(text: Json | undefined): Json | undefined {
  return text === "" ? undefined : text;
}

function compact(members: { readonly [member: string]: Json | undefined }): JsonObject {
  return Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined)) as JsonObject;
}
