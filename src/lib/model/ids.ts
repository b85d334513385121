import { randomUUID } from "node:crypto";

/** An id for a task, a context or a message: a random UUID (version 4). */
export function newId(): string {
  return randomUUID();
}

/** RFC 3339 in UTC with milliseconds, as A2A's timestamps are (specification 5.6.1). */
export function toTimestamp(ms: number): string {
  return new Date(ms).toISOString();
}
