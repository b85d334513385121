import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test, { after } from "node:test";
import { createSqliteStore } from "../sqlite.ts";
import { makeDataFolder, syncDataFolder } from "./data-folder.ts";

const root = await mkdtemp(join(tmpdir(), "ias-data-folder-"));
after(() => rm(root, { recursive: true, force: true }));

test("a data folder that cannot be made or written is refused at once, by name", async () => {
  await writeFile(join(root, "file"), "");
  await symlink(join(root, "nowhere"), join(root, "dangling"));
  // In /proc nothing can be made, whoever asks: the system answers ENOENT there, a read-only file system EROFS.
  for (const folder of ["/proc/x", "/proc/x/y", "/proc", join(root, "file"), join(root, "file", "x"), join(root, "dangling"), "/dev/null", "/dev/null/x"]) {
    // In a process of its own: what hangs there holds its event loop, and no timer of this one would end it.
    const { status, stdout, stderr } = spawnSync(
      process.execPath,
      [
        "--input-type=module",
        "-e",
        `import { createSqliteStore } from ${JSON.stringify(new URL("../sqlite.ts", import.meta.url).href)};
         try { createSqliteStore({ folder: ${JSON.stringify(folder)} }); } catch ({ name, code, message }) { console.log(name, code, message); }`,
      ],
      { encoding: "utf8", timeout: 30_000, killSignal: "SIGKILL" },
    );
    assert.equal(status, 0, `${folder}: ${stderr || "hung"}`);
    assert.ok(stdout.startsWith(`IasError configuration The data folder ${folder} cannot be used: `), stdout);
    assert.match(stdout, /--data or DATA_DIR/);
  }
});

test("with host durability each folder that is made is named on the disk, and so are the files in it", () => {
  const synced: string[] = [];
  const folder = join(root, "one", "two");
  const sync = (each: string): void => {
    assert.ok(existsSync(folder), "synced before it was made");
    synced.push(each);
  };
  makeDataFolder(folder, { durability: "host", sync });
  assert.deepEqual(synced, [root, join(root, "one")]);
  syncDataFolder(folder, { durability: "host", sync });
  makeDataFolder(folder, { durability: "host", sync });
  makeDataFolder(join(root, "three"), { durability: "process", sync });
  assert.deepEqual(synced, [root, join(root, "one"), folder]);
});

test("host durability opens a folder that is made with all above it", async () => {
  await createSqliteStore({ folder: join(root, "a", "b", "c"), durability: "host" })[Symbol.asyncDispose]();
  assert.ok(existsSync(join(root, "a", "b", "c", "log.db")));
});
