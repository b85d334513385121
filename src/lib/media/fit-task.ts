import type { Artifact, Message, Part, Task } from "../model/a2a.ts";
import { mapTask } from "./map-parts.ts";
import type { ContentPlace, Shown } from "./signed-urls.ts";

/** Gives the URL of a content of the task that is being fitted. */
export type ContentUrl = (place: ContentPlace, size: number, shown: Shown) => string;

/** A part whose JSON is smaller than a URL would be is left as it is, unless there are very many. */
const WORTH_A_URL = 2048;

/**
 * `task` with at most `limit` bytes of JSON (SEMANTICS 8): largest contents first become `url` parts; if many small ones remain, whole artifacts and messages become
 * one URL of their parts as JSON; at last the oldest history goes, as with `historyLength`. Pure; the same Task if it fits.
 */
export function fitTask(task: Task, limit: number, toUrl: ContentUrl): Task {
  if (atMost(task) <= limit) return task;
  let left = bytesOf(task) - limit;
  if (left <= 0) return task;
  const candidates: { readonly part: Part; readonly place: ContentPlace; readonly saves: number }[] = [];
  const consider = (where: ContentPlace["in"], id: string, parts: readonly Part[]): void => {
    for (const [index, part] of parts.entries()) {
      const saves = bytesOf(part) - WORTH_A_URL;
      if (saves > 0 && part.url === undefined) candidates.push({ part, place: { in: where, id, part: index }, saves });
    }
  };
  for (const artifact of task.artifacts ?? []) consider("artifact", artifact.artifactId, artifact.parts);
  for (const message of messagesOf(task)) consider("message", message.messageId, message.parts);
  const replaced = new Map<Part, Part>();
  for (const { part, place, saves } of candidates.sort((a, b) => b.saves - a.saves)) {
    if (left <= 0) break;
    const content = contentOf(part);
    const { mediaType, filename } = part;
    const shown = { mediaType: mediaType ?? content.mediaType, ...(filename !== undefined && { filename }) };
    const { text: _text, raw: _raw, data: _data, ...rest } = part;
    replaced.set(part, { ...rest, url: toUrl(place, content.bytes.byteLength, shown), mediaType: shown.mediaType });
    left -= saves;
  }
  const smaller = mapTask(task, (part) => replaced.get(part) ?? part);
  return bytesOf(smaller) <= limit ? smaller : fold(smaller, task, limit, toUrl);
}

/**
 * The content of a place in a Task as it was at `size` bytes; undefined if it is not there any more (the artifact was replaced). A text part may have grown
 * since. Messages do not change, but callers may use an id twice: then the one of exactly that size is meant.
 */
export function findContent(task: Task, place: ContentPlace, size: number): Content | undefined {
  const holders: readonly (Artifact | Message)[] =
    place.in === "artifact"
      ? (task.artifacts ?? []).filter(({ artifactId }) => artifactId === place.id)
      : messagesOf(task).filter(({ messageId }) => messageId === place.id);
  for (const { parts } of holders) {
    const part = place.part === undefined ? undefined : parts[place.part];
    const content = place.upTo === undefined ? part && contentOf(part) : partsContent(parts.slice(0, place.upTo));
    if (content?.bytes.byteLength === size) return content;
    if (place.in === "artifact" && part?.text !== undefined && content !== undefined && content.bytes.byteLength > size) {
      return { ...content, bytes: content.bytes.subarray(0, size) };
    }
  }
  return undefined;
}

/** Bytes that a URL leads to. */
export interface Content {
  readonly bytes: Uint8Array;
  readonly mediaType: string;
}

/** Whole artifacts and messages by one URL each, largest first; then history from its oldest. */
function fold(smaller: Task, full: Task, limit: number, toUrl: ContentUrl): Task {
  let left = bytesOf(smaller) - limit;
  const pair = <T extends Artifact | Message>(where: ContentPlace["in"], holders: readonly T[], fulls: readonly T[], idOf: (holder: T) => string) =>
    holders.map((holder, index) => ({ where, holder, id: idOf(holder), parts: fulls[index]?.parts ?? [], saves: bytesOf(holder.parts) - WORTH_A_URL }));
  const holders = [
    ...pair("artifact", smaller.artifacts ?? [], full.artifacts ?? [], ({ artifactId }) => artifactId),
    ...pair("message", messagesOf(smaller), messagesOf(full), ({ messageId }) => messageId),
  ];
  const replaced = new Map<Artifact | Message, Part>();
  for (const { where, holder, id, parts, saves } of holders.sort((one, other) => other.saves - one.saves)) {
    if (left <= 0 || saves <= 0) break;
    const place: ContentPlace = { in: where, id, upTo: parts.length };
    const { bytes, mediaType } = partsContent(parts);
    replaced.set(holder, { url: toUrl(place, bytes.byteLength, { mediaType }), mediaType });
    left -= saves;
  }
  const swap = <T extends Artifact | Message>(holder: T): T => {
    const part = replaced.get(holder);
    return part === undefined ? holder : { ...holder, parts: [part] };
  };
  const { message } = smaller.status;
  const history = smaller.history?.map(swap) ?? [];
  let gone = 0;
  for (; left > 0 && gone < history.length; gone += 1) left -= bytesOf(history[gone]) + 1;
  return {
    ...smaller,
    status: message === undefined ? smaller.status : { ...smaller.status, message: swap(message) },
    ...(smaller.artifacts && { artifacts: smaller.artifacts.map(swap) }),
    ...(smaller.history && { history: history.slice(gone) }),
  };
}

function messagesOf(task: Task): readonly Message[] {
  return task.status.message === undefined ? (task.history ?? []) : [...(task.history ?? []), task.status.message];
}

function partsContent(parts: readonly Part[]): Content {
  return { bytes: Buffer.from(JSON.stringify(parts)), mediaType: "application/json" };
}

function contentOf(part: Part): Content {
  if (part.raw !== undefined) return { bytes: Buffer.from(part.raw, "base64"), mediaType: "application/octet-stream" };
  if (part.data !== undefined) return { bytes: Buffer.from(JSON.stringify(part.data)), mediaType: "application/json" };
  return { bytes: Buffer.from(part.text ?? ""), mediaType: "text/plain" };
}

/** At least what the Task's JSON has in bytes, without making it: most tasks are far below any limit. */
function atMost(task: Task): number {
  let size = 1000 + (task.metadata === undefined ? 0 : bytesOf(task.metadata));
  for (const { parts, ...head } of [...(task.artifacts ?? []), ...messagesOf(task)]) {
    size += bytesOf(head);
    // A character of text is at most six bytes of JSON.
    for (const part of parts) size += part.text !== undefined && Object.keys(part).length === 1 ? 20 + part.text.length * 6 : bytesOf(part) + 1;
  }
  return size;
}

function bytesOf(value: unknown): number {
  return Buffer.byteLength(JSON.stringify(value) ?? "");
}
