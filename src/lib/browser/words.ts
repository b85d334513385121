import type { Part } from "../model/a2a.ts";
import type { UploadedFile } from "../model/api.ts";

/** A random id; also on pages that were not loaded securely, where `crypto.randomUUID` is missing. */
export function newId(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** The part of a message that sends an uploaded file. */
export function toPart({ url, mediaType, filename }: UploadedFile): Part {
  return { url, mediaType, filename };
}
