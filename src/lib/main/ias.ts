#!/usr/bin/env node
import { existsSync, readFileSync } from "node:fs";
import { createInterface } from "node:readline/promises";
import { cardCommand } from "../cli/card.ts";
import { chatCommand } from "../cli/chat.ts";
import type { Command, Io } from "../cli/command.ts";
import { runCommand } from "../cli/run.ts";
import { tailCommand } from "../cli/tail.ts";
import { tasksCommand } from "../cli/tasks.ts";
import { serveCommand } from "./serve-command.ts";

/** The `ias` command: the environment and the terminal are touched here and nowhere else. */
const COMMANDS: readonly Command[] = [serveCommand, chatCommand, tasksCommand, tailCommand, cardCommand];

if (existsSync(".env")) process.loadEnvFile(".env");

const io: Omit<Io, "json"> = {
  out: (text) => process.stdout.write(text),
  err: (text) => process.stderr.write(text),
  interactive: process.stdin.isTTY && process.stdout.isTTY,
  env: process.env,
  async ask(question) {
    const terminal = createInterface({ input: process.stdin, output: process.stderr });
    try {
      const closed = new Promise<undefined>((resolve) => terminal.once("close", () => resolve(undefined)));
      return await Promise.race([terminal.question(question), closed]);
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
// A reader that goes away (`ias tail | head`) ends the command without a stack.
process.stdout.on("error", (error: NodeJS.ErrnoException) => process.exit(error.code === "EPIPE" ? 0 : 1));

const { version } = JSON.parse(readFileSync(new URL("../../../package.json", import.meta.url), "utf8")) as { version: string };
process.exitCode = await runCommand(COMMANDS, process.argv.slice(2), io, version);
