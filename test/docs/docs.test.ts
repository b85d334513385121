import assert from "node:assert/strict";
import { existsSync, writeFileSync } from "node:fs";
import { dirname, join, normalize } from "node:path";
import { test } from "node:test";
import { run } from "../../scripts/engines/install.ts";
import { codeBlocks, scratchFolder, writeBlocks } from "../support/code-blocks.ts";
import { projectFiles, read, root } from "../support/tree.ts";

/** `npm run bench` writes it. */
const WRITTEN_BY_BENCH = "bench/results.md";

test("every TypeScript block of the documents compiles as it stands, strictly", async () => {
  using scratch = scratchFolder();
  const blocks = codeBlocks().filter(({ language }) => language === "ts");
  assert.ok(blocks.some(({ place }) => place.startsWith("README.md:")));
  const files = writeBlocks(scratch.path, blocks);
  const compilerOptions = { noUnusedLocals: false, noUnusedParameters: false };
  writeFileSync(join(scratch.path, "tsconfig.json"), JSON.stringify({ extends: join(root, "tsconfig.json"), compilerOptions, include: [], files }));
  const complaint = await run(join(root, "node_modules", ".bin", "tsc"), ["-p", scratch.path], { cwd: scratch.path }).catch(String);
  const places = blocks.map(({ place }, n) => `${n}.ts is ${place}`).join("\n");
  assert.equal(complaint, "", places);
});

test("npm commands in the documents name scripts that exist", () => {
  const { scripts } = JSON.parse(read("package.json")) as { scripts: Record<string, string> };
  const own = new Set(["ci", "install", "start", "test", "rebuild", "pack", ...Object.keys(scripts)]);
  const bad = codeBlocks()
    .filter(({ language }) => language === "sh")
    .flatMap(({ place, text }) =>
      [...text.matchAll(/\bnpm (?:run )?(?:-s )?([\w:-]+)/g)].filter(([, name]) => !own.has(name ?? "")).map(([said]) => `${place} ${said}`),
    );
  assert.deepEqual(bad, []);
});

test("links between the project's files lead somewhere", () => {
  const bad = projectFiles()
    .filter((file) => file.endsWith(".md"))
    .flatMap((file) =>
      [...read(file).matchAll(/\]\((?!\w+:|#)([^)#\s]+)[^)]*\)/g)]
        .map(([, target]) => normalize(join(dirname(file), target ?? "")))
        .filter((target) => target !== WRITTEN_BY_BENCH && !existsSync(root + target))
        .map((target) => `${file} → ${target}`),
    );
  assert.deepEqual(bad, []);
});
