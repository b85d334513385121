interface ProtoPart {
  content?: unknown;
}

/**
 * The SDK's `fromJSON` drops a part's `data: null`, which is a value like any other (`google.protobuf.Value`); without it the part has no content.
 * Walks JSON and message side by side and puts it back. Costs nothing where no part holds null.
 */
export function restoreNulls(json: unknown, message: unknown): void {
  if (json === null || typeof json !== "object" || message === null || typeof message !== "object") return;
  for (const [name, value] of Object.entries(json)) {
    if (value === null || typeof value !== "object" || name === "metadata" || name === "data") continue;
    const inside = (message as Record<string, unknown>)[name] ?? payloadOf(message, name);
    if (Array.isArray(value) && Array.isArray(inside)) {
      for (const [index, item] of value.entries()) {
        if (name === "parts") restorePart(item, inside[index] as ProtoPart);
        else restoreNulls(item, inside[index]);
      }
    } else restoreNulls(value, inside);
  }
}

function restorePart(json: unknown, part: ProtoPart): void {
  if (json !== null && typeof json === "object" && "data" in json && json.data === null) part.content ??= { $case: "data", value: null };
}

/** A `oneof` of the SDK: `{ payload: { $case: "task", value } }`. */
function payloadOf(message: object, name: string): unknown {
  const payload = "payload" in message ? message.payload : undefined;
  return payload !== null && typeof payload === "object" && "$case" in payload && payload.$case === name && "value" in payload ? payload.value : undefined;
}
