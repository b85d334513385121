import type { StreamResponse } from "./a2a.ts";

/** The URI of our A2A extension; `PROTOCOL.md` specifies it. Metadata that A2A has no word for stands under this key. */
export const EXTENSION_URI = "urn:infinite-agent-streams:ext:stream:1";

/**
 * Who may read an entry (SEMANTICS 1): `public` every reader; `extension` readers that activated our extension;
 * `internal` the task's owner and the inspector. An entry that is not public never changes the folded Task's status.
 */
export type Audience = "public" | "extension" | "internal";

/** One committed entry of a task's stream. */
export interface Entry {
  /** Position in the stream: 1, 2, 3 … without gaps. It is the cursor. */
  readonly seq: number;
  /** Number of state transitions and artifact changes up to and including this entry (A2A 1.1's `generation`). */
  readonly gen: number;
  /** When it was made, in ms since the epoch, by the writer's clock. For display, never for judging liveness. */
  readonly at: number;
  /** Which run of the turn made it, from 1; a restart after a crash counts up. */
  readonly attempt: number;
  readonly audience: Audience;
  /** The `StreamResponse` as JSON text: encoded once, at append (SEMANTICS 7). */
  readonly event: string;
}

/** An entry before the log has given it its `seq`. */
export type NewEntry = Omit<Entry, "seq">;

/** Decodes an entry's event. It was encoded by `encodeEvent`, so its shape is trusted. */
export function decodeEvent(entry: Pick<Entry, "event">): StreamResponse {
  return JSON.parse(entry.event) as StreamResponse;
}

/** Encodes an event for the log: the one place where an event becomes JSON. */
export function encodeEvent(event: StreamResponse): string {
  return JSON.stringify(event);
}

/** Whether a reader of `audience` sees `entry`. */
export function isVisible(entry: Pick<Entry, "audience">, audience: Audience): boolean {
  return entry.audience === "public" || audience === "internal" || entry.audience === audience;
}
