import { join } from "node:path";
import { createMemoryStore } from "../log/memory.ts";
import { createSqliteStore } from "../log/sqlite.ts";
import type { Store } from "../log/store.ts";
import type { BlobStore } from "../media/blobs.ts";
import { createFsBlobs } from "../media/fs.ts";
import { createMemoryBlobs } from "../media/memory.ts";
import type { Settings } from "./settings.ts";

/** Streams and bytes of one server. Disposing closes both and gives the data folder back. */
export interface Stores extends AsyncDisposable {
  readonly store: Store;
  readonly blobs: BlobStore;
}

/** Opens what settings ask for: the data folder, or memory. Throws `conflict` when another process owns the folder. */
export async function openStores(settings: Pick<Settings, "log" | "durability" | "dataDir" | "readOnly">): Promise<Stores> {
  const store = settings.log === "memory" ? createMemoryStore() : createSqliteStore({ folder: settings.dataDir, durability: settings.durability });
  try {
    const blobs =
      settings.log === "memory" ? createMemoryBlobs() : await createFsBlobs({ folder: join(settings.dataDir, "blobs"), durability: settings.durability });
    return {
      store,
      blobs,
      async [Symbol.asyncDispose]() {
        await blobs[Symbol.asyncDispose]();
        await store[Symbol.asyncDispose]();
      },
    };
  } catch (error) {
    await store[Symbol.asyncDispose]();
    throw error;
  }
}
