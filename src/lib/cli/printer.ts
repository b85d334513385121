import type { StreamItem } from "../client/client.ts";
import { isTerminal, type Message, type Part, type Task, type TaskState } from "../model/a2a.ts";
import { readExtension } from "../model/extension.ts";
import { EXIT, type Io } from "./command.ts";
import { toLine, toTerminal } from "./terminal.ts";

/** Shows a stream as it arrives: the answer on stdout, everything around it on stderr; with `--json` each item as a line. */
export interface Printer {
  show(item: StreamItem): void;
  /** The task, its context and its state as far as they were told. */
  readonly task: string | undefined;
  readonly context: string | undefined;
  readonly state: TaskState | undefined;
  /** The calls that wait for an approval, if the task does. */
  readonly approvals: readonly string[];
  /** Ends the line that the answer stands on. */
  finish(): void;
}

/** A printer for one turn. `verbose` shows each entry's cursor. */
export function createPrinter(io: Io): Printer {
  let task: string | undefined;
  let context: string | undefined;
  let state: TaskState | undefined;
  let approvals: readonly string[] = [];
  let column = 0;

  const say = (text: string): void => {
    if (text === "") return;
    const safe = toTerminal(text);
    io.out(safe);
    column = safe.endsWith("\n") ? 0 : 1;
  };
  const breakLine = (): void => {
    if (column > 0) io.out("\n");
    column = 0;
  };
  const note = (text: string): void => {
    breakLine();
    io.err(`  ${toLine(text, 200)}\n`);
  };
  const sayParts = (parts: readonly Part[]): void => {
    for (const part of parts) {
      if (part.text !== undefined) say(part.text);
      else if (part.data !== undefined) readApprovals(part);
      else note(`[${part.filename ?? "file"}, ${part.mediaType ?? "bytes"}${part.url === undefined ? "" : `: ${part.url}`}]`);
    }
  };
  const readApprovals = (part: Part): void => {
    const { data } = part;
    const list =
      data !== null && typeof data === "object" && "approvals" in data && Array.isArray(data.approvals)
        ? (data.approvals as readonly { call?: unknown; name?: unknown; arguments?: unknown }[])
        : undefined;
    if (list === undefined) return note(JSON.stringify(data));
    approvals = list.flatMap(({ call }) => (typeof call === "string" ? [call] : []));
    for (const one of list) note(`${String(one.name)} ${String(one.arguments)}`);
  };
  const sayMessage = (message: Message | undefined): void => {
    if (message === undefined) return;
    breakLine();
    sayParts(message.parts);
    breakLine();
  };
  const onTask = (value: Task): void => {
    task = value.id;
    context = value.contextId;
    state = value.status.state;
    for (const artifact of value.artifacts ?? []) sayParts(artifact.parts);
    sayMessage(value.status.message);
  };

  return {
    get task() {
      return task;
    },
    get context() {
      return context;
    },
    get state() {
      return state;
    },
    get approvals() {
      return approvals;
    },
    show(item) {
      const { event, resync } = item;
      if (io.json) io.out(`${JSON.stringify(item)}\n`);
      if ("task" in event) {
        if (io.json) [task, context, state] = [event.task.id, event.task.contextId, event.task.status.state];
        else onTask(event.task);
      } else if ("message" in event) {
        if (!io.json) sayMessage(event.message);
      } else if ("artifactUpdate" in event) {
        if (io.json) return;
        if (resync === "replace") note("the agent's text was replaced while the connection was lost");
        sayParts(event.artifactUpdate.artifact.parts);
      } else {
        const own = readExtension(event);
        if (own !== undefined && own.kind !== "failure") {
          const line = describe(own);
          if (line !== undefined && !io.json) note(line);
          return;
        }
        ({ state } = event.statusUpdate.status);
        if (!io.json) sayMessage(event.statusUpdate.status.message);
      }
    },
    finish: breakLine,
  };
}

/** One line about what is not the answer; nothing for what a person would not miss. */
function describe(own: NonNullable<ReturnType<typeof readExtension>>): string | undefined {
  switch (own.kind) {
    case "tool-call":
      return `→ ${own.name} ${own.arguments ?? ""}`;
    case "tool-result":
      return `← ${own.name} ${own.failed ? "failed" : (own.output ?? "done")}`;
    case "delegation":
      return own.via === "handoff" ? `${own.from} hands off to ${own.to}` : `${own.from} asks ${own.to}`;
    case "attempt":
      return `attempt ${own.attempt}: ${own.reason}`;
    default:
      return undefined;
  }
}

/** The exit code that a task's state stands for. */
export function exitOf(state: TaskState | undefined): number {
  return state !== undefined && isTerminal(state) && state !== "TASK_STATE_COMPLETED" ? EXIT.negative : EXIT.ok;
}
