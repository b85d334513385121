import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { isHeld, lockFolder } from "./lock.ts";

test("a folder is held for as long as its lock is, whatever owner.json says", (t) => {
  const folder = mkdtempSync(join(tmpdir(), "ias-lock-"));
  t.after(() => rmSync(folder, { recursive: true, force: true, maxRetries: 3 }));
  assert.equal(isHeld(folder), false);
  const release = lockFolder(folder);
  assert.equal(isHeld(folder), true);
  release();
  assert.equal(isHeld(folder), false);
});
