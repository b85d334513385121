import { statSync } from "node:fs";
import { type Command, type CommandGroup, EXIT } from "../cli/command.ts";
import { runCommand } from "../cli/run.ts";
import { messageOf } from "../model/errors.ts";
import { createTerminalIo } from "./terminal-io.ts";
import { packageVersion } from "./version.ts";

/**
 * The `ias` command: the environment and the terminal are touched here and nowhere else. Only the command that is named is loaded: `ias campaign status` needs no
 * server, and half of its time would be the loading of one.
 */
const COMMANDS: Readonly<Record<string, () => Promise<Command | CommandGroup>>> = {
  serve: async () => (await import("./serve-command.ts")).serveCommand,
  chat: async () => (await import("../cli/chat.ts")).chatCommand,
  tasks: async () => (await import("../cli/tasks.ts")).tasksCommand,
  tail: async () => (await import("../cli/tail.ts")).tailCommand,
  card: async () => (await import("../cli/card.ts")).cardCommand,
  purple: async () => (await import("./purple-command.ts")).purpleCommand,
  green: async () => (await import("./green-command.ts")).greenCommand,
  async campaign() {
    const [{ campaignCommands }, { createCampaignParts }] = await Promise.all([import("../cli/campaign/campaign.ts"), import("./campaign-parts.ts")]);
    return campaignCommands(createCampaignParts({ env: process.env, exit: (code) => process.exit(code) }));
  },
};

const argv = process.argv.slice(2);
const named = Object.keys(COMMANDS).filter((name) => name === argv[0]);
const loading = Object.entries(COMMANDS).filter(([name]) => named.length === 0 || named.includes(name));

try {
  // A folder of that name is somebody else's, for example a Python environment.
  if (statSync(".env", { throwIfNoEntry: false })?.isFile() === true) process.loadEnvFile(".env");
} catch (error) {
  process.stderr.write(`ias: .env cannot be read: ${messageOf(error)}\n`);
  process.exit(EXIT.error);
}

// A reader that goes away (`ias tail | head`) ends the command without a stack.
for (const stream of [process.stdout, process.stderr])
  stream.on("error", (error: NodeJS.ErrnoException) => process.exit(error.code === "EPIPE" ? EXIT.ok : EXIT.error));

process.exitCode = await runCommand(await Promise.all(loading.map(([, load]) => load())), argv, createTerminalIo(process), packageVersion());
