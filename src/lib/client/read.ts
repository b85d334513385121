import { randomUUID } from "node:crypto";
import type { Artifact, Json, JsonObject, Message, Part, StreamResponse, Task, TaskState, TaskStatus } from "../model/a2a.ts";
import { IasError } from "../model/errors.ts";
import { asArray, asObject, asText, member } from "./json.ts";

/**
 * Lenient reading (SEMANTICS 27): whatever form of A2A 1.0 or 0.3 came (`kind` discriminators or member names, `parts` or `content`, states and roles in any
 * spelling, times without zone, snake_case members, missing ids), out comes the 1.0 wire form, without members that we do not know.
 * Each throws `invalid-agent-response` only when there is nothing to make sense of.
 */

/** One event of a stream; undefined for an empty payload, which says nothing. */
export function readStreamResponse(value: Json, version: Version): StreamResponse | undefined {
  const object = asObject(value);
  if (object === undefined) throw unreadable("a stream event", value);
  const inner = wrapped(object);
  if (inner === undefined) {
    if (Object.keys(object).length === 0) return undefined;
    throw unreadable("a stream event", value);
  }
  switch (inner.kind) {
    case "task":
      return { task: readTask(inner.value, version) };
    case "message":
      return { message: readMessage(inner.value, version) };
    case "statusUpdate": {
      const { value: update } = inner;
      return { statusUpdate: { ...ids(update), status: readStatus(member(update, "status"), version), ...metadataOf(update) } };
    }
    case "artifactUpdate": {
      const { value: update } = inner;
      const artifact = readArtifact(asObject(member(update, "artifact")) ?? {}, version);
      const append = member(update, "append") === true;
      const lastChunk = member(update, "lastChunk") === true;
      return { artifactUpdate: { ...ids(update), artifact, ...(append && { append }), ...(lastChunk && { lastChunk }), ...metadataOf(update) } };
    }
  }
}

/** A Task, bare or in a `task` member. Throws `invalid-agent-response` without an id. */
export function readTask(value: Json, version: Version): Task {
  const outer = asObject(value);
  const object = asObject(outer?.["task"]) ?? outer;
  const id = object && asText(object["id"]);
  if (object === undefined || id === undefined || id === "") throw unreadable("a Task", value);
  const artifacts = asArray(object["artifacts"]).flatMap((entry) => mapObject(entry, (artifact) => readArtifact(artifact, version)));
  const history = asArray(object["history"]).flatMap((entry) => mapObject(entry, (message) => readMessage(message, version)));
  return {
    id,
    contextId: asText(member(object, "contextId")) ?? "",
    status: readStatus(object["status"], version),
    ...(artifacts.length > 0 && { artifacts }),
    ...(history.length > 0 && { history }),
    ...metadataOf(object),
  };
}

/** A Message. One without an id gets one, so that it can be told from others. */
export function readMessage(object: JsonObject, version: Version): Message {
  const optional = { contextId: asText(member(object, "contextId")), taskId: asText(member(object, "taskId")) };
  const extensions = asArray(object["extensions"]).filter((entry) => typeof entry === "string");
  const references = asArray(member(object, "referenceTaskIds")).filter((entry) => typeof entry === "string");
  return {
    messageId: asText(member(object, "messageId")) ?? randomUUID(),
    ...(optional.contextId && { contextId: optional.contextId }),
    ...(optional.taskId && { taskId: optional.taskId }),
    role: /user$/i.test(asText(object["role"]) ?? "") ? "ROLE_USER" : "ROLE_AGENT",
    parts: readParts(object, version),
    ...metadataOf(object),
    ...(extensions.length > 0 && { extensions }),
    ...(references.length > 0 && { referenceTaskIds: references }),
  };
}

/** An Artifact. One without an id is the answer. */
function readArtifact(object: JsonObject, version: Version): Artifact {
  const name = asText(object["name"]);
  const description = asText(object["description"]);
  const extensions = asArray(object["extensions"]).filter((entry) => typeof entry === "string");
  const id = asText(member(object, "artifactId"));
  return {
    artifactId: id === undefined || id === "" ? "answer" : id,
    ...(name && { name }),
    ...(description && { description }),
    parts: readParts(object, version),
    ...metadataOf(object),
    ...(extensions.length > 0 && { extensions }),
  };
}

/** The protocol version of an interface. */
export type Version = "1.0" | "0.3";

function readStatus(value: Json | undefined, version: Version): TaskStatus {
  const object = asObject(value) ?? {};
  const message = asObject(member(object, "message")) ?? asObject(member(object, "update"));
  const timestamp = readTime(asText(object["timestamp"]));
  return { state: readState(object["state"]), ...(message && { message: readMessage(message, version) }), ...(timestamp && { timestamp }) };
}

const STATES: Readonly<Record<string, TaskState>> = {
  submitted: "TASK_STATE_SUBMITTED",
  working: "TASK_STATE_WORKING",
  completed: "TASK_STATE_COMPLETED",
  failed: "TASK_STATE_FAILED",
  canceled: "TASK_STATE_CANCELED",
  cancelled: "TASK_STATE_CANCELED",
  inputrequired: "TASK_STATE_INPUT_REQUIRED",
  rejected: "TASK_STATE_REJECTED",
  authrequired: "TASK_STATE_AUTH_REQUIRED",
};
const STATE_NUMBERS: readonly TaskState[] = Object.values(STATES).filter((state, index, all) => all.indexOf(state) === index);

/** Any spelling of a state. An unknown or missing one (0.3 has `unknown`) counts as WORKING: the one that promises nothing. */
function readState(value: Json | undefined): TaskState {
  if (typeof value === "number") return STATE_NUMBERS[value - 1] ?? "TASK_STATE_WORKING";
  const name = (asText(value) ?? "")
    .toLowerCase()
    .replace(/^task_state_/, "")
    .replaceAll(/[-_]/g, "");
  return STATES[name] ?? "TASK_STATE_WORKING";
}

/** RFC 3339 in UTC with milliseconds; a time without zone is UTC. Undefined when it is not a time. */
function readTime(text: string | undefined): string | undefined {
  if (text === undefined) return undefined;
  const ms = Date.parse(/[zZ]|[+-]\d\d:?\d\d$/.test(text) ? text : `${text}Z`);
  return Number.isNaN(ms) ? undefined : new Date(ms).toISOString();
}

/** `content` is what 0.3's protobuf form calls the parts of a message. */
function readParts(object: JsonObject, version: Version): readonly Part[] {
  const list = Array.isArray(object["parts"]) ? object["parts"] : object["content"];
  return asArray(list).flatMap((entry) => mapObject(entry, (part) => readPart(part, version)));
}

function readPart(part: JsonObject, version: Version): Part {
  const inner = asObject(part["root"]) ?? part;
  const common = { ...metadataOf(inner) };
  const file = asObject(inner["file"]);
  if (file !== undefined) return { ...readFile(file, inner), ...common };
  const filename = asText(inner["filename"]);
  const mediaType = asText(member(inner, "mediaType"));
  const rest = { ...common, ...(filename && { filename }), ...(mediaType && { mediaType }) };
  if (typeof inner["raw"] === "string") return { raw: inner["raw"], ...rest };
  if (typeof inner["url"] === "string") return { url: inner["url"], ...rest };
  if (inner["data"] !== undefined) return { data: readData(inner, version), ...rest };
  return { text: asText(inner["text"]) ?? "", ...rest };
}

/** 0.3: `file` holds uri or bytes; the protobuf form says fileWithUri or fileWithBytes. */
function readFile(file: JsonObject, part: JsonObject): Part {
  const url = asText(file["uri"]) ?? asText(member(file, "fileWithUri"));
  const raw = asText(file["bytes"]) ?? asText(member(file, "fileWithBytes"));
  const filename = asText(file["name"]) ?? asText(part["filename"]);
  const mediaType = asText(member(file, "mimeType")) ?? asText(member(file, "mediaType"));
  return { ...(url !== undefined && raw === undefined ? { url } : { raw: raw ?? "" }), ...(filename && { filename }), ...(mediaType && { mediaType }) };
}

/** 0.3's protobuf form has `data.data`; its JSON form and 1.0 have the value itself. */
function readData(part: JsonObject, version: Version): Json {
  const data = part["data"] ?? null;
  const nested = asObject(data);
  const isProto = version === "0.3" && part["kind"] === undefined && nested !== undefined && Object.keys(nested).length === 1 && nested["data"] !== undefined;
  return isProto ? (nested["data"] ?? null) : data;
}

type Wrapped = { readonly kind: "task" | "message" | "statusUpdate" | "artifactUpdate"; readonly value: JsonObject };

/** What a payload is: by member name (1.0 and 0.3's protobuf form), by `kind` (0.3), or by its shape. */
function wrapped(object: JsonObject): Wrapped | undefined {
  for (const kind of ["task", "message", "statusUpdate", "artifactUpdate"] as const) {
    const value = asObject(member(object, kind));
    if (value !== undefined) return { kind, value };
  }
  const msg = asObject(object["msg"]);
  if (msg !== undefined) return { kind: "message", value: msg };
  if (object["kind"] === "status-update") return { kind: "statusUpdate", value: object };
  if (object["kind"] === "artifact-update" || asObject(object["artifact"]) !== undefined) return { kind: "artifactUpdate", value: object };
  if (object["kind"] === "message" || (object["role"] !== undefined && member(object, "messageId") !== undefined)) return { kind: "message", value: object };
  if (asObject(object["status"]) === undefined) return undefined;
  return asText(object["id"]) === undefined ? { kind: "statusUpdate", value: object } : { kind: "task", value: object };
}

function ids(update: JsonObject): { readonly taskId: string; readonly contextId: string } {
  return { taskId: asText(member(update, "taskId")) ?? "", contextId: asText(member(update, "contextId")) ?? "" };
}

function metadataOf(object: JsonObject): { readonly metadata?: JsonObject } {
  const metadata = asObject(object["metadata"]);
  return metadata === undefined || Object.keys(metadata).length === 0 ? {} : { metadata };
}

function mapObject<T>(value: Json, map: (object: JsonObject) => T): readonly T[] {
  const object = asObject(value);
  return object === undefined ? [] : [map(object)];
}

function unreadable(what: string, value: Json): IasError {
  return new IasError("invalid-agent-response", `The agent sent what is not ${what}: ${JSON.stringify(value).slice(0, 200)}`);
}
