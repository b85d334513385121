import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { cpSync, mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import type { Observed } from "../servers/observe.ts";

/** The `ias` command as npm gives it to users. */
export interface Ias extends Disposable {
  /** Runs `ias` with `args`; `onLine` gets each line of its stdout. */
  start(args: readonly string[], options?: { readonly onLine?: (line: string) => void }): RunningProgram;
  /** Runs `ias` with `args` to its end, not observed: what a person waits for. */
  run(args: readonly string[]): Promise<Run>;
}

/** A command in a process of its own. */
export interface RunningProgram {
  /** Its CPU, memory and lag now; `gc`: after a full collection. Undefined when it has ended. */
  sample(ask: "sample" | "gc"): Promise<Observed | undefined>;
  /** Its exit code, when its output has been read. */
  readonly ended: Promise<number>;
}

/** A command that has ended. */
export interface Run {
  /** From the start of the process to its end, ms. */
  readonly wallMs: number;
  /** User and system time, the start of Node included, ms. */
  readonly cpuMs: number;
}

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const OBSERVE = new URL("../servers/observe.ts", import.meta.url).href;

/** Builds the package into a new folder, which goes with it. `BENCH_PROFILE=<folder>` keeps CPU profiles of what is observed. */
export function buildIas(): Ias {
  const folder = mkdtempSync(join(tmpdir(), "ias-bench-dist-"));
  execFileSync(join(ROOT, "node_modules/.bin/tsc"), ["-p", join(ROOT, "tsconfig.build.json"), "--outDir", join(folder, "dist")], { stdio: "inherit" });
  cpSync(join(ROOT, "package.json"), join(folder, "package.json"));
  symlinkSync(join(ROOT, "node_modules"), join(folder, "node_modules"));
  const ias = join(folder, "dist/lib/main/ias.js");
  const profile = process.env["BENCH_PROFILE"];
  const flags = ["--expose-gc", "--import", OBSERVE, ...(profile === undefined ? [] : ["--cpu-prof", `--cpu-prof-dir=${profile}/ias`])];
  return {
    start(args, { onLine = () => {} } = {}) {
      const child = spawn(process.execPath, [...flags, ias, ...args], { stdio: ["ignore", "pipe", "inherit", "ipc"] });
      const lines = createInterface({ input: child.stdout ?? process.stdin });
      lines.on("line", onLine);
      const read = once(lines, "close");
      const ended = once(child, "exit").then(async ([code]: unknown[]) => {
        await read;
        return typeof code === "number" ? code : 1;
      });
      return { sample: (ask) => sample(child, ask), ended };
    },
    async run(args) {
      const start = performance.now();
      // The shell tells what its child used, to the hundredth of a second or better.
      const child = spawn("/bin/sh", ["-c", '"$@" >/dev/null && times', "sh", process.execPath, ias, ...args], { stdio: ["ignore", "pipe", "inherit"] });
      let text = "";
      child.stdout.setEncoding("utf8").on("data", (chunk: string) => (text += chunk));
      const [code] = (await once(child, "close")) as unknown[];
      const wallMs = performance.now() - start;
      if (code !== 0) throw new Error(`ias ${args.join(" ")} ended with ${String(code)}.`);
      const times = [...(text.trim().split("\n").at(-1) ?? "").matchAll(/(\d+)m([\d.]+)s/g)];
      return { wallMs, cpuMs: times.reduce((sum, [, minutes, seconds]) => sum + (Number(minutes) * 60 + Number(seconds)) * 1000, 0) };
    },
    [Symbol.dispose]: () => rmSync(folder, { recursive: true, force: true }),
  };
}

async function sample(child: ChildProcess, ask: string): Promise<Observed | undefined> {
  if (!child.connected) return undefined;
  const { promise, resolve } = Promise.withResolvers<Observed | undefined>();
  const gone = (): void => resolve(undefined);
  child.once("exit", gone);
  child.once("message", (answer) => resolve(answer as Observed));
  child.send(ask, (error) => {
    if (error !== null) gone();
  });
  const answer = await promise;
  child.off("exit", gone);
  return answer;
}
