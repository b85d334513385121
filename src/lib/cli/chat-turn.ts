import type { A2AClient, StreamItem } from "../client/client.ts";
import { isInterrupted } from "../model/a2a.ts";
import { IasError } from "../model/errors.ts";
import { EXIT, type Io } from "./command.ts";
import type { Printer } from "./printer.ts";
import { toLine } from "./terminal.ts";

/** What to read, and where it is shown. */
export interface ReadTurn {
  readonly items: AsyncIterable<StreamItem>;
  readonly printer: Printer;
  /** Aborts `items`. */
  readonly watch: AbortController;
  /** For the line that says how to come back. */
  readonly url: string;
  /** The turn is over when the task waits for an answer, also if the stream stays open. */
  readonly endsWaiting: boolean;
}

/**
 * Shows one turn. Ctrl-C asks a person what to do; meanwhile nothing is shown, and nothing is read (the stream waits).
 * Returns an exit code only if the user left in the middle; the task then goes on.
 */
export async function readTurn(client: A2AClient, io: Io, turn: ReadTurn): Promise<number | undefined> {
  const { printer, watch } = turn;
  let question: Promise<void> | undefined;
  let left = false;
  const leave = (): void => {
    left = true;
    watch.abort();
  };
  const decide = async (): Promise<void> => {
    printer.finish();
    const answer = (await io.ask("[c]ancel the task, [d]etach and leave it running, or Enter to go on? ", watch.signal))?.trim().toLowerCase();
    if (answer === undefined || answer.startsWith("d")) leave();
    else if (answer.startsWith("c")) await cancel(client, printer);
  };
  const off = io.onInterrupt((signal) => {
    if (question !== undefined || !io.interactive || signal === "SIGTERM") return leave();
    question = decide().finally(() => (question = undefined));
  });
  try {
    for await (const item of turn.items) {
      await question;
      if (left) break;
      printer.show(item);
      if (turn.endsWaiting && printer.state !== undefined && isInterrupted(printer.state)) break;
    }
    await question;
  } catch (error) {
    await question;
    if (!left) throw error;
  } finally {
    off();
    printer.finish();
  }
  if (!left) return undefined;
  if (printer.task !== undefined && !io.json) io.err(`The task goes on. To see it again: ias chat ${turn.url} --resume ${toLine(printer.task, 100)}\n`);
  return EXIT.interrupted;
}

async function cancel(client: A2AClient, printer: Printer): Promise<void> {
  if (printer.task === undefined) return printer.note("The agent has not named a task yet; there is nothing to cancel.");
  try {
    await client.cancelTask(printer.task);
  } catch (error) {
    printer.note(IasError.from(error).message);
  }
}
