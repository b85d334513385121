import assert from "node:assert/strict";
import { mkdtemp, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test from "node:test";
import { createMemoryStore } from "../log/memory.ts";
import { IasError } from "../model/errors.ts";
import { createSecrets, loadSecretKey, loadStoreKey } from "./secrets.ts";

test("what is sealed opens with the same key at the same place only, and shows nothing", () => {
  const [secrets, other] = [createSecrets(Buffer.alloc(32, 1)), createSecrets(Buffer.alloc(32, 2))];
  const sealed = secrets.seal("tökén", "here");
  assert.equal(secrets.open(sealed, "here"), "tökén");
  assert.ok(!Buffer.from(sealed, "base64").includes("tök"));
  assert.notEqual(secrets.seal("tökén", "here"), sealed);
  const changed = Buffer.from(sealed, "base64");
  changed[changed.length - 1] = (changed.at(-1) ?? 0) ^ 1;
  for (const open of [
    () => other.open(sealed, "here"),
    () => secrets.open(sealed, "there"),
    () => secrets.open(changed.toString("base64"), "here"),
    () => secrets.open("", "here"),
    () => secrets.open("AAAA", "here"),
  ]) {
    assert.throws(open, (error) => error instanceof IasError && error.code === "corrupt");
  }
  assert.throws(() => createSecrets(Buffer.alloc(16)), /must have 32 bytes/);
});

test("the key of a folder is made once, for its owner alone; so is the key of a store", async (t) => {
  const folder = await mkdtemp(join(tmpdir(), "ias-secrets-"));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const file = join(folder, "secret.key");
  const [one, two] = await Promise.all([loadSecretKey(file), loadSecretKey(file)]);
  assert.deepEqual(one, two);
  assert.equal((await stat(file)).mode & 0o777, 0o600);
  const { records } = createMemoryStore();
  assert.deepEqual(await loadStoreKey(records), await loadStoreKey(records));
});
