import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import type { ProofServerOptions } from "../servers/proof-server.ts";

const SERVER = fileURLToPath(new URL("../servers/proof-server.ts", import.meta.url));

/** A server with the agents of `proof-agents.ts` over SQLite in a process of its own. Disposing ends it in order. */
export interface ServerProcess extends AsyncDisposable {
  readonly url: string;
  readonly port: number;
  readonly grpcPort: number;
  /** Writes a line to its side channel. */
  tell(line: string): void;
  /** `kill -9`; resolves when it is gone. */
  kill(): Promise<void>;
  /** Resolves when it is gone, with the signal that ended it. */
  readonly ended: Promise<NodeJS.Signals | null>;
  /** The most memory that it ever had, bytes; Linux only. */
  peakBytes(): number;
}

/** Starts one; rejects if it is gone before it listens. */
export async function startServerProcess(
  folder: string,
  options: ProofServerOptions & { readonly nodeOptions?: readonly string[] } = {},
): Promise<ServerProcess> {
  const child = spawn(process.execPath, [...(options.nodeOptions ?? []), SERVER, folder, JSON.stringify(options)], { stdio: ["pipe", "pipe", "inherit"] });
  const ended = once(child, "exit").then(([, signal]) => signal as NodeJS.Signals | null);
  // A killed server leaves a broken pipe.
  child.stdin.on("error", () => {});
  const first = once(createInterface({ input: child.stdout }), "line") as Promise<[string]>;
  const line = await Promise.race([first.then(([text]) => text), ended.then((signal) => Promise.reject(new Error(`The server ended (${signal}).`)))]);
  const { url, port, grpc } = JSON.parse(line) as { readonly url: string; readonly port: number; readonly grpc: string };
  return {
    url,
    port,
    grpcPort: Number(grpc.split(":").at(-1)),
    tell: (text) => void child.stdin.write(`${text}\n`),
    async kill() {
      child.kill("SIGKILL");
      await ended;
    },
    ended,
    peakBytes() {
      const kib = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${child.pid}/status`, "utf8"))?.[1];
      return Number(kib) * 1024;
    },
    async [Symbol.asyncDispose]() {
      child.stdin.end();
      const late = setTimeout(() => child.kill("SIGKILL"), 10_000);
      await ended;
      clearTimeout(late);
    },
  };
}

/** An empty folder that goes when it is disposed. */
export async function temporaryFolder(): Promise<AsyncDisposable & { readonly path: string }> {
  const path = await mkdtemp(join(tmpdir(), "ias-proof-"));
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true, maxRetries: 3 }) };
}
