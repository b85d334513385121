import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "ias-test-command-"));
after(() => rmSync(folder, { recursive: true, force: true }));
/** A PATH on which there is Node, and neither npm nor Python. */
symlinkSync(process.execPath, join(folder, "node"));

/** `npm test -- <args>` on a machine without engines. */
function npmTest(
  args: readonly string[],
  env: NodeJS.ProcessEnv = {},
): Promise<{ readonly code: number | null; readonly out: string; readonly last: string | undefined }> {
  const inherited = { ...process.env };
  for (const name of ["CI", "IAS_ENGINES"]) delete inherited[name];
  const child = spawn(process.execPath, ["scripts/test.ts", ...args], {
    cwd: root,
    env: { ...inherited, IAS_CACHE: join(folder, "cache"), ...env },
    stdio: ["ignore", "pipe", "inherit"],
  });
  let out = "";
  child.stdout.setEncoding("utf8").on("data", (chunk: string) => (out += chunk));
  return new Promise((resolve) => child.once("close", (code) => resolve({ code, out, last: out.trimEnd().split("\n").at(-1) })));
}

test("the last line counts what ran, and all well is exit code 0", async () => {
  const { code, out, last } = await npmTest(["test/house/sizes"]);
  assert.deepEqual([code, last], [0, "1 passed, 0 failed"], out);
  assert.match(out, /^ok {3}test\/house\/sizes\.test\.ts {2}1 passed {2}[\d.]+ s$/m);
});

test("what was not run is listed with the reason and the way to get it, and is no failure", async () => {
  const { out, last } = await npmTest(["test/house/sizes", "package/node-version"]);
  assert.equal(last, "1 passed, 0 failed");
  assert.match(out, /^Not run:\n {2}integration: node-22: 1 file\n {2}node-22: not installed\n {4}what: .*\n {4}get it: .*npm test -- --all/m);
});

for (const [how, args, env] of [
  ["CI=true", [], { CI: "true" }],
  ["--all", ["--all"], {}],
] as const) {
  test(`with ${how} it says first what it installs, and a missing part is a failure`, async () => {
    const { code, out, last } = await npmTest([...args, "package/node-version"], { ...env, PATH: folder });
    assert.deepEqual([code, last], [1, "0 passed, 1 failed"], out);
    assert.ok(out.startsWith(`Installing into ${join(folder, "cache")} (set IAS_CACHE for another folder):\n  node-22: `), out);
    assert.match(out, /node-22: could not be installed: .*npm/);
  });
}

test("a pattern without a file is not a success", async () => {
  const { code, out, last } = await npmTest(["no/such/file"]);
  assert.deepEqual([code, last], [1, "0 passed, 0 failed"]);
  assert.match(out, /No test file has a path with no\/such\/file\./);
});
