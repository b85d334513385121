// Builds the inspector into inspector/dist unless it is there and up to date: what `npm start` and `npm run dev` do first, so that a source tree serves it too.
import { createHash } from "node:crypto";
import { existsSync, globSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "vite";

const root = fileURLToPath(new URL("..", import.meta.url));

/** Where a source tree has its built inspector; git ignores it. */
export const INSPECTOR_DIST = join(root, "inspector/dist");
/** What a build was made of; not a part of what is served. */
const STAMP = ".made-of";
/** Everything that a build depends on. */
const SOURCES = [
  "inspector/index.html",
  "inspector/package.json",
  "inspector/src/**/*",
  "src/lib/{model,liveness,stream,browser}/**/*.ts",
  "scripts/inspector.ts",
];

/** Builds the inspector into `outDir`, which is emptied first. */
export async function buildInspector(outDir: string): Promise<void> {
  await build({
    configFile: false,
    root: join(root, "inspector"),
    logLevel: "warn",
    oxc: { jsx: { runtime: "automatic", importSource: "preact" } },
    build: {
      outDir,
      emptyOutDir: true,
      target: ["es2023", "chrome125", "firefox128", "safari17.5"],
      // What a file holds stays a file: the policy allows no data URL of ours.
      assetsInlineLimit: 0,
      modulePreload: { polyfill: false },
      reportCompressedSize: false,
    },
  });
}

/** Builds it into `INSPECTOR_DIST` if it is missing or older than its sources. Resolves to whether it did. */
export async function ensureInspector(): Promise<boolean> {
  const madeOf = digest();
  const stamp = join(INSPECTOR_DIST, STAMP);
  if (existsSync(stamp) && readFileSync(stamp, "utf8") === madeOf) return false;
  // Into a folder of its own, and then into place at once: several may do this at the same time, and a server may be reading.
  mkdirSync(join(root, ".cache"), { recursive: true });
  const folder = mkdtempSync(join(root, ".cache/inspector-"));
  try {
    await buildInspector(join(folder, "new"));
    writeFileSync(join(folder, "new", STAMP), madeOf);
    if (existsSync(INSPECTOR_DIST)) renameSync(INSPECTOR_DIST, join(folder, "old"));
    if (!existsSync(INSPECTOR_DIST)) renameSync(join(folder, "new"), INSPECTOR_DIST);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  return true;
}

function digest(): string {
  const hash = createHash("sha256");
  const files = SOURCES.flatMap((pattern) => globSync(pattern, { cwd: root })).filter((file) => /\.\w+$/.test(file) && !file.includes(".test."));
  for (const file of [...new Set(files)].sort()) hash.update(`${file}\n`).update(readFileSync(join(root, file)));
  return hash.digest("hex");
}

if (import.meta.main) {
  const started = performance.now();
  if (await ensureInspector()) process.stderr.write(`The inspector is built (${((performance.now() - started) / 1000).toFixed(1)} s).\n`);
}
