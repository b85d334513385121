import { joinKey, keyText } from "../model/key.ts";
import { digest } from "./blob-input.ts";
import { type BlobLimits, type BlobOwner, type BlobStore, DEFAULT_BLOB_LIMITS } from "./blobs.ts";

/** Bytes of one owner, and the tasks that refer to them. */
interface Kept {
  readonly bytes: Uint8Array;
  readonly tasks: Set<string>;
}

/** A blob store in this process' memory; a disposed one is empty. */
export function createMemoryBlobs(options: Partial<BlobLimits> = {}): BlobStore {
  const { maxBlobBytes } = { ...DEFAULT_BLOB_LIMITS, ...options };
  const kept = new Map<string, Kept>();
  const byTask = new Map<string, Set<string>>();

  const refer = (task: string, path: string, blob: Kept): void => {
    blob.tasks.add(task);
    const paths = byTask.get(task);
    if (paths === undefined) byTask.set(task, new Set([path]));
    else paths.add(path);
  };

  return {
    async put(key, content) {
      const chunks: Uint8Array[] = [];
      const blob = await digest(content, maxBlobBytes, (chunk) => void chunks.push(Uint8Array.from(chunk)));
      const path = pathOf(key, blob.sha256);
      const entry = kept.get(path) ?? { bytes: Buffer.concat(chunks), tasks: new Set<string>() };
      kept.set(path, entry);
      refer(keyText(key), path, entry);
      return blob;
    },
    async refer(key, sha256) {
      const path = pathOf(key, sha256);
      const entry = kept.get(path);
      if (entry === undefined) return false;
      refer(keyText(key), path, entry);
      return true;
    },
    size: async (owner, sha256) => kept.get(pathOf(owner, sha256))?.bytes.byteLength,
    async read(owner, sha256, { start = 0, end } = {}) {
      const entry = kept.get(pathOf(owner, sha256));
      return entry && once(Uint8Array.from(entry.bytes.subarray(start, end)));
    },
    async release(key) {
      const task = keyText(key);
      for (const path of byTask.get(task) ?? []) {
        const entry = kept.get(path);
        entry?.tasks.delete(task);
        if (entry?.tasks.size === 0) kept.delete(path);
      }
      byTask.delete(task);
    },
    async [Symbol.asyncDispose]() {
      kept.clear();
      byTask.clear();
    },
  };
}

function pathOf(owner: BlobOwner, sha256: string): string {
  return joinKey(owner.tenant, owner.user, owner.agent, sha256);
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array, void, undefined> {
  if (bytes.byteLength > 0) yield bytes;
}
