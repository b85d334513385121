import { parseArgs } from "node:util";
import { IasError } from "../model/errors.ts";
import { type Args, type Command, EXIT, type Io } from "./command.ts";

/** Finds the command of a command line and runs it. Returns the exit code; never throws. */
export async function runCommand(commands: readonly Command[], argv: readonly string[], io: Omit<Io, "json">, version: string): Promise<number> {
  const [name, ...rest] = argv;
  if (name === "--version" || name === "-v") {
    io.out(`${version}\n`);
    return EXIT.ok;
  }
  const command = commands.find((one) => one.name === name);
  if (command === undefined) {
    const help = name === undefined || name === "--help" || name === "-h" || name === "help";
    (help ? io.out : io.err)(`${help ? "" : `ias: there is no command ${JSON.stringify(name)}.\n\n`}${overview(commands)}`);
    return help ? EXIT.ok : EXIT.usage;
  }
  let parsed: ReturnType<typeof parseArgs>;
  try {
    parsed = parseArgs({
      args: rest,
      options: { ...command.options, help: { type: "boolean", short: "h" }, json: { type: "boolean" } },
      allowPositionals: true,
    });
  } catch (error) {
    io.err(`ias ${command.name}: ${error instanceof Error ? error.message : String(error)}\n\n${command.help}`);
    return EXIT.usage;
  }
  if (parsed.values["help"] === true) {
    io.out(command.help);
    return EXIT.ok;
  }
  const json = parsed.values["json"] === true;
  try {
    return await command.run(toArgs(parsed), { ...io, json });
  } catch (error) {
    return tell(error, command, { ...io, json });
  }
}

function toArgs(parsed: ReturnType<typeof parseArgs>): Args {
  return {
    positionals: parsed.positionals,
    text: (name) => {
      const value = parsed.values[name];
      return typeof value === "string" ? value : undefined;
    },
    flag: (name) => parsed.values[name] === true,
  };
}

function tell(error: unknown, command: Command, io: Io): number {
  const known = IasError.from(error);
  if (io.json)
    io.err(
      `${JSON.stringify({ error: { code: known.code, message: known.message, ...(known.reason !== undefined && { reason: known.reason }), retryable: known.retryable } })}\n`,
    );
  else io.err(`ias ${command.name}: ${known.message}\n`);
  return known.code === "invalid-request" ? EXIT.usage : EXIT.error;
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
