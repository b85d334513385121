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

/** The content of a place in a Task, as bytes and their media type; undefined if it is not there (an artifact was replaced). */
export function findContent(task: Task, place: ContentPlace): Content | undefined {
  const parts =
    place.in === "artifact"
      ? task.artifacts?.find((artifact) => artifact.artifactId === place.id)?.parts
      : messagesOf(task).find((message) => message.messageId === place.id)?.parts;
  if (parts === undefined) return undefined;
  if (place.part === undefined) return { bytes: Buffer.from(JSON.stringify(parts)), mediaType: "application/json" };
  const part = parts[place.part];
  return part && contentOf(part);
}

export interface Content {
  readonly bytes: Uint8Array;
  readonly mediaType: string;
}

/** Whole artifacts and messages by one URL each, largest first; then history from its oldest. */
function fold(smaller: Task, full: Task, limit: number, toUrl: ContentUrl): Task {
  let left = bytesOf(smaller) - limit;
  const holders = [
    ...(smaller.artifacts ?? []).map((holder) => ({ where: "artifact" as const, id: holder.artifactId, holder })),
    ...messagesOf(smaller).map((holder) => ({ where: "message" as const, id: holder.messageId, holder })),
  ].map((one) => ({ ...one, saves: bytesOf(one.holder.parts) - WORTH_A_URL }));
  const replaced = new Map<Artifact | Message, Part>();
  for (const { where, id, holder, saves } of holders.sort((a, b) => b.saves - a.saves)) {
    if (left <= 0 || saves <= 0) break;
    const place = { in: where, id };
    const size = findContent(full, place)?.bytes.byteLength ?? 0;
    replaced.set(holder, { url: toUrl(place, size, { mediaType: "application/json" }), mediaType: "application/json" });
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

function contentOf(part: Part): Content {
  if (part.raw !== undefined) return { bytes: Buffer.from(part.raw, "base64"), mediaType: "application/octet-stream" };
  if (part.data !== undefined) return { bytes: Buffer.from(JSON.stringify(part.data)), mediaType: "application/json" };
  return { bytes: Buffer.from(part.text ?? ""), mediaType: "text/plain" };
}

function bytesOf(value: unknown): number {
  return Buffer.byteLength(JSON.stringify(value) ?? "");
}
