import type { JsonObject } from "./a2a.ts";

/** Whether `value`, which came out of JSON, is an object: neither null nor a list. */
export function isObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
