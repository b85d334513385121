import { setTimeout as wait } from "node:timers/promises";
import { EXTENSION_URI } from "../../src/lib/model/entry.ts";
import { type BindingClient, type Wire, WireError, type WireEvent } from "../bindings/wire.ts";

/** One frame as a test compares it: the same words for all bindings and versions. */
export interface Seen {
  readonly seq: number;
  readonly what: readonly unknown[];
}

/** What a reader got of a task, from its opening to its end. */
export interface Reading {
  /** The Task that it began with, if it began without a cursor: its text, and where it stands. */
  readonly opening: { readonly seq: number; readonly text: string } | undefined;
  /** What came after it. */
  readonly seen: readonly Seen[];
  readonly connections: number;
}

export interface ReadOptions {
  /** Makes the client of one connection; it is disposed after it. */
  readonly connect: () => BindingClient;
  readonly task: string;
  /** A cursor to begin after; without one the reader begins with the Task. */
  readonly after?: string;
  readonly onSeen?: (seen: Seen) => void;
  /** Called when the first frame has come, be it the Task. */
  readonly onOpen?: () => void;
  /** Ends the reading with an error. */
  readonly signal?: AbortSignal;
}

const HEADERS = { "a2a-extensions": EXTENSION_URI };

/** Reads a task to its end, over as many connections as it takes, with nothing but cursors to go on by. It repairs nothing: what the server sends is what comes out. */
export async function readByCursor({ connect, task, after, onSeen, onOpen, signal }: ReadOptions): Promise<Reading> {
  const seen: Seen[] = [];
  let opening: { seq: number; text: string } | undefined;
  let cursor = after;
  for (let connections = 1; ; connections += 1) {
    signal?.throwIfAborted();
    const before = seen.length;
    await using client = connect();
    try {
      for await (const event of client.stream("SubscribeToTask", { id: task }, { ...HEADERS, ...(cursor !== undefined && { "last-event-id": cursor }) })) {
        onOpen?.();
        const at = cursorOf(event);
        const seq = Number(at.split(".")[1]);
        if (cursor === undefined && event.event.task !== undefined) {
          opening = { seq, text: textOfTask(event.event.task) };
        } else if (cursor === undefined && opening !== undefined && seq === opening.seq) {
          // Contents of the opening that were too large for its first frame.
          opening.text += textsOf(event.event).join("");
        } else {
          if (event.event.task?.metadata?.[EXTENSION_URI]?.reset === true) throw new Error(`The cursor ${cursor} was not taken.`);
          cursor = at;
          const one = { seq, what: toWhat(event.event) };
          seen.push(one);
          onSeen?.(one);
        }
      }
      return { opening, seen, connections };
    } catch (error) {
      if (!isLostConnection(error)) throw error;
      // An opening of which a part is missing is no place to go on from.
      if (cursor === undefined) opening = undefined;
      await wait(seen.length > before ? 5 : 100);
    }
  }
}

/** The place of an event, where its binding has it. */
export function cursorOf({ id, event }: WireEvent): string {
  const inner = event.task ?? event.statusUpdate ?? event.artifactUpdate ?? event;
  return id ?? inner.metadata[EXTENSION_URI].cursor;
}

/** The text of a Task's artifacts, in the form of either version. */
export function textOfTask(task: Wire): string {
  return (task.artifacts ?? []).flatMap((artifact: Wire) => artifact.parts.map((part: Wire) => part.text ?? "")).join("");
}

/** The texts that an event brings. */
export function textsOf(event: Wire): readonly string[] {
  const update = event.artifactUpdate ?? (event.kind === "artifact-update" ? event : undefined);
  return (update?.artifact.parts ?? []).map((part: Wire) => part.text ?? "");
}

/** What a reader that began with `opening` has at the end: an artifact that comes anew replaces, an appended chunk adds. For tasks of one artifact. */
export function foldText({ opening, seen }: Pick<Reading, "opening" | "seen">): string {
  let text = opening?.text ?? "";
  for (const { what } of seen) if (what[0] === "artifact") text = (what[1] === true ? text : "") + String(what[2]);
  return text;
}

function toWhat(event: Wire): readonly unknown[] {
  if (event.artifactUpdate !== undefined) return ["artifact", event.artifactUpdate.append === true, textsOf(event).join("")];
  const { kind, reason } = event.statusUpdate?.metadata?.[EXTENSION_URI] ?? {};
  if (event.statusUpdate !== undefined) return ["status", event.statusUpdate.status.state, kind, reason];
  return ["task", event.task?.status.state];
}

/** UNAVAILABLE, and what grpc-js makes of a connection that breaks; anything else that is not an answer of the server. */
function isLostConnection(error: unknown): boolean {
  return !(error instanceof WireError) || [1, 13, 14].includes(error.code) || error.code === 503;
}
