import type { JsonObject, Message, StreamResponse, Task } from "./a2a.ts";
import { EXTENSION_URI } from "./entry.ts";
import { isObject } from "./json.ts";

/**
 * What rides as metadata of our extension, one union on `kind`; `PROTOCOL.md` gives the audience of each. `path` names the chain of child agents.
 * The first five are internal: they are the turns' ledger.
 */
export type ExtensionData =
  /** A message to an existing task, as it was recorded. */
  | { readonly kind: "input"; readonly message: Message; readonly user: string }
  /** A turn starts, or starts again: it answers the inputs up to entry `reads` (exclusive of earlier turns'). */
  | { readonly kind: "turn"; readonly turn: number; readonly reads: number }
  /** The resume state was saved: tools that have answered will not run again. */
  | { readonly kind: "checkpoint" }
  /** The whole answer of a message-only reply; it seals the stream. */
  | { readonly kind: "reply"; readonly message: Message }
  /** Who ended the turn. */
  | { readonly kind: "cancel"; readonly user: string }
  /** A new attempt of the turn began: what the old one wrote into its artifacts is void. */
  | { readonly kind: "attempt"; readonly attempt: number; readonly reason: string }
  /** On a public FAILED status: why, for programs. Kept in the Task's metadata as `failure`. */
  | {
      readonly kind: "failure";
      readonly code: string;
      readonly reason?: string;
      readonly retryable: boolean;
      readonly details?: Readonly<Record<string, string>>;
    }
  | { readonly kind: "text"; readonly text: string; readonly path: readonly string[] }
  | { readonly kind: "reasoning"; readonly text?: string; readonly size: number; readonly path?: readonly string[] }
  | {
      readonly kind: "tool-call";
      readonly call: string;
      readonly name: string;
      readonly arguments?: string;
      readonly idempotent: boolean;
      readonly path?: readonly string[];
    }
  | {
      readonly kind: "tool-result";
      readonly call: string;
      readonly name: string;
      readonly output?: string;
      readonly failed: boolean;
      readonly path?: readonly string[];
    }
  | {
      readonly kind: "delegation";
      readonly from: string;
      readonly to: string;
      readonly via: "handoff" | "tool" | "a2a";
      readonly task?: string;
      readonly path?: readonly string[];
    }
  | { readonly kind: "usage"; readonly usage: JsonObject; readonly path?: readonly string[] }
  | ({ readonly kind: "liveness" } & LivenessFacts)
  | { readonly kind: "note"; readonly name: string; readonly value: unknown; readonly path?: readonly string[] };

/** What only the owner of a turn knows of its progress; `PROTOCOL.md`, section 8. Times in ms of working time where they are spans. */
export type LivenessFacts =
  /**
   * What it does now. `afterMs` is how long the model call was silent before, `tokens` what it has made so far: they come with `generating`, or alone when readers
   * do not see what is made.
   */
  | { readonly phase: LivenessActivity; readonly afterMs?: number; readonly tokens?: number }
  /** A rate limit's wait. */
  | { readonly phase: "retry-wait"; readonly forMs?: number }
  /** The server itself holds the agent up, and does so no more. */
  | { readonly phase: "throttled" }
  | { readonly phase: "unthrottled"; readonly forMs: number }
  | {
      readonly phase: "slow";
      readonly by: "silence" | "rate";
      readonly activity: string;
      readonly silenceMs: number;
      readonly tokensPerSecond?: number;
    }
  | { readonly phase: "stalled"; readonly stall: StallFacts; readonly evidence?: JsonObject }
  | { readonly phase: "recovered"; readonly from: "slow" | "stalled"; readonly activity: string }
  /** The working time has passed a limit that was set. */
  | { readonly phase: "overtime"; readonly workedMs: number; readonly limitMs: number };

/** What a turn may do, other than wait for a rate limit. */
export type LivenessActivity = "queued" | "connecting" | "prefill" | "generating" | "tool" | "child-working" | "waiting-input" | "ended";

/** A silence that passed its threshold. */
export interface StallFacts {
  readonly activity: string;
  readonly threshold: string;
  readonly limitMs: number;
  readonly silenceMs: number;
  readonly bytesSilenceMs: number;
  readonly lastSeq: number;
  readonly contents: number;
  readonly tokens: number;
}

/** Our extension's data on an event, or undefined. It was written by this project, so its shape is trusted. */
export function readExtension(event: StreamResponse): ExtensionData | undefined {
  const metadata = "statusUpdate" in event ? event.statusUpdate.metadata : "artifactUpdate" in event ? event.artifactUpdate.metadata : undefined;
  const data = extensionIn(metadata);
  return "kind" in data ? (data as unknown as ExtensionData) : undefined;
}

/** What stands in `metadata` under our extension's URI; empty where that is nothing, or no object. */
export function extensionIn(metadata: JsonObject | undefined): JsonObject {
  const own = metadata?.[EXTENSION_URI];
  return isObject(own) ? own : {};
}

/** Metadata of an event that is our extension's `data`. */
export function toMetadata(data: ExtensionData): JsonObject {
  return { [EXTENSION_URI]: data as unknown as JsonObject };
}

/** `task` with its cursor in metadata (SEMANTICS 3): `cursor` is `<log id>.<seq>`. */
export function withCursor(task: Task, cursor: string): Task {
  return { ...task, metadata: cursorMetadata(task.metadata, cursor) };
}

/** `event` with its cursor in metadata, for bindings whose framing has no place for it: gRPC, 0.3, webhooks (SEMANTICS 3). A message has no cursor. */
export function withEventCursor(event: StreamResponse, cursor: string): StreamResponse {
  if ("task" in event) return { task: withCursor(event.task, cursor) };
  if ("statusUpdate" in event) return { statusUpdate: { ...event.statusUpdate, metadata: cursorMetadata(event.statusUpdate.metadata, cursor) } };
  if ("artifactUpdate" in event) return { artifactUpdate: { ...event.artifactUpdate, metadata: cursorMetadata(event.artifactUpdate.metadata, cursor) } };
  return event;
}

/** The cursor that an event carries for readers of the extension; undefined without one. */
export function cursorOf(event: StreamResponse): string | undefined {
  const holder = "task" in event ? event.task : "statusUpdate" in event ? event.statusUpdate : "artifactUpdate" in event ? event.artifactUpdate : event.message;
  const { cursor } = extensionIn(holder.metadata);
  return typeof cursor === "string" ? cursor : undefined;
}

function cursorMetadata(metadata: JsonObject | undefined, cursor: string): JsonObject {
  return { ...metadata, [EXTENSION_URI]: { ...extensionIn(metadata), cursor } };
}
