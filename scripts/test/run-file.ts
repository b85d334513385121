import { spawn } from "node:child_process";
import { globSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import type { Line } from "./reporter.ts";

export interface FileResult {
  readonly file: string;
  readonly passed: number;
  readonly failed: number;
  readonly seconds: number;
  /** What went wrong, one text per failure; empty when all is well. */
  readonly problems: readonly string[];
  /** What the file printed. */
  readonly output: string;
}

export interface RunOptions {
  readonly root: string;
  readonly env: NodeJS.ProcessEnv;
  /** After this many seconds the file's processes are ended and the file has failed: it hangs. */
  readonly limitSeconds: number;
}

/** Imports of the package's own name resolve to `src`. */
const SOURCE_CONDITION = "@infinite-agent-streams/source";
const REPORTER = fileURLToPath(new URL("reporter.ts", import.meta.url));
const OUTPUT_LIMIT = 100_000;

/**
 * Runs one test file in a process group of its own. It fails when a test fails, when it runs no test, when its process ends with another
 * code than 0, hangs, or leaves processes behind.
 */
export async function runFile(file: string, options: RunOptions): Promise<FileResult> {
  const folder = mkdtempSync(join(tmpdir(), "ias-test-"));
  const destination = join(folder, "report");
  const started = performance.now();
  const end = await runProcess([`--conditions=${SOURCE_CONDITION}`, "--test-reporter", REPORTER, "--test-reporter-destination", destination, file], options);
  const lines = readReport(destination);
  rmSync(folder, { recursive: true, force: true });

  const problems = lines.filter((line) => line.kind === "failed").map((line) => `${line.name}\n${line.error}`);
  const counts = lines.findLast((line) => line.kind === "ended") ?? { passed: 0, failed: problems.length };
  const ran = counts.passed + counts.failed > 0;
  // Code 1 is how node:test says that a test failed.
  if (end.problem !== undefined && !(end.code === 1 && counts.failed > 0)) problems.push(end.problem);
  else if (!ran) problems.push("ran no test");
  return {
    file,
    passed: counts.passed,
    failed: Math.max(counts.failed, problems.length),
    seconds: (performance.now() - started) / 1000,
    problems,
    output: end.output,
  };
}

interface End {
  readonly output: string;
  /** What the process itself did wrong, beside its tests. */
  readonly problem?: string;
  readonly code: number | null;
}

function runProcess(args: readonly string[], { root, env, limitSeconds }: RunOptions): Promise<End> {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, args, { cwd: root, env, detached: true, stdio: ["ignore", "pipe", "pipe"] });
    const { pid } = child;
    let output = "";
    let hung = false;
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding("utf8").on("data", (chunk: string) => (output = (output + chunk).slice(-OUTPUT_LIMIT)));
    }
    const abandon = (): void => void endGroup(pid);
    process.once("exit", abandon);
    const limit = setTimeout(() => {
      hung = true;
      endGroup(pid);
    }, limitSeconds * 1000);
    const closed = new Promise((done) => child.once("close", done));
    const finish = async (code: number | null, signal: string | null): Promise<void> => {
      clearTimeout(limit);
      process.removeListener("exit", abandon);
      const left = !hung && !(await groupEnds(pid)) && endGroup(pid);
      // A process that left the group may hold the pipes open: do not wait for it for ever.
      await Promise.race([closed, sleep(1000, undefined, { ref: false })]);
      if (hung) resolve({ output, code, problem: `did not end within ${limitSeconds} s (a timer, socket or process that is still open?)` });
      else if (code !== 0) resolve({ output, code, problem: `its process ended with ${signal ?? `code ${code}`}` });
      else resolve(left ? { output, code, problem: "left processes running when it ended" } : { output, code });
    };
    child.once("exit", (code, signal) => void finish(code, signal));
  });
}

/** Waits a moment for a group whose leader has ended: what it signalled last may still be on its way out. */
async function groupEnds(pid: number | undefined): Promise<boolean> {
  for (let waited = 0; waited < 1000; waited += 20) {
    if (pid === undefined || !groupLives(pid)) return true;
    await sleep(20);
  }
  return false;
}

function groupLives(group: number): boolean {
  try {
    process.kill(-group, 0);
  } catch {
    return false; // ESRCH: nobody is left
  }
  if (process.platform !== "linux") return true;
  // Ended processes that nobody has collected yet still count for kill: look for one that is not a zombie.
  return globSync("/proc/[0-9]*/stat").some((file) => {
    const [state, , pgrp] = (tryRead(file).split(") ").at(-1) ?? "").split(" ");
    return Number(pgrp) === group && state !== "Z" && state !== "X";
  });
}

/** Ends whatever is left of a process group; says whether there was anything. */
function endGroup(pid: number | undefined): boolean {
  if (pid === undefined) return false;
  try {
    process.kill(-pid, "SIGKILL");
    return true;
  } catch {
    return false; // ESRCH: nobody is left
  }
}

function readReport(path: string): Line[] {
  return tryRead(path)
    .split("\n")
    .filter((line) => line.endsWith("}"))
    .map((line) => JSON.parse(line) as Line);
}

/** A file's text, or "" when it is not there (any more). */
function tryRead(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}
