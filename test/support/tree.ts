import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

/** The repository's folder, with a slash at its end. */
export const root = fileURLToPath(new URL("../..", import.meta.url));

/** Files that git knows or would add (not ignored ones), relative to `root`, sorted. */
export function projectFiles(): string[] {
  const listed = execFileSync("git", ["ls-files", "--cached", "--others", "--exclude-standard"], { cwd: root, encoding: "utf8", maxBuffer: 1 << 26 });
  return [...new Set(listed.split("\n"))].filter((file) => file !== "" && existsSync(root + file)).sort();
}

export function read(file: string): string {
  return readFileSync(root + file, "utf8");
}

export interface Import {
  readonly target: string;
  readonly line: number;
  readonly typeOnly: boolean;
}

/** What a TypeScript file imports or re-exports, as written, with the line that says so. */
export function importsOf(file: string): Import[] {
  return importsIn(read(file));
}

/** The same for a source text. Block comments are not read. */
export function importsIn(source: string): Import[] {
  const text = source.replaceAll(/\/\*[^]*?\*\//g, (comment) => comment.replaceAll(/[^\n]/g, " "));
  const found: Import[] = [];
  const pattern = /^[^\S\n]*(?:import|export)\s+(type\s)?(?:[\w*{][^;"'`]*?\bfrom\s*)?["']([^"']+)["']|\bimport\(\s*["']([^"']+)["']/gm;
  for (const match of text.matchAll(pattern)) {
    const target = match[2] ?? match[3];
    if (target !== undefined) found.push({ target, line: text.slice(0, match.index).split("\n").length, typeOnly: match[1] !== undefined });
  }
  return found;
}
