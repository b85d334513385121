import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { projectFiles, read, root } from "./tree.ts";

/** A fenced block of a Markdown file. */
export interface CodeBlock {
  /** `README.md:31`. */
  readonly place: string;
  /** The word after the fence. */
  readonly language: string;
  readonly text: string;
}

/** Every fenced block of the project's Markdown files. */
export function codeBlocks(): CodeBlock[] {
  return projectFiles()
    .filter((file) => file.endsWith(".md"))
    .flatMap((file) => {
      const text = read(file);
      return [...text.matchAll(/^```(\w+)\n([^]*?)^```$/gm)].map((match) => ({
        place: `${file}:${text.slice(0, match.index).split("\n").length}`,
        language: match[1] ?? "",
        text: match[2] ?? "",
      }));
    });
}

/** A folder inside the project, ignored by git, from which the package's own name resolves. Disposing removes it. */
export function scratchFolder(): Disposable & { readonly path: string } {
  mkdirSync(join(root, ".cache"), { recursive: true });
  const path = mkdtempSync(join(root, ".cache", "docs-"));
  return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }) };
}

/** Writes blocks as modules `0.ts`, `1.ts` … into a folder. */
export function writeBlocks(folder: string, blocks: readonly CodeBlock[]): string[] {
  return blocks.map(({ text }, n) => {
    const file = join(folder, `${n}.ts`);
    writeFileSync(file, text);
    return file;
  });
}
