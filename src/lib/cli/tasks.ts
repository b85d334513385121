import type { TaskState } from "../model/a2a.ts";
import { IasError } from "../model/errors.ts";
import { type Command, EXIT } from "./command.ts";
import { agentsAt, connect, CONNECT_HELP, CONNECT_OPTIONS, DEFAULT_URL } from "./connect.ts";
import { toLine } from "./terminal.ts";

const HELP = `Usage: ias tasks [url] [options]

Lists tasks, the one that changed last first. The URL is a server's (default ${DEFAULT_URL}) or an agent's.

  --state <state>       only tasks in this state: submitted, working, completed, failed, canceled, rejected, input-required, auth-required
  --context <id>        only tasks of this conversation
  --limit <n>           at most so many of each agent, 1 to 100 (20)
${CONNECT_HELP}
`;

/** `ias tasks`. */
export const tasksCommand: Command = {
  name: "tasks",
  summary: "List the tasks of a server or an agent",
  help: HELP,
  options: { ...CONNECT_OPTIONS, state: { type: "string" }, context: { type: "string" }, limit: { type: "string" } },
  async run(args, io) {
    const [url = DEFAULT_URL] = args.positionals;
    const pageSize = Number(args.text("limit") ?? "20");
    if (!Number.isInteger(pageSize) || pageSize < 1 || pageSize > 100) throw new IasError("invalid-request", "--limit must be 1 to 100.");
    const state = args.text("state");
    const context = args.text("context");
    const query = {
      pageSize,
      historyLength: 1,
      ...(state !== undefined && { status: `TASK_STATE_${state.toUpperCase().replaceAll("-", "_")}` as TaskState }),
      ...(context !== undefined && { contextId: context }),
    };
    let shown = 0;
    for (const agent of await agentsAt(url, args, io)) {
      await using client = await connect(agent.url, args, io);
      const page = await client.listTasks(query);
      for (const task of page.tasks) {
        shown += 1;
        if (io.json) io.out(`${JSON.stringify({ agent: agent.id, ...task })}\n`);
        else {
          const text = task.history?.flatMap((message) => message.parts.map((part) => part.text ?? "")).join(" ") ?? "";
          io.out(
            `${task.id}  ${(task.status.timestamp ?? "").slice(0, 19).padEnd(19)}  ${task.status.state.replace("TASK_STATE_", "").toLowerCase().padEnd(14)}  ${agent.id}  ${toLine(text, 60)}\n`,
          );
        }
      }
      if (!io.json && page.totalSize > page.tasks.length) io.err(`  … ${page.totalSize - page.tasks.length} more of ${agent.id}\n`);
    }
    if (shown === 0 && !io.json) io.err(`No tasks at ${url}.\n`);
    return EXIT.ok;
  },
};
