import type { Artifact, JsonObject, Message, Part, StreamResponse, Task, TaskArtifactUpdateEvent, TaskStatus } from "./a2a.ts";
import { decodeEvent, EXTENSION_URI, type Entry } from "./entry.ts";
import { IasError } from "./errors.ts";
import { type ExtensionData, extensionIn, readExtension } from "./extension.ts";

/**
 * The fold entries → Task, incremental: each entry costs its own size, never the task's. Adjacent pieces of plain text of one artifact become
 * one part, so a task of 200,000 tokens has one text part. A fold is a value with one owner; it is not safe to apply the same entry twice.
 */
export interface Fold {
  /** The last entry applied; 0 before the first. */
  readonly seq: number;
  readonly gen: number;
  /** The status as it stands, undefined before the first entry. */
  readonly status: TaskStatus | undefined;
  /** Applies the next entry; `event` may be given where it is at hand, else it is decoded. Throws `corrupt` when `entry.seq` is not the next. */
  apply(entry: Entry, event?: StreamResponse): void;
  /** Goes on from a Task folded at `seq` (a snapshot); throws `corrupt` unless this fold is empty. */
  restore(task: Task, seq: number): void;
  /** The Task as it stands, a copy; undefined before the first entry. With `artifacts: false` it has none, and costs nothing for them. */
  task(options?: { readonly artifacts?: boolean }): Task | undefined;
  /** About how much memory the Task takes: UTF-16 units of what artifacts and messages hold. */
  readonly size: number;
  /** UTF-16 units of text and base64 in the artifact, 0 if unknown. */
  artifactSize(artifactId: string): number;
  hasArtifact(artifactId: string): boolean;
}

interface OpenArtifact {
  head: Omit<Artifact, "parts">;
  /** Complete only after `settle`. */
  readonly parts: Part[];
  /** Pieces of plain text that belong to the end of the last part, which is plain text too. */
  tail: string[];
  size: number;
}

/** Pieces kept apart before they become one string: adding each to a long text would keep them all, at 80 bytes a token. */
const TAIL_PIECES = 1024;

/** An empty fold. */
export function createFold(): Fold {
  let seq = 0;
  let gen = 0;
  let base: { id: string; contextId: string } | undefined;
  let status: TaskStatus | undefined;
  let metadata: JsonObject | undefined;
  let history: Message[] = [];
  /** Where the status' message belongs once another status takes its place: before the inputs that answered it. */
  let statusPlace = 0;
  const artifacts = new Map<string, OpenArtifact>();

  const start = (task: Task): void => {
    base = { id: task.id, contextId: task.contextId };
    status = task.status;
    metadata = task.metadata;
    history = [...(task.history ?? [])];
    statusPlace = history.length;
    artifacts.clear();
    for (const artifact of task.artifacts ?? []) openArtifact(artifacts, artifact);
  };

  return {
    get seq() {
      return seq;
    },
    get gen() {
      return gen;
    },
    get status() {
      return status;
    },
    apply(entry, event) {
      if (entry.seq !== seq + 1) throw new IasError("corrupt", `The fold is at entry ${seq} and was given entry ${entry.seq}; it needs ${seq + 1}.`);
      seq = entry.seq;
      gen = entry.gen;
      if (entry.audience === "extension") return;
      if (entry.audience === "internal") {
        const input = readInput(entry, event);
        if (input !== undefined) history.push(input);
        return;
      }
      const decoded = event ?? decodeEvent(entry);
      if ("artifactUpdate" in decoded) applyArtifact(artifacts, decoded.artifactUpdate);
      else if ("statusUpdate" in decoded) {
        if (status?.message !== undefined) history.splice(statusPlace, 0, status.message);
        statusPlace = history.length;
        status = decoded.statusUpdate.status;
        metadata = mergeMetadata(metadata, decoded.statusUpdate.metadata);
      } else if ("task" in decoded) start(decoded.task);
    },
    restore(task, at) {
      if (seq !== 0) throw new IasError("corrupt", `A snapshot at ${at} cannot go onto a fold at ${seq}.`);
      seq = at;
      start(task);
    },
    task({ artifacts: wanted = true } = {}) {
      if (base === undefined || status === undefined) return undefined;
      return {
        ...base,
        status,
        ...(wanted && artifacts.size > 0 && { artifacts: [...artifacts.values()].map((open) => ({ ...open.head, parts: [...settle(open)] })) }),
        ...(history.length > 0 && { history: [...history] }),
        ...(metadata !== undefined && { metadata }),
      };
    },
    get size() {
      let total = 0;
      for (const artifact of artifacts.values()) total += artifact.size;
      for (const message of history) total += partsSize(message.parts);
      return total;
    },
    artifactSize: (id) => artifacts.get(id)?.size ?? 0,
    hasArtifact: (id) => artifacts.has(id),
  };
}

function openArtifact(artifacts: Map<string, OpenArtifact>, artifact: Artifact): void {
  const { parts, ...head } = artifact;
  artifacts.set(artifact.artifactId, { head, parts: [...parts], tail: [], size: partsSize(parts) });
}

function applyArtifact(artifacts: Map<string, OpenArtifact>, update: TaskArtifactUpdateEvent): void {
  const known = artifacts.get(update.artifact.artifactId);
  if (known === undefined || update.append !== true) {
    openArtifact(artifacts, update.artifact);
    return;
  }
  for (const part of update.artifact.parts) {
    if (part.text !== undefined && isPlain(part) && (known.tail.length > 0 || endsPlain(known.parts))) {
      known.tail.push(part.text);
      if (known.tail.length >= TAIL_PIECES) settle(known);
    } else settle(known).push(part);
  }
  known.size += partsSize(update.artifact.parts);
  if (isPieceOnly(update.artifact)) return;
  const { parts: _, ...head } = update.artifact;
  known.head = { ...known.head, ...head, ...(head.metadata && { metadata: { ...known.head.metadata, ...head.metadata } }) };
}

/** Puts the tail into its part. */
function settle(artifact: OpenArtifact): Part[] {
  const { parts, tail } = artifact;
  if (tail.length > 0) {
    parts.push({ text: (parts.pop()?.text ?? "") + tail.join("") });
    artifact.tail = [];
  }
  return parts;
}

function endsPlain(parts: readonly Part[]): boolean {
  const last = parts.at(-1);
  return last?.text !== undefined && isPlain(last);
}

/** Whether an artifact brings parts and nothing else: a token. */
export function isPieceOnly(artifact: Artifact): boolean {
  return artifact.name === undefined && artifact.description === undefined && artifact.metadata === undefined && artifact.extensions === undefined;
}

/** Whether a part is text and nothing else, so that it can be joined with its neighbour. */
export function isPlain(part: Part): boolean {
  return part.metadata === undefined && part.filename === undefined && part.mediaType === undefined;
}

function partsSize(parts: readonly Part[]): number {
  let size = 0;
  for (const part of parts)
    size += part.text?.length ?? part.raw?.length ?? part.url?.length ?? (part.data === undefined ? 0 : JSON.stringify(part.data).length);
  return size;
}

/** The message of an internal input entry; other internal entries are skipped without decoding them. */
function readInput(entry: Entry, event: StreamResponse | undefined): Message | undefined {
  if (event === undefined && !entry.event.includes('"kind":"input"')) return undefined;
  const data: ExtensionData | undefined = readExtension(event ?? decodeEvent(entry));
  return data?.kind === "input" ? data.message : undefined;
}

/** Later values win. Of our extension's data only a failure becomes metadata of the Task. */
function mergeMetadata(old: JsonObject | undefined, added: JsonObject | undefined): JsonObject | undefined {
  if (added === undefined) return old;
  const { [EXTENSION_URI]: _, ...rest } = added;
  const own = extensionIn(added);
  const failure = own["kind"] === "failure" ? { [EXTENSION_URI]: { failure: own } } : undefined;
  return Object.keys(rest).length === 0 && failure === undefined ? old : { ...old, ...rest, ...failure };
}
