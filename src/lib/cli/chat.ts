import type { A2AClient, ConnectionState } from "../client/client.ts";
import type { Part } from "../model/a2a.ts";
import { newId } from "../model/ids.ts";
import { readTurn } from "./chat-turn.ts";
import { type Command, EXIT, type Io, usageError } from "./command.ts";
import { connect, CONNECT_HELP, CONNECT_OPTIONS } from "./connect.ts";
import { createPrinter, exitOf, type Printer } from "./printer.ts";
import { toLine } from "./terminal.ts";

const HELP = `Usage: ias chat <url> [message] [options]

Talks to an A2A agent, 1.0 or 0.3, and shows its tokens as they arrive. The answer goes to stdout,
tool calls and the like to stderr. The URL is an agent's, a server's (then its default agent
answers) or a card's. Without a message it reads one line after the other from the terminal, in one
conversation.

  --resume <task>       go on reading a task from where it stands; a message then goes to that task
  --context <id>        go on in a conversation
${CONNECT_HELP}

A lost connection is taken up again by itself. Ctrl-C asks whether to cancel the task, to leave it
running or to go on; a second one leaves it running. Without a terminal, and with SIGTERM, the
first one does. When a tool waits for an approval, answer "approve", "reject" or "reject: why".

Exit codes: 0 completed, or the task waits for an answer; 1 error; 2 usage; 3 failed, rejected or
canceled; 130 interrupted.

Examples:
  ias chat http://127.0.0.1:4000/a2a/assistant
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
    if (url === undefined) throw usageError("a URL is needed: ias chat <url> [message].");
    const first = words.join(" ");
    const resume = args.text("resume");
    if (resume === "") throw usageError("--resume needs the id of a task; `ias tasks` lists them.");
    if (first === "" && resume === undefined && !io.interactive) throw usageError("without a terminal a message is needed: ias chat <url> <message>.");
    await using client = await connect(url, args, io);
    if (first === "" && io.interactive) {
      const { binding, version } = client.remote;
      io.err(`${toLine(client.card.name, 60)}: A2A ${version} over ${binding}${client.hasCursors ? ", resumable" : ""}. An empty line ends.\n`);
    }
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
    const options = { signal: watch.signal, onConnection: (state: ConnectionState) => tellConnection(printer, state) };
    const to = task === undefined ? { ...(context !== undefined && { contextId: context }) } : { taskId: task };
    const items =
      said === undefined
        ? client.subscribe(task ?? "", options)
        : client.stream({ message: { messageId: newId(), role: "ROLE_USER", parts: said, ...to } }, options);
    // A reader of a task that waits, or that has ended, is asked for the next words; the stream itself would stay open through an interruption.
    const left = await readTurn(client, io, { items, printer, watch, url: start.url, endsWaiting: said === undefined });
    if (left !== undefined) return left;
    context = printer.context ?? context;
    code = exitOf(printer.state);
    const waits = printer.state === "TASK_STATE_INPUT_REQUIRED" || printer.state === "TASK_STATE_AUTH_REQUIRED";
    if (!io.interactive || (start.first !== "" && !waits)) {
      if (waits && !io.json) io.err(`The task waits for an answer: ias chat ${start.url} --resume ${toLine(printer.task ?? "", 100)} "…"\n`);
      return code;
    }
    task = waits ? printer.task : undefined;
    said = await read(io, printer.approvals.length > 0 ? "approve or reject? " : "> ");
    if (said === undefined) {
      if (waits) io.err(`The task still waits for an answer: ias chat ${start.url} --resume ${toLine(printer.task ?? "", 100)}\n`);
      return code;
    }
  }
}

async function read(io: Io, question: string): Promise<readonly Part[] | undefined> {
  const line = (await io.ask(question))?.trim();
  return line === undefined || line === "" ? undefined : [{ text: line }];
}

function tellConnection(printer: Printer, state: ConnectionState): void {
  if (state.kind === "lost") printer.note(`not connected (${state.reason}); again in ${(state.retryInMs / 1000).toFixed(1)} s`);
  if (state.kind === "polling") printer.note("the agent cannot be subscribed to; asking for its task from time to time");
}
