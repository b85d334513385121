import { createHash } from "node:crypto";
import { dirname, resolve } from "node:path";
import type { Campaign, Green } from "./campaign.ts";

/** What `import` and `export … from` name by a relative path; written by a program, it may be missed. */
const RELATIVE_IMPORT = /\b(?:from|import)\s*\(?\s*["'](\.{1,2}\/[^"']+)["']/g;
/** Files of one scorer that are read. */
const MAX_FILES = 1000;

/**
 * `campaign` with the SHA-256 of the code of each `function` scorer: of its module and of all that this imports by relative paths, so that another code is another campaign. `path`
 * is the campaign's file. What cannot be read is left out; `checkNeeds` tells it.
 */
export function withScorerCode(campaign: Campaign, path: string, readFile: (path: string) => string): Campaign {
  const codes = new Map<string, string | undefined>();
  const add = (green: Green): Green => {
    if (green.kind !== "function") return green;
    const file = resolve(dirname(path), green.module);
    if (!codes.has(file)) codes.set(file, codeHash(file, readFile));
    const code = codes.get(file);
    return code === undefined ? green : { ...green, code };
  };
  const items = campaign.items.map((item) => (item.green === undefined ? item : { ...item, green: add(item.green) }));
  return { ...campaign, items, green: add(campaign.green) };
}

/** Over the texts in the order in which imports lead to them: paths are no part of it, so that a folder can be moved. */
function codeHash(module: string, readFile: (path: string) => string): string | undefined {
  const hash = createHash("sha256");
  const seen = new Set([module]);
  for (const file of seen) {
    let text: string;
    try {
      text = readFile(file);
    } catch {
      if (file === module) return undefined;
      continue;
    }
    hash.update(`${text.length}\n`).update(text);
    for (const [, name = ""] of text.matchAll(RELATIVE_IMPORT)) if (seen.size < MAX_FILES) seen.add(resolve(dirname(file), name));
  }
  return hash.digest("hex");
}
