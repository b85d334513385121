import type { Json, JsonObject } from "../../model/a2a.ts";

type Reader = (text: string) => Json;

/** Query parameters of A2A's operations and their types; others are none of A2A's business and are left out. */
const READERS: ReadonlyMap<string, Reader> = new Map<string, Reader>([
  ["tenant", asText],
  ["contextId", asText],
  ["status", asState],
  ["pageSize", asNumber],
  ["pageToken", asText],
  ["historyLength", asNumber],
  ["statusTimestampAfter", asTime],
  ["includeArtifacts", asBoolean],
]);

/**
 * A query as ProtoJSON parameters (A2A 1.0.1, section 11.5), read leniently: names in camelCase or as in the proto, states by name in any case.
 * A value that does not fit its type stays text, so that the operation refuses it and names the field. Of a repeated parameter the last counts.
 */
export function readQuery(query: URLSearchParams): JsonObject {
  const params: Record<string, Json> = {};
  for (const [name, text] of query) {
    const key = name.replaceAll(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());
    const read = READERS.get(key);
    if (read !== undefined && text !== "") params[key] = read(text);
  }
  return params;
}

function asText(text: string): Json {
  return text;
}

function asNumber(text: string): Json {
  return /^-?\d{1,15}$/.test(text.trim()) ? Number(text) : text;
}

function asBoolean(text: string): Json {
  const word = text.trim().toLowerCase();
  if (word === "true" || word === "1") return true;
  return word === "false" || word === "0" ? false : text;
}

/** `TASK_STATE_WORKING`, `working`, `input-required`. */
function asState(text: string): Json {
  const name = text.trim().toUpperCase().replaceAll("-", "_");
  return name.startsWith("TASK_STATE_") ? name : `TASK_STATE_${name}`;
}

/** A `+` that was not encoded arrives as a space; in a time it can only have been the sign of the zone. */
function asTime(text: string): Json {
  return text.trim().replace(/ (\d\d:\d\d)$/, "+$1");
}
