import { parseArgs, type ParseArgsConfig } from "node:util";
import { IasError } from "../model/errors.ts";
import { type Args, type Command, EXIT, type Io, isUsageError, usageError } from "./command.ts";
import { toJsonLine, toTerminal } from "./terminal.ts";

/** Finds the command of a command line and runs it. Returns the exit code; never throws. Whatever a command writes or asks is cleaned here (SEMANTICS 26). */
export async function runCommand(commands: readonly Command[], argv: readonly string[], world: Omit<Io, "json">, version: string): Promise<number> {
  const json = argv.includes("--json");
  const io: Io = {
    ...world,
    json,
    interactive: world.interactive && !json,
    out: (text) => world.out(toTerminal(text)),
    err: (text) => world.err(toTerminal(text)),
    ask: (question, signal) => world.ask(toTerminal(question), signal),
  };
  const [name, ...rest] = argv;
  if (name === "--version" || name === "-v") {
    io.out(`${version}\n`);
    return EXIT.ok;
  }
  if (name === undefined || name === "--help" || name === "-h" || name === "help") {
    io.out(commands.find((one) => one.name === rest[0])?.help ?? overview(commands));
    return EXIT.ok;
  }
  const command = commands.find((one) => one.name === name);
  const named = name.startsWith("-") ? rest.find((word) => commands.some((one) => one.name === word)) : undefined;
  if (named !== undefined)
    return tell(usageError(`the command comes first, its options after it: ias ${[named, ...argv.filter((word) => word !== named)].join(" ")}`), "ias", io);
  if (command === undefined)
    return tell(usageError(`there is no command ${JSON.stringify(name)}; there are ${commands.map((one) => one.name).join(", ")}.`), "ias", io);
  try {
    const parsed = parse(command, rest);
    if (parsed.flag("help")) {
      io.out(command.help);
      return EXIT.ok;
    }
    return await command.run(parsed, io);
  } catch (error) {
    return tell(error, `ias ${command.name}`, io);
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
    throw usageError(`${(error instanceof Error ? error.message : String(error)).split(". ")[0]}.`);
  }
}

function tell(error: unknown, who: string, io: Io): number {
  const known = IasError.from(error);
  const { code, message, reason, retryable } = known;
  const usage = isUsageError(known);
  if (io.json) io.err(toJsonLine({ error: { code, message, ...(reason !== undefined && { reason }), retryable } }));
  else {
    const hint = usage
      ? `\nSee ${who} --help.`
      : reason === "CONNECT_FAILED"
        ? "\nIs it running there? `ias serve` starts a server and prints its address."
        : "";
    io.err(`${who}: ${message}${hint}\n`);
  }
  return usage ? EXIT.usage : EXIT.error;
}

function overview(commands: readonly Command[]): string {
  const width = Math.max(...commands.map((command) => command.name.length));
  return [
    "ias: streaming agents over A2A. Every token is a numbered entry of a durable stream.",
    "",
    "Usage: ias <command> [options]",
    "",
    ...commands.map((command) => `  ${command.name.padEnd(width)}  ${command.summary}`),
    "",
    "  ias <command> --help says more. Every command takes --json.",
    "  Exit codes: 0 fine, 1 error, 2 wrong usage, 3 the task or the card is not well, 130 interrupted.",
    "",
  ].join("\n");
}
