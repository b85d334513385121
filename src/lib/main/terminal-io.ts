import { createInterface } from "node:readline/promises";
import type { Io } from "../cli/command.ts";
import { createTerminalScreen } from "./terminal-screen.ts";

/** The process's own terminal and environment, and nothing else of the process. */
export function createTerminalIo(process: NodeJS.Process): Omit<Io, "json"> {
  let history: string[] = [];
  return {
    out: (text) => process.stdout.write(text),
    err: (text) => process.stderr.write(text),
    interactive: process.stdin.isTTY && process.stdout.isTTY,
    env: process.env,
    // A terminal that is "dumb" does not take its cursor back.
    ...(process.stderr.isTTY && process.env["TERM"] !== "dumb" && { openScreen: () => screenOf(process) }),
    async ask(question, signal) {
      const terminal = createInterface({ input: process.stdin, output: process.stderr, history, historySize: 100 });
      terminal.on("history", (lines) => (history = lines));
      const closed = new Promise<undefined>((resolve) => terminal.once("close", () => resolve(undefined)));
      try {
        // Where the question is rejected (Ctrl-C, an abort), nobody answered it.
        return await Promise.race([terminal.question(question, signal === undefined ? {} : { signal }).catch(() => undefined), closed]);
      } finally {
        terminal.close();
      }
    },
    onInterrupt(handler) {
      process.on("SIGINT", handler);
      process.on("SIGTERM", handler);
      return () => {
        process.off("SIGINT", handler);
        process.off("SIGTERM", handler);
      };
    },
  };
}

/** stderr as a screen. `NO_COLOR` counts when it is not empty (no-color.org). */
function screenOf({ stderr, env }: NodeJS.Process): ReturnType<typeof createTerminalScreen> {
  return createTerminalScreen({
    write: (text) => stderr.write(text),
    size: () => stderr,
    color: (env["NO_COLOR"] ?? "") === "",
    onResize(handler) {
      stderr.on("resize", handler);
      return () => stderr.off("resize", handler);
    },
  });
}
