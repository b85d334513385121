import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { createHardener } from "./harden.ts";

void test("after a sync that failed no commit is called durable, though the system says that the next one worked", async () => {
  const folder = await mkdtemp(join(tmpdir(), "ias-harden-"));
  const wal = join(folder, "log.db-wal");
  await writeFile(wal, "");
  let calls = 0;
  const hardener = createHardener(wal, async () => {
    calls += 1;
    if (calls === 2) throw new Error("EIO");
  });
  const harden = () =>
    new Promise<void>((resolve, reject) => {
      hardener.harden(resolve, reject);
    });
  await harden();
  for (let i = 0; i < 3; i += 1) await assert.rejects(harden(), { name: "IasError", code: "unavailable", message: /restart the server/ });
  assert.equal(calls, 2);
  await hardener.close();
  await rm(folder, { recursive: true });
});
