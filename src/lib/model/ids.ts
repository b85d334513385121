import { randomUUID } from "node:crypto";

/** Makes ids of tasks, contexts and messages; injected where a test needs to know them. */
export type NewId = () => string;

/** A random UUID (version 4). */
export const newId: NewId = () => randomUUID();

/** RFC 3339 in UTC with milliseconds, as A2A's timestamps are (specification 5.6.1). */
export function toTimestamp(ms: number): string {
  return new Date(ms).toISOString();
}
