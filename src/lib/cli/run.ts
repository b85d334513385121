import { parseArgs, type ParseArgsConfig } from "node:util";
import { IasError, messageOf } from "../model/errors.ts";
import { type Args, type Command, type CommandGroup, EXIT, type Io, isUsageError, usageError } from "./command.ts";
import { toJsonLine, toTerminal } from "./terminal.ts";

type Commands = readonly (Command | CommandGroup)[];

/** Finds the command of a command line and runs it. Returns the exit code; never throws. Whatever a command writes or asks is cleaned here (SEMANTICS 26). */
export async function runCommand(commands: Commands, argv: readonly string[], world: Omit<Io, "json">, version: string): Promise<number> {
  const json = argv.includes("--json");
  const { openScreen, ...rest } = world;
  const io: Io = {
    ...rest,
    json,
    ...(openScreen !== undefined && !json && { openScreen }),
    interactive: world.interactive && !json,
    out: (text) => world.out(toTerminal(text)),
    err: (text) => world.err(toTerminal(text)),
    ask: (question, signal) => world.ask(toTerminal(question), signal),
  };
  if (argv[0] === "--version" || argv[0] === "-v") {
    io.out(`${version}\n`);
    return EXIT.ok;
  }
  return dispatch({ who: "ias", commands, help: overview(commands) }, argv, io);
}

/** Runs the command that is named first, or tells what there is. */
async function dispatch(place: { readonly who: string; readonly commands: Commands; readonly help: string }, argv: readonly string[], io: Io): Promise<number> {
  const { who, commands, help } = place;
  const [name, ...rest] = argv;
  if (name === undefined || name === "--help" || name === "-h" || name === "help") {
    const named = name === "help" ? commands.find((one) => one.name === rest[0]) : undefined;
    if (named !== undefined) return dispatch(place, [named.name, ...rest.slice(1), "--help"], io);
    io.out(help);
    return EXIT.ok;
  }
  const command = commands.find((one) => one.name === name);
  const later = name.startsWith("-") ? rest.find((word) => commands.some((one) => one.name === word)) : undefined;
  if (later !== undefined)
    return tell(usageError(`the command comes first, its options after it: ${who} ${[later, ...argv.filter((word) => word !== later)].join(" ")}`), who, io);
  if (command === undefined)
    return tell(usageError(`there is no command ${JSON.stringify(name)}; there are ${commands.map((one) => one.name).join(", ")}.`), who, io);
  const whole = `${who} ${name}`;
  if ("commands" in command) return dispatch({ who: whole, commands: command.commands, help: overviewOf(command) }, rest, io);
  try {
    const parsed = parse(command, rest);
    if (parsed.flag("help")) {
      io.out(command.help);
      return EXIT.ok;
    }
    return await command.run(parsed, io);
  } catch (error) {
    return tell(error, whole, io);
  }
}

function parse(command: Command, argv: readonly string[]): Args {
  try {
    const options: ParseArgsConfig["options"] = { ...command.options, help: { type: "boolean", short: "h" }, json: { type: "boolean" } };
    const { positionals, values } = parseArgs({ args: [...argv], options, allowPositionals: true });
    const texts = (name: string): readonly string[] => [values[name]].flat().filter((value) => typeof value === "string");
    return { positionals, texts, text: (name) => texts(name).at(-1), flag: (name) => values[name] === true };
  } catch (error) {
    // Node adds advice on `--` after the first sentence.
    throw usageError(`${messageOf(error).split(". ")[0]}.`);
  }
}

function tell(error: unknown, who: string, io: Io): number {
  const known = IasError.from(error);
  const { code, message, reason, retryable } = known;
  const usage = isUsageError(known);
  if (io.json) io.err(toJsonLine({ error: { code, message, ...(reason !== undefined && { reason }), retryable } }));
  else {
    const hint = usage ? `See ${who} --help.` : reason !== undefined && Object.hasOwn(HINTS, reason) ? HINTS[reason] : undefined;
    io.err(`${who}: ${message}\n${hint === undefined ? "" : `${hint}\n`}`);
  }
  return usage ? EXIT.usage : EXIT.error;
}

/** What to do about an error, by its reason. */
const HINTS: Readonly<Record<string, string>> = {
  CONNECT_FAILED: "Is it running there? `ias serve` starts a server and prints its address.",
  CREDENTIALS_MISSING: "--token or IAS_TOKEN gives a key. It is sent only to the server that the URL names, not to another that a card names.",
};

function overview(commands: Commands): string {
  return [
    "ias: streaming agents over A2A. Every token is a numbered entry of a durable stream.",
    "",
    "Usage: ias <command> [options]",
    "",
    ...listOf(commands),
    "",
    "  ias <command> --help says more. Every command takes --json.",
    "  Exit codes: 0 fine, 1 error, 2 wrong usage, 3 the task or the card is not well,",
    "  100 a campaign missed its threshold or target, 130 interrupted.",
    "",
  ].join("\n");
}

function overviewOf({ name, summary, about, commands }: CommandGroup): string {
  return [`${summary}.`, "", `Usage: ias ${name} <command> [options]`, "", ...listOf(commands), "", about].join("\n");
}

function listOf(commands: Commands): readonly string[] {
  const width = Math.max(...commands.map((command) => command.name.length));
  return commands.map((command) => `  ${command.name.padEnd(width)}  ${command.summary}`);
}
