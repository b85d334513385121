import { createHash } from "node:crypto";
import { IasError } from "../model/errors.ts";
import type { StoredBlob } from "./blobs.ts";

/** Passes content on to `write`, counting and hashing. @throws IasError `too-large` once it is over `maxBytes`. */
export async function digest(
  content: Uint8Array | AsyncIterable<Uint8Array>,
  maxBytes: number,
  write: (chunk: Uint8Array) => void | Promise<void>,
): Promise<StoredBlob> {
  const hash = createHash("sha256");
  let size = 0;
  for await (const chunk of content instanceof Uint8Array ? [content] : content) {
    size += chunk.byteLength;
    if (size > maxBytes) throw new IasError("too-large", `The content passes maxBlobBytes (${maxBytes} bytes).`, { reason: "BLOB_TOO_LARGE" });
    hash.update(chunk);
    await write(chunk);
  }
  return { sha256: hash.digest("hex"), size };
}
