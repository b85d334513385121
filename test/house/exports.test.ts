import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { test } from "node:test";
import { OLDEST_NODE } from "../../scripts/engines/node.ts";
import { projectFiles, read, root } from "../support/tree.ts";

interface Manifest {
  readonly exports: Record<string, unknown>;
  readonly scripts: Record<string, string>;
  readonly engines: { readonly node: string };
  readonly bin: Record<string, string>;
  readonly dependencies: Record<string, string>;
  readonly devDependencies: Record<string, string>;
}

const manifest = JSON.parse(read("package.json")) as Manifest;

test("package.json exports each src/*.ts under its name, source condition first, and nothing else", () => {
  const names = projectFiles()
    .map((file) => /^src\/([\w-]+)\.ts$/.exec(file)?.[1])
    .filter((name) => name !== undefined);
  const expected: Record<string, unknown> = {};
  for (const name of names) {
    expected[name === "index" ? "." : `./${name}`] = {
      "@infinite-agent-streams/source": `./src/${name}.ts`,
      types: `./dist/${name}.d.ts`,
      default: `./dist/${name}.js`,
    };
  }
  expected["./package.json"] = "./package.json";
  // As text, because the order of conditions decides.
  assert.equal(JSON.stringify(sorted(manifest.exports), null, 2), JSON.stringify(sorted(expected), null, 2));
});

test("the oldest Node that is promised is the oldest that is tested", () => {
  const promised = manifest.engines.node.replace(">=", "");
  assert.equal(promised.split(".").length === 2 ? `${promised}.0` : promised, OLDEST_NODE);
});

test("dependencies are pinned to exact versions", () => {
  const loose = Object.entries({ ...manifest.dependencies, ...manifest.devDependencies }).filter(([, version]) => !/^\d+\.\d+\.\d+$/.test(version));
  assert.deepEqual(loose, []);
});

test("the files that npm scripts run are there", () => {
  const missing = Object.entries(manifest.scripts).flatMap(([script, command]) =>
    [...command.matchAll(/(?:^|\s)(?:\.\/)?([\w./-]+\.(?:ts|mjs))/g)]
      .map((match) => match[1] ?? "")
      .filter((file) => !existsSync(root + file))
      .map((file) => `${script}: ${file}`),
  );
  assert.deepEqual(missing, []);
});

test("each dependency has its reason in docs/decisions/005-dependencies.md", () => {
  const reasons = read("docs/decisions/005-dependencies.md");
  const names = Object.keys({ ...manifest.dependencies, ...manifest.devDependencies });
  assert.deepEqual(
    names.filter((name) => !reasons.includes(`\`${name}\``)),
    [],
  );
});

function sorted(record: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(record).sort(([a], [b]) => (a < b ? -1 : 1)));
}
