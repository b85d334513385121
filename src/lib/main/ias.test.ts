import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import test from "node:test";
import { importsOf, read } from "../../../test/support/tree.ts";

/** Runs `ias --version` as on a Node of that version. */
function versionOn(node: string): { readonly status: number | null; readonly stdout: string; readonly stderr: string } {
  const pretend = `data:text/javascript,Object.defineProperty(process.versions,"node",{value:${JSON.stringify(node)}})`;
  const { status, stdout, stderr } = spawnSync(process.execPath, ["--import", pretend, fileURLToPath(new URL("ias.ts", import.meta.url)), "--version"], {
    encoding: "utf8",
  });
  return { status, stdout, stderr };
}

test("an older Node is told which one is needed, before anything is loaded that it does not have", () => {
  const { engines } = JSON.parse(read("package.json")) as { engines: { node: string } };
  for (const old of ["18.20.8", "20.20.2", "22.18.9"]) {
    const { status, stdout, stderr } = versionOn(old);
    assert.deepEqual([status, stdout], [1, ""]);
    assert.ok(stderr.startsWith(`ias: this is Node ${old} (`) && stderr.includes(`needs Node ${engines.node.replace(">=", "")} or newer.`), stderr);
  }
  for (const fine of ["22.19.0", "24.0.0", process.versions.node]) assert.equal(versionOn(fine).status, 0);
  const before = importsOf("src/lib/main/ias.ts").filter(({ target }) => target !== "./command-line.ts");
  assert.deepEqual(before, []);
});
