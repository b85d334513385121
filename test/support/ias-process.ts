import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import type { TestContext } from "node:test";
import { fileURLToPath } from "node:url";

const IAS = fileURLToPath(new URL("../../src/lib/main/ias.ts", import.meta.url));

/** A command of `ias` in a process of its own, without a terminal. */
export interface IasProcess {
  readonly child: ChildProcess;
  readonly out: string;
  readonly err: string;
  /** Resolves when stdout or stderr has it; rejects if the process ends before. */
  until(pattern: RegExp): Promise<RegExpExecArray>;
  /** Resolves when it is gone and all that it wrote was read: its exit code, or the signal that ended it. */
  readonly ended: Promise<number | string>;
}

/** Starts one; it is killed when the test ends. Nothing of this shell's settings reaches it. */
export function startIas(
  t: TestContext,
  args: readonly string[],
  options: { readonly cwd: string; readonly env?: Readonly<Record<string, string>> },
): IasProcess {
  const child = spawn(process.execPath, ["--conditions=@infinite-agent-streams/source", IAS, ...args], {
    cwd: options.cwd,
    stdio: ["ignore", "pipe", "pipe"],
    env: { PATH: process.env["PATH"], HOME: options.cwd, ...options.env },
  });
  const text = { out: "", err: "" };
  const listeners = new Set<() => void>();
  child.stdout.setEncoding("utf8").on("data", (chunk: string) => add("out", chunk));
  child.stderr.setEncoding("utf8").on("data", (chunk: string) => add("err", chunk));
  const add = (where: "out" | "err", chunk: string): void => {
    text[where] += chunk;
    for (const listener of listeners) listener();
  };
  const ended = once(child, "close").then(([code, signal]) => (code ?? signal) as number | string);
  t.after(async () => {
    child.kill("SIGKILL");
    await ended;
  });
  return {
    child,
    ended,
    get out() {
      return text.out;
    },
    get err() {
      return text.err;
    },
    async until(pattern) {
      const found = Promise.withResolvers<RegExpExecArray>();
      const look = (): void => {
        const match = pattern.exec(text.out) ?? pattern.exec(text.err);
        if (match !== null) found.resolve(match);
      };
      listeners.add(look);
      look();
      const gone = ended.then((code) => Promise.reject(new Error(`It ended (${code}) without ${String(pattern)}:\n${text.out}\n${text.err}`)));
      try {
        return await Promise.race([found.promise, gone]);
      } finally {
        listeners.delete(look);
      }
    },
  };
}

/** Starts `ias serve --json` on a free port and waits until it is ready. */
export async function startServe(
  t: TestContext,
  args: readonly string[],
  options: { readonly cwd: string; readonly env?: Readonly<Record<string, string>> },
): Promise<IasProcess & { readonly url: string }> {
  const server = startIas(t, ["serve", ...args, "--json"], { ...options, env: { PORT: "0", GRPC_PORT: "off", ...options.env } });
  const [line] = await server.until(/^\{.*\}$/m);
  const { url } = JSON.parse(line) as { readonly url: string };
  // A spread would freeze the getters' texts.
  return Object.defineProperty(server, "url", { value: url }) as IasProcess & { readonly url: string };
}
