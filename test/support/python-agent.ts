import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { engine } from "./engines.ts";

/** An agent on the official Python SDK in a process of its own; it does what the text of a message says (`Script`). Disposing ends it. */
export interface PythonAgent extends AsyncDisposable {
  readonly url: string;
  readonly port: number;
  /** 0 where there is no gRPC (0.3). */
  readonly grpcPort: number;
  /** Lets one chunk of a gated script go. */
  release(): void;
}

/** Starts one. */
export async function startPythonAgent(version: "1.0" | "0.3"): Promise<PythonAgent> {
  const { python } = version === "1.0" ? engine("python-a2a-1") : engine("python-a2a-0.3");
  const file = fileURLToPath(new URL(`../servers/python/script_agent_${version === "1.0" ? "1" : "0_3"}.py`, import.meta.url));
  const child = spawn(python, [file], { stdio: ["pipe", "pipe", "inherit"] });
  const exited = once(child, "exit");
  const stop = async (): Promise<void> => {
    child.stdin.end();
    const timer = setTimeout(() => child.kill("SIGKILL"), 5000);
    await exited;
    clearTimeout(timer);
  };
  try {
    for await (const line of createInterface({ input: child.stdout })) {
      const { port, grpcPort } = JSON.parse(line) as { readonly port: number; readonly grpcPort: number };
      child.stdout.resume();
      return { url: `http://127.0.0.1:${port}`, port, grpcPort, release: () => void child.stdin.write("\n"), [Symbol.asyncDispose]: stop };
    }
    throw new Error("The Python agent ended before it listened.");
  } catch (error) {
    await stop();
    throw error;
  }
}
