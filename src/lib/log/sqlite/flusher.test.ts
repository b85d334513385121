import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { keyOf, numbered, openWriter, readAll, textEntry } from "../../testing/log-support.ts";
import { createSqliteStore } from "../sqlite.ts";

const MAX = 400_000;

for (const [title, each, flushed] of [
  ["long entries go into segments from a quarter of the length that is kept", 10_000, true],
  ["as much text in short entries is kept", 100, false],
] as const) {
  void test(title, async () => {
    const folder = await mkdtemp(join(tmpdir(), "ias-flusher-"));
    const store = createSqliteStore({ folder, maxBlockLength: MAX });
    try {
      const key = keyOf("t");
      const writer = await openWriter(store.log, key);
      const entries = Array.from({ length: (MAX * 0.4) / each }, (_, i) => textEntry(`${i} `.padEnd(each - 80, "x")));
      for (const entry of entries) await writer.write([entry]);
      // A flush that has begun is a group before this one.
      await writer.write([textEntry("last")]);
      using database = new DatabaseSync(join(folder, "log.db"), { readOnly: true });
      const segments = Number(database.prepare("SELECT count(*) AS n FROM segments").get()?.["n"]);
      assert.equal(segments > 0, flushed, `${segments} segments`);
      assert.deepEqual(await readAll(store.log, key), numbered([...entries, textEntry("last")]));
    } finally {
      await store[Symbol.asyncDispose]();
      await rm(folder, { recursive: true });
    }
  });
}
