import type { Part } from "../model/a2a.ts";
import type { StoredBlob } from "./blobs.ts";
import { BLOB_SCHEME } from "./media.ts";

/** `ias-blob:<sha256>?size=<bytes>`. */
export function toReference(blob: StoredBlob): string {
  return `${BLOB_SCHEME}${blob.sha256}?size=${blob.size}`;
}

/** The blob that a part refers to, or undefined. */
export function readReference(part: Part): StoredBlob | undefined {
  const match = part.url === undefined ? null : /^ias-blob:([0-9a-f]{64})\?size=(0|[1-9]\d{0,14})$/.exec(part.url);
  return match === null ? undefined : { sha256: match[1] ?? "", size: Number(match[2]) };
}

/** Whether a URL is of our scheme, well made or not, in whatever case. */
export function isReference(url: string): boolean {
  return url.trimStart().slice(0, BLOB_SCHEME.length).toLowerCase() === BLOB_SCHEME;
}
