import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Sample } from "../servers/control.ts";
import type { Target } from "./targets.ts";

/** A target that runs. */
export interface RunningServer extends AsyncDisposable {
  readonly port: number;
  /** What the server says of itself: `process.cpuUsage()` over its channel, or `/proc` where it is no Node. `gc`: after a full collection. */
  sample(ask?: "sample" | "gc"): Promise<Sample>;
}

const START_MS = 60_000;
const STOP_MS = 10_000;

/** Starts `target` on a free port and waits until it prints `ready`. */
export async function startTarget(target: Target): Promise<RunningServer> {
  const { file, args, channel } = await target.command();
  const port = await freePort();
  const data = mkdtempSync(join(tmpdir(), "ias-bench-"));
  const child = spawn(file, args, {
    env: { ...process.env, ...target.env, PORT: String(port), DATA_DIR: data },
    stdio: channel ? ["ignore", "pipe", "inherit", "ipc"] : ["ignore", "pipe", "inherit"],
  });
  const exited = once(child, "exit");
  try {
    await ready(child, target);
  } catch (error) {
    child.kill("SIGKILL");
    rmSync(data, { recursive: true, force: true });
    throw error;
  }
  const askChild = createAsk(child);
  return {
    port,
    sample: channel ? (ask = "sample") => askChild(ask) : async () => readProc(child.pid ?? 0),
    async [Symbol.asyncDispose]() {
      // A profile is written at an exit only, not at a kill.
      if (child.connected) child.disconnect();
      else child.kill("SIGTERM");
      const late = setTimeout(() => child.kill("SIGKILL"), STOP_MS);
      if (child.exitCode === null && child.signalCode === null) await exited;
      clearTimeout(late);
      rmSync(data, { recursive: true, force: true });
    },
  };
}

async function ready(child: ChildProcess, target: Target): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const late = setTimeout(() => reject(new Error(`${target.name} was not ready in ${START_MS} ms.`)), START_MS);
  let text = "";
  child.stdout?.setEncoding("utf8").on("data", (chunk: string) => {
    text = (text + chunk).slice(-1000);
    if (/^ready$/m.test(text)) resolve();
  });
  child.once("error", reject);
  child.once("exit", (code) => reject(new Error(`${target.name} ended with ${code} before it was ready.`)));
  try {
    await promise;
  } finally {
    clearTimeout(late);
  }
}

/** Asks over the channel; answers come in the order of the questions. */
function createAsk(child: ChildProcess): (ask: string) => Promise<Sample> {
  const waiting: { readonly resolve: (sample: Sample) => void; readonly reject: (error: Error) => void }[] = [];
  child.on("message", (sample) => waiting.shift()?.resolve(sample as Sample));
  child.once("exit", (code, signal) => {
    for (const { reject } of waiting.splice(0)) reject(new Error(`The server ended with ${code ?? signal}.`));
  });
  return (ask) =>
    new Promise((resolve, reject) => {
      waiting.push({ resolve, reject });
      child.send(ask);
    });
}

/** CPU and memory of a process as the kernel tells them, in steps of 10 ms. */
function readProc(pid: number): Sample {
  const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  const status = readFileSync(`/proc/${pid}/status`, "utf8");
  const bytes = (name: string): number => Number(new RegExp(`^${name}:\\s+(\\d+) kB`, "m").exec(status)?.[1] ?? 0) * 1024;
  return { cpu: (Number(fields[11]) + Number(fields[12])) * 10_000, rss: bytes("VmRSS"), peak: bytes("VmHWM"), heap: 0 };
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  server.close();
  await once(server, "close");
  return typeof address === "object" && address !== null ? address.port : 0;
}
