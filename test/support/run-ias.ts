import type { Command, CommandGroup, Io } from "../../src/lib/cli/command.ts";
import { runCommand } from "../../src/lib/cli/run.ts";

export interface IasRun {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

export interface IasWorld {
  /** Answers to questions, in order; then the end of input. With answers the command is interactive. */
  readonly answers?: readonly (string | undefined)[];
  readonly env?: Io["env"];
  /** Gets the questions as they come. */
  readonly asked?: (question: string) => void;
  /** Gets what is written, as it is. */
  readonly wrote?: (text: string) => void;
  /** Gets the handler of interrupts. */
  readonly onInterrupt?: Io["onInterrupt"];
  readonly openScreen?: Io["openScreen"];
}

/** Runs commands in this process, with a terminal that a test holds. */
export async function runIas(commands: readonly (Command | CommandGroup)[], argv: readonly string[], world: IasWorld = {}): Promise<IasRun> {
  let [out, err] = ["", ""];
  const answers = [...(world.answers ?? [])];
  const code = await runCommand(
    commands,
    argv,
    {
      out: (text) => {
        out += text;
        world.wrote?.(text);
      },
      err: (text) => {
        err += text;
        world.wrote?.(text);
      },
      ask: async (question) => {
        world.asked?.(question);
        return answers.shift();
      },
      interactive: world.answers !== undefined,
      env: world.env ?? {},
      ...(world.openScreen !== undefined && { openScreen: world.openScreen }),
      onInterrupt: world.onInterrupt ?? (() => () => undefined),
    },
    "1.2.3",
  );
  return { code, out, err };
}
