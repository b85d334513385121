import { randomBytes } from "node:crypto";
import { join } from "node:path";
import { createMemoryStore } from "../log/memory.ts";
import { createSqliteStore } from "../log/sqlite.ts";
import type { Store } from "../log/store.ts";
import type { BlobStore } from "../media/blobs.ts";
import { createFsBlobs } from "../media/fs.ts";
import { createMemoryBlobs } from "../media/memory.ts";
import { DEFAULT_LIMITS } from "../model/limits.ts";
import { createMemorySearch } from "../search/memory.ts";
import type { TaskSearch } from "../search/search.ts";
import { createSqliteSearch } from "../search/sqlite.ts";
import { createSecrets, loadSecretKey, type Secrets } from "../tenancy/secrets.ts";
import { createHeapSaver } from "./heap-saver.ts";
import type { Settings } from "./settings.ts";

/** Streams and bytes of one server. Disposing closes both and gives the data folder back. */
export interface Stores extends AsyncDisposable {
  readonly store: Store;
  readonly blobs: BlobStore;
  /** Absent where a folder is only read. */
  readonly search?: TaskSearch;
  /** With a key that stays in the data folder. */
  readonly secrets: Secrets;
}

/** Opens what settings ask for: the data folder, or memory. Throws `conflict` when another process owns the folder. */
export async function openStores(settings: Pick<Settings, "log" | "durability" | "dataDir" | "readOnly" | "limits">): Promise<Stores> {
  const heap = createHeapSaver();
  const store =
    settings.log === "memory"
      ? createMemoryStore()
      : createSqliteStore({
          folder: settings.dataDir,
          durability: settings.durability,
          readOnly: settings.readOnly,
          onLongEntries: heap.onLongEntries,
          inUse: "Stop it, choose another folder, or open this one with --read-only.",
        });
  const { maxBlobBytes = DEFAULT_LIMITS.maxBlobBytes } = settings.limits;
  try {
    const secrets = createSecrets(settings.log === "memory" ? randomBytes(32) : await loadSecretKey(join(settings.dataDir, "secret.key")));
    const blobs =
      settings.log === "memory"
        ? createMemoryBlobs({ maxBlobBytes })
        : await createFsBlobs({ folder: join(settings.dataDir, "blobs"), durability: settings.durability, readOnly: settings.readOnly, maxBlobBytes });
    const search = settings.readOnly
      ? undefined
      : settings.log === "memory"
        ? createMemorySearch()
        : createSqliteSearch({ folder: settings.dataDir, logId: store.log.id });
    return {
      store,
      blobs,
      secrets,
      ...(search !== undefined && { search }),
      async [Symbol.asyncDispose]() {
        await search?.[Symbol.asyncDispose]();
        await blobs[Symbol.asyncDispose]();
        await store[Symbol.asyncDispose]();
        heap[Symbol.dispose]();
      },
    };
  } catch (error) {
    await store[Symbol.asyncDispose]();
    throw error;
  }
}
