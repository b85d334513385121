import assert from "node:assert/strict";
import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test, { after } from "node:test";
import { runBlobConformance } from "../testing/blob-conformance.ts";
import { createFsBlobs } from "./fs.ts";

const root = await mkdtemp(join(tmpdir(), "ias-blobs-"));
after(() => rm(root, { recursive: true, force: true }));
let count = 0;
const fresh = (): string => join(root, String((count += 1)));

runBlobConformance("fs", { create: (limits) => createFsBlobs({ folder: fresh(), ...limits }) });

const KEY = { tenant: "t", user: "u", agent: "a", task: "one" };

test("fs: blobs survive the process, and what was cut off is swept", async () => {
  const folder = fresh();
  let sha256: string;
  {
    await using blobs = await createFsBlobs({ folder, durability: "host" });
    ({ sha256 } = await blobs.put(KEY, Buffer.from("kept")));
  }
  await writeFile(join(folder, "incoming", "half"), "ha");
  await using blobs = await createFsBlobs({ folder });
  assert.equal(await blobs.size(KEY, sha256), 4);
  assert.deepEqual(await readdir(join(folder, "incoming")), []);
});

test("fs: nothing of a released task is left", async () => {
  const folder = fresh();
  await using blobs = await createFsBlobs({ folder });
  await blobs.put(KEY, Buffer.from("bytes"));
  await blobs.release(KEY);
  const files = (await readdir(folder, { recursive: true, withFileTypes: true })).filter((entry) => entry.isFile());
  assert.deepEqual(files, []);
});
