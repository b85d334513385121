import { fileURLToPath } from "node:url";
import { cacheFolder } from "../../scripts/engines/install.ts";
import { definePython } from "../../scripts/engines/python.ts";

/** A server to measure. */
export interface Target {
  readonly name: string;
  readonly title: string;
  readonly kind: "floor" | "ours" | "peer";
  /** Resolves to the command that starts it on `PORT`; rejects with a reason where it cannot run here. */
  readonly command: () => Promise<{ readonly file: string; readonly args: readonly string[]; readonly channel: boolean }>;
  readonly env: Readonly<Record<string, string>>;
}

const python = definePython({
  name: "python-a2a-1-fast",
  about: "Python a2a-sdk 1.x on uvloop and httptools, for the bench",
  requirements: "python-a2a-1-fast.txt",
  also: { sources: ["python-a2a-1.txt"], files: {}, run: async () => {} },
});

/** Every target, in the order of the tables. */
export const targets: readonly Target[] = [
  node("floor", "floor, a write an event", "floor", "../servers/floor.ts", { WRITES: "each" }),
  node("floor-tick", "floor, a write a tick", "floor", "../servers/floor.ts", { WRITES: "tick" }),
  node("memory", "ours, memory log", "ours", "../agent.ts", { LOG: "memory" }),
  node("sqlite", "ours, SQLite (process)", "ours", "../agent.ts", { LOG: "sqlite", DURABILITY: "process" }),
  node("sqlite-host", "ours, SQLite (host)", "ours", "../agent.ts", { LOG: "sqlite", DURABILITY: "host" }),
  node("a2a-js", "@a2a-js/sdk, Express", "peer", "../servers/a2a-js.ts", { NODE_ENV: "production" }),
  {
    name: "a2a-python",
    title: "Python a2a-sdk, uvicorn",
    kind: "peer",
    env: {},
    async command() {
      if (python.find(cacheFolder()) === undefined) await python.install(cacheFolder());
      const found = python.find(cacheFolder());
      if (found === undefined) throw new Error(`${python.about} is not there. ${python.byHand}`);
      return { file: found["python"], args: [fileURLToPath(new URL("../servers/a2a_python.py", import.meta.url))], channel: false };
    },
  },
];

function node(name: string, title: string, kind: Target["kind"], file: string, env: Record<string, string>): Target {
  const args = ["--expose-gc", "--disable-warning=ExperimentalWarning", fileURLToPath(new URL(file, import.meta.url))];
  return { name, title, kind, env, command: async () => ({ file: process.execPath, args: [...extraNodeArgs(name), ...args], channel: true }) };
}

/** `BENCH_PROFILE=<folder>` writes a CPU profile of each server on Node there. */
function extraNodeArgs(name: string): readonly string[] {
  const folder = process.env["BENCH_PROFILE"];
  return folder === undefined ? [] : ["--cpu-prof", `--cpu-prof-dir=${folder}/${name}`];
}
