import type { Part, Task } from "../model/a2a.ts";
import type { StreamKey } from "../model/key.ts";

/**
 * Bytes of parts: large raw content leaves the entries for a blob store, and comes back on the way out (SEMANTICS 8).
 * Inside, such a part is `{ url: "ias-blob:<sha256>?size=<bytes>", mediaType, filename? }`; a caller's own URL of that scheme is refused.
 */
export interface Media {
  /**
   * Parts as entries hold them: raw content over `maxRawPartBytes` is stored and replaced by a reference. Throws `invalid-params` for bad base64 and for
   * a reference `from` a caller (the default); an agent may hand on references of its own tasks. A caller's part whose `url` is `/api/files/<sha256>/<name>`
   * takes the upload over; `not-found` if the caller has none such.
   */
  store(key: StreamKey, parts: readonly Part[], from?: "caller" | "agent"): Promise<readonly Part[]>;
  /** The bytes of a part: raw, stored, or fetched from its URL by the guarded fetch. Throws `not-found`, `too-large`, `forbidden`, `remote-failed`. */
  load(key: StreamKey, part: Part): Promise<Uint8Array>;
  /** A `StreamResponse` or Task JSON text with references turned into raw content (up to `maxRawOutBytes`) or signed URLs. Call it only if `hasBlobs`. */
  present(key: StreamKey, json: string): Promise<string>;
  /**
   * A Task of at most `limit` bytes of JSON: while it is larger, the largest contents become URLs of the full content (range requests), then the oldest history goes
   * (SEMANTICS 8). The same Task if it fits. Call it before `present`.
   */
  fitTask(key: StreamKey, task: Task, limit: number): Promise<Task>;
}

/** Scheme of a reference to stored bytes. */
export const BLOB_SCHEME = "ias-blob:";

/** Whether JSON text may hold a reference: a cheap test before `Media.present`. */
export function hasBlobs(json: string): boolean {
  return json.includes('"ias-blob:');
}
