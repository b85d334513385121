import { readFileSync, statSync } from "node:fs";
import { runCampaign } from "../campaign/run-campaign.ts";
import { campaignCommands } from "../cli/campaign/campaign.ts";
import { cardCommand } from "../cli/card.ts";
import { chatCommand } from "../cli/chat.ts";
import { type Command, type CommandGroup, EXIT } from "../cli/command.ts";
import { runCommand } from "../cli/run.ts";
import { tailCommand } from "../cli/tail.ts";
import { tasksCommand } from "../cli/tasks.ts";
import { createCampaignParts } from "./campaign-parts.ts";
import { greenCommand } from "./green-command.ts";
import { purpleCommand } from "./purple-command.ts";
import { serveCommand } from "./serve-command.ts";
import { createTerminalIo } from "./terminal-io.ts";

/** The `ias` command: the environment and the terminal are touched here and nowhere else. */
const COMMANDS: readonly (Command | CommandGroup)[] = [
  serveCommand,
  chatCommand,
  tasksCommand,
  tailCommand,
  cardCommand,
  purpleCommand,
  greenCommand,
  campaignCommands(createCampaignParts({ env: process.env, exit: (code) => process.exit(code), runCampaign })),
];

try {
  // A folder of that name is somebody else's, for example a Python environment.
  if (statSync(".env", { throwIfNoEntry: false })?.isFile() === true) process.loadEnvFile(".env");
} catch (error) {
  process.stderr.write(`ias: .env cannot be read: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exit(EXIT.error);
}

// A reader that goes away (`ias tail | head`) ends the command without a stack.
for (const stream of [process.stdout, process.stderr])
  stream.on("error", (error: NodeJS.ErrnoException) => process.exit(error.code === "EPIPE" ? EXIT.ok : EXIT.error));

const { version } = JSON.parse(readFileSync(new URL("../../../package.json", import.meta.url), "utf8")) as { version: string };
process.exitCode = await runCommand(COMMANDS, process.argv.slice(2), createTerminalIo(process), version);
