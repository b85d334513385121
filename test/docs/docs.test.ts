import assert from "node:assert/strict";
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join, normalize } from "node:path";
import { test } from "node:test";
import { run } from "../../scripts/engines/install.ts";
import { projectFiles, read, root } from "../support/tree.ts";

/** Every fenced block of the project's Markdown files, with its place and the word after the fence. Blocks with two words (`ts excerpt`) are left out. */
function codeBlocks(): { readonly place: string; readonly language: string | undefined; readonly text: string }[] {
  return projectFiles()
    .filter((file) => file.endsWith(".md"))
    .flatMap((file) => {
      const page = read(file);
      return [...page.matchAll(/^```(\w+)\n([^]*?)^```$/gm)].map(({ 1: language, 2: text = "", index }) => ({
        place: `${file}:${page.slice(0, index).split("\n").length}`,
        language,
        text,
      }));
    });
}

test("every TypeScript block of the documents compiles as it stands, strictly", async (t) => {
  // Inside the project, so that the package's own name resolves; the folder is ignored by git.
  mkdirSync(join(root, ".cache"), { recursive: true });
  const folder = mkdtempSync(join(root, ".cache", "docs-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const blocks = codeBlocks().filter(({ language }) => language === "ts");
  assert.ok(blocks.some(({ place }) => place.startsWith("README.md:")));
  const files = blocks.map((_, n) => join(folder, `${n}.ts`));
  for (const [n, { text }] of blocks.entries()) writeFileSync(join(folder, `${n}.ts`), text);
  const compilerOptions = { noUnusedLocals: false, noUnusedParameters: false };
  writeFileSync(join(folder, "tsconfig.json"), JSON.stringify({ extends: join(root, "tsconfig.json"), compilerOptions, include: [], files }));
  const complaint = await run(join(root, "node_modules", ".bin", "tsc"), ["-p", folder], { cwd: folder }).catch(String);
  const places = blocks.map(({ place }, n) => `${n}.ts is ${place}`).join("\n");
  assert.equal(complaint, "", places);
});

test("npm commands in the documents name scripts that exist", () => {
  const { scripts } = JSON.parse(read("package.json")) as { scripts: Record<string, string> };
  const own = new Set(["ci", "init", "install", "pkg", "start", "test", "rebuild", "pack", ...Object.keys(scripts)]);
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
        .filter((target) => !existsSync(root + target))
        .map((target) => `${file} → ${target}`),
    );
  assert.deepEqual(bad, []);
});

test("every document is found from README in two clicks at most", () => {
  const documents = projectFiles().filter((file) => file.endsWith(".md"));
  /** A link to a folder leads to all that is in it. */
  const linkedFrom = (file: string): string[] =>
    [...read(file).matchAll(/\]\((?!\w+:|#)([^)#\s]+)[^)]*\)/g)]
      .map(([, target]) => normalize(join(dirname(file), target ?? "")))
      .flatMap((target) => documents.filter((one) => (target.endsWith("/") ? one.startsWith(target) : one === target)));
  const first = linkedFrom("README.md");
  const found = new Set(["README.md", ...first, ...first.flatMap(linkedFrom)]);
  assert.deepEqual(
    documents.filter((file) => !found.has(file)),
    [],
  );
});

test("every table of the documents has a head: a blank line inside one would end it", () => {
  const bad = projectFiles()
    .filter((file) => file.endsWith(".md"))
    .flatMap((file) => {
      const lines = read(file)
        .replaceAll(/^```[^]*?^```$/gm, (block) => block.replaceAll(/[^\n]+/g, ""))
        .split("\n");
      return lines.flatMap((line, at) =>
        line.startsWith("|") && lines[at - 1]?.startsWith("|") !== true && !/^\|(?: ?:?-+:? ?\|)+$/.test(lines[at + 1] ?? "")
          ? [`${file}:${at + 1} ${line}`]
          : [],
      );
    });
  assert.deepEqual(bad, []);
});
