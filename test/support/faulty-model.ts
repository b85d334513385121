import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { setTimeout as wait } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import type { Behaviour } from "../servers/faulty-model/behaviour.ts";
import { createFaultyModel, type FaultyModel, type FaultyModelOptions } from "../servers/faulty-model/server.ts";

export type { Behaviour, FaultyModel, FaultyModelOptions };
/** Starts the faulty model server in this process; disposing ends it. */
export const startFaultyModel: typeof createFaultyModel = createFaultyModel;

const SERVER = fileURLToPath(new URL("../servers/faulty-model.ts", import.meta.url));

/** The server in a process of its own. */
export interface FaultyModelProcess extends AsyncDisposable {
  /** `http://127.0.0.1:…`, without `/v1`. */
  readonly url: string;
  readonly port: number;
  readonly pid: number;
  /** `kill -9`; resolves when it is gone. */
  kill(): Promise<void>;
}

/** Starts one; rejects if it is gone before it listens. Disposing ends it. */
export async function spawnFaultyModel(options: Omit<FaultyModelOptions, "clock"> = {}): Promise<FaultyModelProcess> {
  const child = spawn(process.execPath, [SERVER, JSON.stringify(options)], { stdio: ["ignore", "pipe", "inherit"] });
  const ended = once(child, "exit");
  const first = once(createInterface({ input: child.stdout }), "line") as Promise<[string]>;
  const line = await Promise.race([first.then(([text]) => text), ended.then(() => Promise.reject(new Error("The faulty model ended before it listened.")))]);
  const { url, port } = JSON.parse(line) as { readonly url: string; readonly port: number };
  const end = async (signal: NodeJS.Signals): Promise<void> => {
    child.kill(signal);
    await ended;
  };
  return { url, port, pid: child.pid ?? 0, kill: () => end("SIGKILL"), [Symbol.asyncDispose]: () => end("SIGTERM") };
}

/** A prompt that asks for a behaviour. */
export function promptFor(behaviour: Behaviour, words = "Please answer"): string {
  return `${words}: ${JSON.stringify(behaviour)}`;
}

/** Resolves when `condition` holds; rejects after 60 s, which means hung. */
export async function until(what: string, condition: () => boolean): Promise<void> {
  for (const start = Date.now(); !condition(); await wait(5)) if (Date.now() - start > 60_000) throw new Error(`Hung: ${what}.`);
}
