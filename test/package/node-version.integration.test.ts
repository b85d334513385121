import assert from "node:assert/strict";
import { cpSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { after, before, test } from "node:test";
import { run } from "../../scripts/engines/install.ts";
import { engine } from "../support/engines.ts";
import { read, root } from "../support/tree.ts";

/**
 * A checkout on a machine whose own Node is 22, installed with --ignore-scripts: the devDependency "node" then has no binary, and npm
 * scripts would run on 22 without a word.
 */
const project = mkdtempSync(join(tmpdir(), "ias-ignore-scripts-"));
const elsewhere = (process.env["PATH"] ?? "").split(delimiter).filter((folder) => !folder.includes("node_modules"));
const env = { ...process.env, PATH: [dirname(engine("node-22").node), ...elsewhere].join(delimiter) };
const manifest = JSON.parse(read("package.json")) as { devDependencies: { node: string }; allowScripts: unknown };

before(async () => {
  cpSync(join(root, "scripts"), join(project, "scripts"), { recursive: true });
  writeFileSync(join(project, "which.ts"), "const major: string = process.version;\nconsole.log(major);\n");
  writeFileSync(
    join(project, "package.json"),
    JSON.stringify({
      private: true,
      type: "module",
      scripts: { start: "node --import ./scripts/require-node.mjs which.ts" },
      devDependencies: { node: manifest.devDependencies.node },
      allowScripts: manifest.allowScripts,
    }),
  );
  await npm("install", "--ignore-scripts", "--prefer-offline", "--no-audit", "--no-fund");
});

after(() => rmSync(project, { recursive: true, force: true }));

function npm(...args: string[]): Promise<string> {
  return run("npm", args, { cwd: project, env });
}

test("after npm ci --ignore-scripts, start and test refuse to run on another Node and name the remedy; the remedy works", async () => {
  await assert.rejects(npm("run", "--silent", "start"), (error: Error) => {
    assert.match(error.message, /This project runs on Node 26; this is Node v22\./);
    assert.match(error.message, /npm rebuild node/);
    return true;
  });
  await npm("rebuild", "node");
  assert.equal((await npm("run", "--silent", "start")).trim(), `v${manifest.devDependencies.node}`);
});

test("start, test and all other scripts that run TypeScript check the Node first", () => {
  const { scripts } = JSON.parse(read("package.json")) as { scripts: Record<string, string> };
  const unchecked = Object.entries(scripts).filter(
    ([, command]) => command.includes(".ts") && !command.startsWith("node --import ./scripts/require-node.mjs "),
  );
  assert.deepEqual(
    unchecked.filter(([, command]) => !command.startsWith("node --watch --import ./scripts/require-node.mjs ")),
    [],
  );
});
