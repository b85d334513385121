import type { StreamKey } from "../model/key.ts";
import { DEFAULT_LIMITS } from "../model/limits.ts";

/**
 * Bytes by content hash: images, audio, video and files that are too large for entries (SEMANTICS 8).
 * An adapter is right when `runBlobConformance` passes.
 *
 * MUST:
 * - keep owners (tenant, user, agent) apart: bytes of one are not found under another, whatever the names are (SEMANTICS 22);
 * - show no bytes before all of them are there, and keep the same bytes of one owner once;
 * - keep bytes as long as one task refers to them, and remove them with the last;
 * - copy what it is given.
 */
export interface BlobStore extends AsyncDisposable {
  /** Keeps bytes for a task of the owner, who then refers to them. Throws `too-large` over the store's `maxBlobBytes`; then nothing is kept. */
  put(key: StreamKey, content: Uint8Array | AsyncIterable<Uint8Array>): Promise<StoredBlob>;
  /** Lets one more task of the same owner refer to bytes that the owner has; false if it has none such. */
  refer(key: StreamKey, sha256: string): Promise<boolean>;
  /** The size of the owner's bytes, or undefined. */
  size(owner: BlobOwner, sha256: string): Promise<number | undefined>;
  /** The bytes from `start` (0) up to but not including `end` (the size), in chunks; undefined if the owner has none such. A range beyond the end is cut. */
  read(owner: BlobOwner, sha256: string, range?: ByteRange): Promise<AsyncIterable<Uint8Array> | undefined>;
  /** The task is gone: bytes that no other task of the owner refers to are removed. Called again, it does nothing. */
  release(key: StreamKey): Promise<void>;
}

/** Kept bytes: `sha256` in lower-case hexadecimal, `size` in bytes. */
export interface StoredBlob {
  readonly sha256: string;
  readonly size: number;
}

/** Whose bytes they are. */
export type BlobOwner = Pick<StreamKey, "tenant" | "user" | "agent">;

/** Bytes from `start` (0) to `end` (the blob's). */
export interface ByteRange {
  readonly start?: number;
  /** Exclusive. */
  readonly end?: number;
}

/** Limits of a blob store. */
export interface BlobLimits {
  /** Largest blob, bytes: `too-large`. Default 1 GiB. */
  readonly maxBlobBytes: number;
}

/** Those of a server. */
export const DEFAULT_BLOB_LIMITS: BlobLimits = { maxBlobBytes: DEFAULT_LIMITS.maxBlobBytes };

/** Whether a text is the name of a blob; others are never looked up. */
export function isSha256(text: string): boolean {
  return /^[0-9a-f]{64}$/.test(text);
}
