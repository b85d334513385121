import { existsSync, globSync, readFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";

/** A group of test files that run under the same circumstances. */
export interface Suite {
  readonly name: string;
  readonly files: readonly string[];
  /** Names of the engines that its files ask for. */
  readonly needs: readonly string[];
  /** How many files run at once: one when a suite works with processes whose speed matters to it. */
  readonly width: "one" | "cores";
}

const FOLDERS = ["src", "inspector/src", "scripts", "test", "recipes", "bench"];

/** All test files below `root`, grouped: one suite per concern, integration tests by the engines that they need. Paths are relative to `root`. */
export function findSuites(root: string, patterns: readonly string[]): Suite[] {
  const files = FOLDERS.flatMap((folder) => globSync(`${folder}/**/*.test.ts`, { cwd: root }))
    .filter((file) => !file.includes("node_modules"))
    .filter((file) => patterns.length === 0 || patterns.some((pattern) => file.includes(pattern)))
    .sort();
  const suites = new Map<string, Suite & { files: string[] }>();
  for (const file of files) {
    const needs = neededEngines(join(root, file));
    const integration = file.endsWith(".integration.test.ts");
    const room = roomOf(file);
    const name = integration ? `integration: ${needs.length === 0 ? room : needs.join(" + ")}` : room;
    const suite = suites.get(name) ?? { name, files: [], needs, width: integration ? "one" : "cores" };
    suite.files.push(file);
    suites.set(name, suite);
  }
  return [...suites.values()].sort((a, b) => rank(a) - rank(b) || a.name.localeCompare(b.name));
}

/** `src/lib/log/x.test.ts` is in the room `log`, `test/chaos/x.test.ts` in `chaos`. */
function roomOf(file: string): string {
  const [top = "", second = "", third = ""] = file.split("/");
  if (top === "src") return third.includes(".") || third === "" ? "src" : third;
  return top === "test" ? second : top;
}

/** The house first, because it is quick and its failures explain others; then what needs nothing; integration last. */
function rank(suite: Suite): number {
  if (suite.name === "house") return 0;
  return suite.width === "one" ? 2 : 1;
}

/** The engines that a test file asks for with `engine("…")`, itself or in what it imports from `test/`, `recipes/` or `bench/`. */
export function neededEngines(file: string): string[] {
  const needs = new Set<string>();
  const seen = new Set<string>();
  const visit = (path: string): void => {
    if (seen.has(path) || !existsSync(path)) return;
    seen.add(path);
    const text = readFileSync(path, "utf8");
    // Other functions may have that name: only those of `test/support/engines.ts` count.
    const asks = /import \{[^}]*\bengine\b[^}]*\} from "[./\w-]*\/engines\.ts"/.test(text);
    for (const [, name] of asks ? text.matchAll(/\bengine\(\s*["']([\w.-]+)["']/g) : []) if (name !== undefined) needs.add(name);
    for (const [, target] of text.matchAll(/\b(?:from|import)\s*\(?\s*["'](\.[^"']+\.ts)["']/g)) {
      if (target === undefined) continue;
      const next = resolve(dirname(path), target);
      if (!/\/(src|scripts)\//.test(next)) visit(next);
    }
  };
  visit(resolve(file));
  return [...needs].sort();
}
