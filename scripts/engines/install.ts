import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync } from "node:fs";
import { homedir } from "node:os";
import { dirname, join } from "node:path";

/** The one folder for everything that tests install: `IAS_CACHE`, else `infinite-agent-streams` in the user's cache folder. */
export function cacheFolder(env: NodeJS.ProcessEnv = process.env): string {
  return env["IAS_CACHE"] ?? join(env["XDG_CACHE_HOME"] ?? join(homedir(), ".cache"), "infinite-agent-streams");
}

/** A folder below the cache that changes its name when its recipe does, so that a new recipe is installed beside the old. */
export function recipeFolder(cache: string, name: string, recipe: string): string {
  const hash = createHash("sha256").update(recipe).update(`${process.platform}-${process.arch}`).digest("hex");
  return join(cache, `${name}-${hash.slice(0, 12)}`);
}

/** Fills `folder` as a whole or not at all: a folder of this name is complete, also when two runs install at once or one is killed. */
export async function installOnce(folder: string, fill: (partial: string) => Promise<void>): Promise<void> {
  if (existsSync(folder)) return;
  const partial = `${folder}.partial-${process.pid}`;
  rmSync(partial, { recursive: true, force: true });
  mkdirSync(dirname(partial), { recursive: true });
  try {
    await fill(partial);
    renameSync(partial, folder);
  } catch (error) {
    rmSync(partial, { recursive: true, force: true });
    if (!existsSync(folder)) throw error;
  }
}

/** Runs a command to its end; throws its last 20 lines when it fails. Resolves to what it wrote to standard output. */
export function run(command: string, args: readonly string[], options: { cwd?: string; env?: NodeJS.ProcessEnv } = {}): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { ...options, stdio: ["ignore", "pipe", "pipe"] });
    let out = "";
    let all = "";
    const collect = (chunk: string): void => void (all = (all + chunk).slice(-20_000));
    child.stdout.setEncoding("utf8").on("data", (chunk: string) => {
      out += chunk;
      collect(chunk);
    });
    child.stderr.setEncoding("utf8").on("data", collect);
    child.on("error", reject);
    child.on("close", (code) => {
      if (code === 0) resolve(out);
      else reject(new Error(`${command} ${args.join(" ")} ended with ${code}:\n${all.trim().split("\n").slice(-20).join("\n")}`));
    });
  });
}

/** The text of a file beside this one. */
export function recipe(file: string): string {
  return readFileSync(new URL(file, import.meta.url), "utf8");
}
