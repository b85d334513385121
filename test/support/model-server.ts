import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { engine } from "./engines.ts";

const SERVE = fileURLToPath(new URL("../servers/model/serve.py", import.meta.url));

export interface ModelServer extends AsyncDisposable {
  /** `http://127.0.0.1:…`, without `/v1`. */
  readonly url: string;
}

/** Starts llama.cpp's own server with a tiny random model (named `tiny`) on a free port of loopback; disposing ends it. */
export async function startModelServer(): Promise<ModelServer> {
  const { python, model } = engine("llama");
  const child = spawn(python, [SERVE, model, "0"], { stdio: ["ignore", "pipe", "inherit"] });
  const exited = once(child, "exit");
  const stop = async (): Promise<void> => {
    child.kill("SIGTERM");
    await exited;
  };
  const lines = createInterface({ input: child.stdout });
  const listening = (async (): Promise<string> => {
    for await (const line of lines) {
      const url = /^listening (http:\S+)/.exec(line)?.[1];
      if (url !== undefined) return url;
    }
    throw new Error("The model server ended before it listened.");
  })();
  try {
    const url = (await listening).replace(/\/$/, "");
    child.stdout.resume();
    return { url, [Symbol.asyncDispose]: stop };
  } catch (error) {
    await stop();
    throw error;
  }
}
