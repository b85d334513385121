import type { Task } from "../model/a2a.ts";
import { IasError } from "../model/errors.ts";
import { cursorOf } from "../model/extension.ts";
import { type Command, EXIT, usageError } from "./command.ts";
import { agentsAt, connect, CONNECT_HELP, CONNECT_OPTIONS, DEFAULT_URL } from "./connect.ts";
import { createPrinter, exitOf } from "./printer.ts";

const HELP = `Usage: ias tail <task> [url] [options]

Follows a task's stream from its start, or from a cursor, until it ends. Where the agent keeps no
stream of its tasks, what it still knows is shown first. The URL is a server's, all of whose agents
are asked, or an agent's; without one it is ${DEFAULT_URL}.

  --after <cursor>      only what comes after this cursor (each JSON line has one)
${CONNECT_HELP}

Exit codes: 0 completed, or the task waits for an answer; 1 error; 2 usage; 3 failed, rejected or
canceled; 130 interrupted.

Examples:
  ias tail 6f3c1f0e-… --json
  ias tail 6f3c1f0e-… http://127.0.0.1:4000/a2a/team
`;

/** `ias tail`. */
export const tailCommand: Command = {
  name: "tail",
  summary: "Follow the stream of a task",
  help: HELP,
  options: { ...CONNECT_OPTIONS, after: { type: "string" } },
  async run(args, io) {
    const [task, url = DEFAULT_URL] = args.positionals;
    if (task === undefined) throw usageError("a task is needed: ias tail <task>. `ias tasks` lists them.");
    const after = args.text("after");
    for (const agent of await agentsAt(url, args, io)) {
      await using client = await connect(agent.url, args, io);
      const known = await client.getTask(task, { historyLength: 0 }).catch((error: unknown) => {
        if (IasError.from(error).code === "task-not-found") return undefined;
        throw error;
      });
      if (known === undefined) continue;
      const printer = createPrinter(io);
      const watch = new AbortController();
      const off = io.onInterrupt(() => watch.abort());
      try {
        const from = after ?? startOf(known);
        for await (const item of client.subscribe(task, { signal: watch.signal, ...(from !== undefined && { after: from }) })) printer.show(item);
      } catch (error) {
        if (watch.signal.aborted) return EXIT.interrupted;
        // A task that has ended has no stream for plain readers: its Task says all.
        if (IasError.from(error).code !== "unsupported-operation") throw error;
        printer.show({ event: { task: await client.getTask(task) } });
      } finally {
        off();
        printer.finish();
      }
      return exitOf(printer.state ?? known.status.state);
    }
    throw new IasError("task-not-found", `no agent at ${url} has a task ${task} for you.`);
  },
};

/** The cursor before the first entry, for servers with our extension: the one that a client may make itself (PROTOCOL CUR-1). */
function startOf(task: Task): string | undefined {
  return cursorOf({ task })?.replace(/\.\d+$/, ".0");
}
