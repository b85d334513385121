import type { A2AClient } from "../client/client.ts";
import type { Task, TaskState } from "../model/a2a.ts";
import { type Args, type Command, EXIT, usageError } from "./command.ts";
import { agentsAt, connect, CONNECT_HELP, CONNECT_OPTIONS, DEFAULT_URL } from "./connect.ts";
import { toJsonLine, toLine } from "./terminal.ts";

const STATES = ["submitted", "working", "completed", "failed", "canceled", "rejected", "input-required", "auth-required"] as const;

const HELP = `Usage: ias tasks [url] [options]

Lists tasks, the one that changed last first: its id, when and in which state, its agent, the first
words of its last message. The URL is a server's, all of whose agents are asked, or an agent's;
without one it is ${DEFAULT_URL}.

  --state <state>       only tasks in this state: ${STATES.slice(0, 5).join(", ")},
                        ${STATES.slice(5).join(", ")}
  --context <id>        only tasks of this conversation
  --limit <n>           at most so many of each agent, 1 to 100 (20)
${CONNECT_HELP}

Exit codes: 0 also when there is none; 1 error; 2 usage.

Examples:
  ias tasks
  ias tasks --state input-required
  ias tasks http://127.0.0.1:4000/a2a/team --json
`;

/** `ias tasks`. */
export const tasksCommand: Command = {
  name: "tasks",
  summary: "List the tasks of a server or an agent",
  help: HELP,
  options: { ...CONNECT_OPTIONS, state: { type: "string" }, context: { type: "string" }, limit: { type: "string" } },
  async run(args, io) {
    const [url = DEFAULT_URL] = args.positionals;
    const query = queryOf(args);
    const tasks: { readonly agent: string; readonly task: Task }[] = [];
    const more: string[] = [];
    for (const agent of await agentsAt(url, args, io)) {
      await using client = await connect(agent.url, args, io);
      const { found, total } = await listUpTo(client, query);
      const name = agent.id === "" ? client.card.name : agent.id;
      tasks.push(...found.map((task) => ({ agent: name, task })));
      if (total > found.length) more.push(`${total - found.length} of ${toLine(name, 40)}`);
    }
    const changed = (task: Task): number => Date.parse(task.status.timestamp ?? "") || 0;
    tasks.sort((a, b) => changed(b.task) - changed(a.task));
    const width = Math.max(0, ...tasks.map(({ agent }) => toLine(agent, 40).length));
    for (const { agent, task } of tasks) io.out(io.json ? toJsonLine({ agent, ...task }) : `${toRow(agent, task, width)}\n`);
    if (io.json) return EXIT.ok;
    if (more.length > 0) io.err(`… and ${more.join(", ")}; --limit shows up to 100 of each agent.\n`);
    if (tasks.length === 0) io.err(`No ${args.text("state") ?? ""}${args.text("state") === undefined ? "" : " "}tasks at ${url}.\n`);
    return EXIT.ok;
  },
};

/** As many tasks as `pageSize` says: a server may end a page earlier. */
async function listUpTo(client: A2AClient, query: ReturnType<typeof queryOf>): Promise<{ readonly found: readonly Task[]; readonly total: number }> {
  const found: Task[] = [];
  for (let pageToken = ""; ;) {
    const page = await client.listTasks({ ...query, ...(pageToken !== "" && { pageToken }) });
    found.push(...page.tasks);
    pageToken = page.nextPageToken;
    if (found.length >= query.pageSize || pageToken === "" || page.tasks.length === 0) return { found: found.slice(0, query.pageSize), total: page.totalSize };
  }
}

function queryOf(args: Args) {
  const pageSize = Number(args.text("limit") ?? "20");
  if (!Number.isInteger(pageSize) || pageSize < 1 || pageSize > 100) throw usageError("--limit must be 1 to 100.");
  const state = args.text("state");
  if (state !== undefined && !STATES.some((one) => one === state)) throw usageError(`--state must be one of ${STATES.join(", ")}.`);
  const contextId = args.text("context");
  return {
    pageSize,
    historyLength: 1,
    ...(state !== undefined && { status: `TASK_STATE_${state.toUpperCase().replaceAll("-", "_")}` as TaskState }),
    ...(contextId !== undefined && { contextId }),
  };
}

function toRow(agent: string, task: Task, width: number): string {
  const said = task.history?.flatMap((message) => message.parts.map((part) => part.text ?? "")).join(" ") ?? "";
  const state = task.status.state.replace("TASK_STATE_", "").toLowerCase().replaceAll("_", "-");
  const when = (task.status.timestamp ?? "").slice(0, 19).replace("T", " ");
  return `${toLine(task.id, 100)}  ${toLine(when, 19).padEnd(19)}  ${toLine(state, 20).padEnd(14)}  ${toLine(agent, 40).padEnd(width)}  ${toLine(said, 60)}`;
}
