import type { ParseArgsOptionDescriptor } from "node:util";
import { IasError } from "../model/errors.ts";
import type { Screen } from "./screen.ts";

/** Exit codes, the same for every command; `docs/reference/cli.md` lists them. */
export const EXIT = {
  ok: 0,
  /** Something failed: the message on stderr says what and what to do. */
  error: 1,
  /** The command line itself is wrong. */
  usage: 2,
  /** The task ended FAILED, REJECTED or CANCELED; or a card breaks a rule. */
  negative: 3,
  /** A campaign ended below its pass threshold, or could not reach its target. */
  missed: 100,
  /** Ctrl-C. */
  interrupted: 130,
} as const;

/** One command of `ias`: a file each. */
export interface Command {
  readonly name: string;
  /** Its line in `ias --help`. */
  readonly summary: string;
  /** The whole of `ias <command> --help`: usage, options, examples; at most 100 columns. */
  readonly help: string;
  readonly options: Readonly<Record<string, ParseArgsOptionDescriptor>>;
  /** Returns the exit code. What it throws is told on stderr (as JSON with `--json`) and exits 1, or 2 for `usageError`. */
  run(args: Args, io: Io): Promise<number>;
}

/** Commands under one name: `ias campaign run`. */
export interface CommandGroup {
  readonly name: string;
  readonly summary: string;
  /** What `ias <name> --help` says below the list of its commands. */
  readonly about: string;
  readonly commands: readonly Command[];
}

/** A command's parsed arguments. */
export interface Args {
  readonly positionals: readonly string[];
  /** The text of an option, or undefined. */
  text(name: string): string | undefined;
  /** All texts of an option that may be given several times. */
  texts(name: string): readonly string[];
  flag(name: string): boolean;
}

/** The world outside of a command; tests give their own. */
export interface Io {
  /** Text to stdout; what could drive a terminal is taken out on the way (SEMANTICS 26). */
  out(text: string): void;
  /** Text to stderr, cleaned like `out`. */
  err(text: string): void;
  /** One line from the terminal after a question; undefined at end of input, at Ctrl-C, and when the signal aborts. */
  ask(question: string, signal?: AbortSignal): Promise<string | undefined>;
  /** A person is there to answer; never with `--json`. */
  readonly interactive: boolean;
  /** Draws in place on stderr's terminal; absent where there is none, and with `--json`. Between its first `draw` and its `end`, `err` must not be used. */
  readonly openScreen?: () => Screen;
  /** `--json`: machine-readable lines on stdout, nothing else. */
  readonly json: boolean;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Calls `handler` at each SIGINT or SIGTERM in place of ending the process; returns the way back. */
  onInterrupt(handler: (signal: "SIGINT" | "SIGTERM") => void): () => void;
}

const USAGE = "USAGE";

/** The command line is wrong: exit code 2. */
export function usageError(message: string): IasError {
  return new IasError("invalid-request", message, { reason: USAGE });
}

/** Whether an error is about the command line, not about what a server said. */
export function isUsageError(error: IasError): boolean {
  return error.reason === USAGE;
}
