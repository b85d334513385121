import { createHash, randomUUID } from "node:crypto";
import { createReadStream } from "node:fs";
import { mkdir, open, readdir, rename, rm, rmdir, stat, writeFile } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import type { StreamKey } from "../model/key.ts";
import { digest } from "./blob-input.ts";
import { type BlobLimits, type BlobOwner, type BlobStore, DEFAULT_BLOB_LIMITS, isSha256 } from "./blobs.ts";
import { createQueues } from "../stream/queues.ts";

/** Where the files are, and their limits. */
export interface FsBlobsOptions extends Partial<BlobLimits> {
  /** The store's own folder; made if it is not there. One process owns it, by the data folder's lock (SEMANTICS 12). */
  readonly folder: string;
  /** `host` puts each blob, its name and who needs it on the disk before `put` or `refer` answers; `process` (default) leaves that to the system. */
  readonly durability?: "process" | "host";
  /** Another process owns the folder: nothing is cleaned up, and `put` and `refer` are not called. */
  readonly readOnly?: boolean;
}

/**
 * Blobs as files. Under `<tenant>/<user>/<agent>/`: `blobs/ab/<sha256>` the bytes, `refs/<sha256>/<task>` and `tasks/<task>/<sha256>` empty files, who needs them.
 * References are written before the bytes get their name and removed after them, so a killed process leaves no bytes that nobody would remove.
 */
export async function createFsBlobs(options: FsBlobsOptions): Promise<BlobStore> {
  const { maxBlobBytes } = { ...DEFAULT_BLOB_LIMITS, ...options };
  const incoming = join(options.folder, "incoming");
  const durable = options.durability === "host";
  if (options.readOnly !== true) {
    // What is there was cut off by the end of the process before.
    await rm(incoming, { recursive: true, force: true });
    await makeFolder(incoming, durable);
  }
  /** References and bytes of one owner change one after the other. */
  const perOwner = createQueues();

  const ownerFolder = (owner: BlobOwner): string => join(options.folder, folderName(owner.tenant), folderName(owner.user), folderName(owner.agent));
  const blobPath = (owner: BlobOwner, sha256: string): string => join(ownerFolder(owner), "blobs", sha256.slice(0, 2), sha256);

  const mark = async (key: StreamKey, sha256: string): Promise<void> => {
    const task = folderName(key.task);
    for (const [folder, name] of [
      [join(ownerFolder(key), "tasks", task), sha256],
      [join(ownerFolder(key), "refs", sha256), task],
    ] as const) {
      await makeFolder(folder, durable);
      await writeFile(join(folder, name), "");
      if (durable) await syncFolder(folder);
    }
  };

  return {
    async put(key, content) {
      const temporary = join(incoming, randomUUID());
      try {
        const file = await open(temporary, "wx");
        let blob;
        try {
          blob = await digest(content, maxBlobBytes, (chunk) => file.writeFile(chunk));
          if (durable) await file.sync();
        } finally {
          await file.close();
        }
        const { sha256 } = blob;
        await perOwner.run(ownerFolder(key), async () => {
          const path = blobPath(key, sha256);
          await mark(key, sha256);
          await makeFolder(dirname(path), durable);
          await rename(temporary, path);
          if (durable) await syncFolder(dirname(path));
        });
        return blob;
      } catch (error) {
        await rm(temporary, { force: true });
        throw error;
      }
    },
    refer: (key, sha256) =>
      perOwner.run(ownerFolder(key), async () => {
        if (!isSha256(sha256) || (await sizeOf(blobPath(key, sha256))) === undefined) return false;
        await mark(key, sha256);
        return true;
      }),
    size: async (owner, sha256) => (isSha256(sha256) ? sizeOf(blobPath(owner, sha256)) : undefined),
    async read(owner, sha256, { start = 0, end } = {}) {
      const size = isSha256(sha256) ? await sizeOf(blobPath(owner, sha256)) : undefined;
      if (size === undefined) return undefined;
      const until = Math.min(end ?? size, size);
      // `end` of a file stream is inclusive, so it cannot say "nothing".
      return start >= until ? nothing() : createReadStream(blobPath(owner, sha256), { start, end: until - 1 });
    },
    release: (key) =>
      perOwner.run(ownerFolder(key), async () => {
        const task = folderName(key.task);
        const folder = join(ownerFolder(key), "tasks", task);
        for (const sha256 of await names(folder)) {
          await rm(join(ownerFolder(key), "refs", sha256, task), { force: true });
          if (await removeIfEmpty(join(ownerFolder(key), "refs", sha256))) await rm(blobPath(key, sha256), { force: true });
        }
        await rm(folder, { recursive: true, force: true });
      }),
    async [Symbol.asyncDispose]() {
      await perOwner.idle();
    },
  };
}

/** A name that any file system keeps apart from others: the readable beginning and a hash, because systems fold case and bound lengths, and `..` is a name too. */
function folderName(part: string): string {
  const readable = part
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, "-")
    .slice(0, 24);
  return `${readable}.${createHash("sha256").update(part).digest("hex").slice(0, 40)}`;
}

/** Makes a folder and those above it; `durable` puts their names on the disk. */
async function makeFolder(folder: string, durable: boolean): Promise<void> {
  const uppermost = await mkdir(folder, { recursive: true });
  if (!durable || uppermost === undefined) return;
  const above = dirname(resolve(uppermost));
  for (let each = dirname(resolve(folder)); each.length >= above.length; each = dirname(each)) await syncFolder(each);
}

/** Puts the list of names in a folder on the disk. Windows has no way to, and needs none. */
async function syncFolder(folder: string): Promise<void> {
  if (process.platform === "win32") return;
  const opened = await open(folder, "r");
  try {
    await opened.sync();
  } finally {
    await opened.close();
  }
}

async function sizeOf(path: string): Promise<number | undefined> {
  try {
    return (await stat(path)).size;
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}

async function names(folder: string): Promise<readonly string[]> {
  try {
    return await readdir(folder);
  } catch (error) {
    if (isMissing(error)) return [];
    throw error;
  }
}

/** True if the folder is not there afterwards. */
async function removeIfEmpty(folder: string): Promise<boolean> {
  try {
    await rmdir(folder);
    return true;
  } catch (error) {
    if (isMissing(error)) return true;
    if (error instanceof Error && "code" in error && (error.code === "ENOTEMPTY" || error.code === "EEXIST")) return false;
    throw error;
  }
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "ENOENT";
}

async function* nothing(): AsyncGenerator<Uint8Array, void, undefined> {}
