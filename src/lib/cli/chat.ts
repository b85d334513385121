import type { A2AClient, ConnectionState, StreamItem } from "../client/client.ts";
import type { Part } from "../model/a2a.ts";
import { IasError } from "../model/errors.ts";
import { newId } from "../model/ids.ts";
import { type Command, EXIT, type Io } from "./command.ts";
import { connect, CONNECT_HELP, CONNECT_OPTIONS } from "./connect.ts";
import { createPrinter, exitOf, type Printer } from "./printer.ts";

const HELP = `Usage: ias chat <url> [message] [options]

Talks to an A2A agent, 1.0 or 0.3, and shows its tokens as they arrive. The answer goes to stdout, tool calls and the like to stderr.
The URL is an agent's, a server's or a card's. Without a message it reads one line after the other from the terminal, in one conversation.

  --resume <task>       go on reading a task from where it stands; a message then goes to that task
  --context <id>        go on in a conversation
${CONNECT_HELP}

A lost connection is taken up again by itself. Ctrl-C asks whether to cancel the task or to leave it running.

Exit codes: 0 completed, or the task waits for an answer; 1 error; 2 usage; 3 failed, rejected or canceled; 130 interrupted.

Examples:
  ias chat http://127.0.0.1:4000/a2a/assistant "What time is it in Tokyo?"
  ias chat https://agent.example.com --token "$KEY"
`;

/** `ias chat`. */
export const chatCommand: Command = {
  name: "chat",
  summary: "Talk to an agent; tokens as they arrive",
  help: HELP,
  options: { ...CONNECT_OPTIONS, resume: { type: "string" }, context: { type: "string" } },
  async run(args, io) {
    const [url, ...words] = args.positionals;
    if (url === undefined) throw new IasError("invalid-request", "a URL is needed: ias chat <url> [message].");
    const first = words.join(" ");
    const resume = args.text("resume");
    if (first === "" && resume === undefined && !io.interactive)
      throw new IasError("invalid-request", "without a terminal a message is needed: ias chat <url> <message>.");
    await using client = await connect(url, args, io);
    if (first === "" && !io.json)
      io.err(`${client.card.name}: ${client.remote.binding} ${client.remote.version}${client.hasCursors ? ", resumable" : ""}. An empty line ends.\n`);
    return await talk(client, io, { first, resume, context: args.text("context"), url });
  },
};

interface Start {
  readonly first: string;
  readonly resume: string | undefined;
  readonly context: string | undefined;
  readonly url: string;
}

/** One turn after the other, as long as there is something to say. */
async function talk(client: A2AClient, io: Io, start: Start): Promise<number> {
  let { context } = start;
  let task = start.resume;
  let said: readonly Part[] | undefined = start.first === "" ? undefined : [{ text: start.first }];
  let code: number = EXIT.ok;
  for (;;) {
    if (said === undefined && task === undefined) {
      said = await read(io, "> ");
      if (said === undefined) return code;
    }
    const printer = createPrinter(io);
    const watch = new AbortController();
    const message = said && {
      messageId: newId(),
      role: "ROLE_USER" as const,
      parts: said,
      ...(task !== undefined && { taskId: task }),
      ...(task === undefined && context !== undefined && { contextId: context }),
    };
    const options = { signal: watch.signal, onConnection: (state: ConnectionState) => tellConnection(io, state) };
    const items = message !== undefined ? client.stream({ message }, options) : client.subscribe(task ?? "", options);
    const left = await readTurn(client, io, { items, printer, watch, url: start.url });
    if (left !== undefined) return left;
    context = printer.context ?? context;
    code = exitOf(printer.state);
    const waits = printer.state === "TASK_STATE_INPUT_REQUIRED" || printer.state === "TASK_STATE_AUTH_REQUIRED";
    if (!io.interactive || (start.first !== "" && !waits)) {
      if (waits && !io.json) io.err(`The task waits for an answer: ias chat ${start.url} --resume ${printer.task} "…"\n`);
      return code;
    }
    task = waits ? printer.task : undefined;
    said = await read(io, printer.approvals.length > 0 ? "approve or reject? " : "> ");
    if (said === undefined) return code;
  }
}

/** Shows one turn. Returns an exit code only if the user left in the middle. */
async function readTurn(
  client: A2AClient,
  io: Io,
  turn: { items: AsyncIterable<StreamItem>; printer: Printer; watch: AbortController; url: string },
): Promise<number | undefined> {
  const { printer, watch } = turn;
  let asking = false;
  let leave: number | undefined;
  const off = io.onInterrupt(() => {
    if (asking || !io.interactive) {
      leave = EXIT.interrupted;
      watch.abort();
      return;
    }
    asking = true;
    void (async () => {
      const answer = (await io.ask("\n[c]ancel the task, [d]etach and leave it running, or Enter to go on? "))?.trim().toLowerCase();
      asking = false;
      if (answer === "c" && printer.task !== undefined)
        await client.cancelTask(printer.task).catch((error: unknown) => io.err(`${IasError.from(error).message}\n`));
      if (answer === "d" || answer === undefined) {
        leave = EXIT.interrupted;
        watch.abort();
      }
    })();
  });
  try {
    for await (const item of turn.items) printer.show(item);
  } catch (error) {
    if (leave === undefined) throw error;
  } finally {
    off();
    printer.finish();
  }
  if (leave !== undefined && printer.task !== undefined && !io.json)
    io.err(`The task goes on. To see it again: ias chat ${turn.url} --resume ${printer.task}\n`);
  return leave;
}

async function read(io: Io, question: string): Promise<readonly Part[] | undefined> {
  const line = (await io.ask(question))?.trim();
  return line === undefined || line === "" ? undefined : [{ text: line }];
}

function tellConnection(io: Io, state: ConnectionState): void {
  if (io.json) return;
  if (state.kind === "lost") io.err(`\n  connection lost (${state.reason}); again in ${(state.retryInMs / 1000).toFixed(1)} s\n`);
  if (state.kind === "polling") io.err("  the agent cannot be subscribed to; asking for its task from time to time\n");
}
