import { createHash, type Hash } from "node:crypto";
import type { Artifact, Message, Part, StreamResponse, Task, TaskStatus } from "../model/a2a.ts";

/**
 * What we have of a remote task, so that it can be compared with what the agent says it is (SEMANTICS 27). Memory does not grow with the content:
 * of each artifact it keeps the length and a running hash.
 */
export interface Mirror {
  /** Takes note of an event that was passed on. */
  note(event: StreamResponse): void;
  /** Events that bring what was noted up to `task`, in order: missed messages, artifacts (appended to where ours is a beginning of theirs, else replaced), then the status. They are noted too. */
  compare(task: Task): readonly Repair[];
  /** The last status noted. */
  readonly status: TaskStatus | undefined;
  /** Nothing of the task was noted yet. */
  readonly isEmpty: boolean;
}

/** An event that brings what was noted up to the task, and how. */
export interface Repair {
  readonly event: StreamResponse;
  readonly resync: "append" | "replace";
}

interface Copy {
  length: number;
  hash: Hash;
}

/** An empty mirror. `sent` is the message that started this: of the task's history only what comes after it counts as missed. */
export function createMirror(options: { readonly sent?: string } = {}): Mirror {
  const artifacts = new Map<string, Copy>();
  const messages = new Set<string>();
  let status: TaskStatus | undefined;

  function note(event: StreamResponse): void {
    if ("artifactUpdate" in event) {
      const { artifact, append } = event.artifactUpdate;
      if (append !== true) artifacts.delete(artifact.artifactId);
      write(artifact);
    } else if ("statusUpdate" in event) {
      noteStatus(event.statusUpdate.status);
    } else if ("task" in event) {
      artifacts.clear();
      for (const artifact of event.task.artifacts ?? []) write(artifact);
      for (const message of event.task.history ?? []) messages.add(message.messageId);
      noteStatus(event.task.status);
    }
  }

  function write(artifact: Artifact): void {
    const copy = artifacts.get(artifact.artifactId) ?? { length: 0, hash: createHash("sha256") };
    artifacts.set(artifact.artifactId, copy);
    for (const part of artifact.parts) {
      const text = canonical(part);
      copy.length += text.length;
      copy.hash.update(text, "utf16le");
    }
  }

  function noteStatus(next: TaskStatus): void {
    status = next;
    if (next.message !== undefined) messages.add(next.message.messageId);
  }

  function compare(task: Task): readonly Repair[] {
    const ids = { taskId: task.id, contextId: task.contextId };
    const repairs: Repair[] = [];
    for (const message of missed(task)) {
      repairs.push({ event: { statusUpdate: { ...ids, status: { state: "TASK_STATE_WORKING", message } } }, resync: "append" });
    }
    for (const artifact of task.artifacts ?? []) repairs.push(...compareArtifact(ids, artifact));
    if (!isSameStatus(task.status)) {
      repairs.push({ event: { statusUpdate: { ...ids, status: task.status } }, resync: "append" });
    }
    for (const repair of repairs) note(repair.event);
    return repairs;
  }

  /** Messages of the agent in the history that were never seen, after the one that we sent; none when that is not in there. */
  function missed(task: Task): readonly Message[] {
    const history = task.history ?? [];
    const start = options.sent === undefined ? -1 : history.findIndex((message) => message.messageId === options.sent);
    return start === -1 ? [] : history.slice(start + 1).filter((message) => message.role === "ROLE_AGENT" && !messages.has(message.messageId));
  }

  function compareArtifact(ids: { readonly taskId: string; readonly contextId: string }, artifact: Artifact): readonly Repair[] {
    const copy = artifacts.get(artifact.artifactId);
    const theirs = artifact.parts.map(canonical).join("");
    if (copy?.length === 0 && theirs === "") return [];
    // An artifact that was voided (SEMANTICS 19) opens anew, so that the mark of that goes too.
    if (copy === undefined || copy.length === 0) return [{ event: { artifactUpdate: { ...ids, artifact } }, resync: "append" }];
    const begins = theirs.length >= copy.length && digest(createHash("sha256").update(theirs.slice(0, copy.length), "utf16le")) === digest(copy.hash.copy());
    const rest = begins ? after(artifact.parts, copy.length) : undefined;
    if (rest === undefined) return [{ event: { artifactUpdate: { ...ids, artifact } }, resync: "replace" }];
    // One event for each part: where the agent keeps its chunks as parts, they come out as they would have come.
    return rest.map((part) => ({ event: { artifactUpdate: { ...ids, artifact: { ...artifact, parts: [part] }, append: true } }, resync: "append" }));
  }

  function isSameStatus(theirs: TaskStatus): boolean {
    return status?.state === theirs.state && (theirs.message === undefined || messages.has(theirs.message.messageId));
  }

  return {
    note,
    compare,
    get status() {
      return status;
    },
    get isEmpty() {
      return status === undefined && artifacts.size === 0;
    },
  };
}

/** A part as text such that joining adjacent text parts changes nothing, and nothing else looks like text. */
function canonical(part: Part): string {
  if (part.text !== undefined) return part.text;
  return `\u0000${JSON.stringify([part.raw ?? null, part.url ?? null, part.data ?? null, part.filename ?? null, part.mediaType ?? null])}\u0000`;
}

/** The parts after the first `length` units of the canonical text; undefined when that is inside of something that is not text. */
function after(parts: readonly Part[], length: number): readonly Part[] | undefined {
  const rest: Part[] = [];
  let skip = length;
  for (const part of parts) {
    const size = canonical(part).length;
    if (skip >= size) {
      skip -= size;
      continue;
    }
    if (skip > 0 && part.text === undefined) return undefined;
    rest.push(skip > 0 && part.text !== undefined ? { ...part, text: part.text.slice(skip) } : part);
    skip = 0;
  }
  return rest;
}

function digest(hash: Hash): string {
  return hash.digest("base64");
}
