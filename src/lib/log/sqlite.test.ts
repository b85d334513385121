import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { runLogConformance } from "../testing/log-conformance.ts";
import type { StoreFactory } from "../testing/log-support.ts";
import { createSqliteStore, type SqliteStoreOptions } from "./sqlite.ts";

function factory(options: Partial<SqliteStoreOptions>): StoreFactory {
  return async ({ now }) => {
    const folder = await mkdtemp(join(tmpdir(), "ias-sqlite-"));
    let store = createSqliteStore({ folder, now, ...options });
    return {
      store,
      async reopen() {
        await store[Symbol.asyncDispose]();
        store = createSqliteStore({ folder, now, ...options });
        return store;
      },
      async dispose() {
        await store[Symbol.asyncDispose]();
        await rm(folder, { recursive: true });
      },
    };
  };
}

runLogConformance("sqlite", factory({}), { durable: "durable" });
// Everything goes through segments, eviction and checkpoints all the time.
runLogConformance("sqlite with tiny limits", factory({ maxBlockLength: 2000, maxIdleStreams: 1, checkpointBytes: 20_000 }), { durable: "durable" });

runLogConformance("sqlite that survives a power loss", factory({ durability: "host", maxBlockLength: 20_000 }), { durable: "durable" });
