import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { copyFileSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));

/** `ias serve` as it is published, in a process of its own, with nothing set. Disposing ends it in order. */
export interface BuiltServer extends AsyncDisposable {
  readonly url: string;
  readonly grpcPort: number;
  /** The most memory that the process ever had resident, bytes; Linux only. */
  peakBytes(): number;
}

/** Builds the package into the empty `folder` and serves `agents`, the source of a JavaScript module, with the data beside it. */
export async function startBuiltServer(folder: string, agents: string): Promise<BuiltServer> {
  const tsc = join(ROOT, "node_modules/.bin/tsc");
  execFileSync(tsc, ["-p", join(ROOT, "tsconfig.build.json"), "--declaration", "false", "--outDir", join(folder, "dist")], { stdio: "inherit" });
  copyFileSync(join(ROOT, "package.json"), join(folder, "package.json"));
  symlinkSync(join(ROOT, "node_modules"), join(folder, "node_modules"));
  writeFileSync(join(folder, "agents.js"), agents);
  const { NODE_OPTIONS: _, ...inherited } = process.env;
  const child = spawn(process.execPath, ["dist/lib/main/ias.js", "serve", "agents.js", "--json"], {
    cwd: folder,
    env: { ...inherited, PORT: "0", GRPC_PORT: "0", HOST: "127.0.0.1", DATA_DIR: "data" },
    stdio: ["ignore", "pipe", "inherit"],
  });
  const ended = once(child, "exit");
  const first = once(createInterface({ input: child.stdout }), "line") as Promise<[string]>;
  const [line] = await Promise.race([first, ended.then(([code]) => Promise.reject(new Error(`ias serve ended (${code}).`)))]);
  const { url, grpc } = JSON.parse(line) as { readonly url: string; readonly grpc: string };
  return {
    url,
    grpcPort: Number(grpc.split(":").at(-1)),
    peakBytes() {
      const kib = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${child.pid}/status`, "utf8"))?.[1];
      return Number(kib) * 1024;
    },
    async [Symbol.asyncDispose]() {
      child.kill("SIGTERM");
      const late = setTimeout(() => child.kill("SIGKILL"), 10_000);
      await ended;
      clearTimeout(late);
    },
  };
}
