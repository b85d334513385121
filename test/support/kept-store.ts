import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { createSqliteStore } from "../../src/lib/log/sqlite.ts";
import type { Store } from "../../src/lib/log/store.ts";

/** A SQLite store in a folder of its own; both go with the test. */
export async function keptStore(t: TestContext): Promise<Store> {
  const folder = await mkdtemp(join(tmpdir(), "ias-"));
  const store = createSqliteStore({ folder });
  t.after(async () => {
    await store[Symbol.asyncDispose]();
    await rm(folder, { recursive: true });
  });
  return store;
}
