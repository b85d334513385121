import type { StreamItem } from "../client/client.ts";
import { isTerminal, type Message, type Part, type Task, type TaskState } from "../model/a2a.ts";
import { type LivenessFacts, readExtension, type StallFacts } from "../model/extension.ts";
import { EXIT, type Io } from "./command.ts";
import { toJsonLine, toLine, toTerminal } from "./terminal.ts";

/** Shows a stream as it arrives: the answer on stdout, everything around it on stderr; with `--json` each item as a line. */
export interface Printer {
  show(item: StreamItem): void;
  /** A line that is not the answer, on stderr; nothing with `--json`. */
  note(text: string): void;
  /** The task, its context and its state as far as they were told. */
  readonly task: string | undefined;
  readonly context: string | undefined;
  readonly state: TaskState | undefined;
  /** The calls that wait for an approval, if the task does. */
  readonly approvals: readonly string[];
  /** Ends the line that the answer stands on. */
  finish(): void;
}

const NOTE_WIDTH = 400;

/** A printer for one turn. */
export function createPrinter(io: Io): Printer {
  let task: string | undefined;
  let context: string | undefined;
  let state: TaskState | undefined;
  let approvals: readonly string[] = [];
  let column = 0;

  const say = (text: string): void => {
    const safe = toTerminal(text);
    if (safe === "") return;
    column = safe.endsWith("\n") ? 0 : 1;
    io.out(safe);
  };
  const breakLine = (): void => {
    if (column > 0) io.out("\n");
    column = 0;
  };
  const note = (text: string): void => {
    if (io.json) return;
    breakLine();
    io.err(`  ${toLine(text, NOTE_WIDTH)}\n`);
  };
  const sayParts = (parts: readonly Part[]): void => {
    for (const part of parts) {
      if (part.text !== undefined) say(part.text);
      else if (part.data !== undefined) noteData(part.data);
      else note(`[${part.filename ?? "file"}, ${part.mediaType ?? "bytes"}${part.url === undefined ? "" : `: ${part.url}`}]`);
    }
  };
  const noteData = (data: Part["data"]): void => {
    const list = readApprovals(data);
    if (list === undefined) return note(JSON.stringify(data));
    for (const one of list) note(`${one.name} ${one.arguments}`);
  };
  const sayMessage = (message: Message | undefined): void => {
    if (message === undefined) return;
    breakLine();
    sayParts(message.parts);
    breakLine();
  };
  const onStatus = (status: Task["status"]): void => {
    if (state !== status.state) approvals = [];
    ({ state } = status);
    for (const { data } of status.message?.parts ?? []) approvals = readApprovals(data)?.map(({ call }) => call) ?? approvals;
    if (io.json) return;
    sayMessage(status.message);
    if (isTerminal(state) && state !== "TASK_STATE_COMPLETED") note(`The task ${ENDED[state] ?? "has ended"}.`);
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
    note,
    show(item) {
      const { event, resync } = item;
      if (io.json) io.out(toJsonLine(item));
      if ("task" in event) {
        task = event.task.id;
        context = event.task.contextId;
        if (!io.json) for (const artifact of event.task.artifacts ?? []) sayParts(artifact.parts);
        onStatus(event.task.status);
      } else if ("message" in event) {
        context = event.message.contextId ?? context;
        if (!io.json) sayMessage(event.message);
      } else if ("artifactUpdate" in event) {
        if (resync === "replace") note("the agent's text was replaced while the connection was lost:");
        if (!io.json) sayParts(event.artifactUpdate.artifact.parts);
      } else {
        const own = readExtension(event);
        if (own === undefined || own.kind === "failure") return onStatus(event.statusUpdate.status);
        const line = describe(own);
        if (line !== undefined) note(line);
      }
    },
    finish: breakLine,
  };
}

const ENDED: Partial<Record<TaskState, string>> = {
  TASK_STATE_FAILED: "failed",
  TASK_STATE_CANCELED: "was canceled",
  TASK_STATE_REJECTED: "was rejected by the agent",
};

/** The tool calls that a data part asks to approve, if it is one that asks. */
function readApprovals(data: unknown): readonly { readonly call: string; readonly name: string; readonly arguments: string }[] | undefined {
  if (data === null || typeof data !== "object" || !("approvals" in data) || !Array.isArray(data.approvals)) return undefined;
  return data.approvals.flatMap((one: unknown) => {
    if (one === null || typeof one !== "object" || !("call" in one) || typeof one.call !== "string") return [];
    return [{ call: one.call, name: "name" in one ? String(one.name) : "a tool", arguments: "arguments" in one ? String(one.arguments) : "" }];
  });
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
    case "liveness":
      return describeLiveness(own);
    default:
      return undefined;
  }
}

/** The exit code that a task's state stands for. */
export function exitOf(state: TaskState | undefined): number {
  return state !== undefined && isTerminal(state) && state !== "TASK_STATE_COMPLETED" ? EXIT.negative : EXIT.ok;
}

/** Only what a person who waits wants to know. */
function describeLiveness(own: LivenessFacts): string | undefined {
  const seconds = (ms: number): string => `${(ms / 1000).toFixed(ms < 10_000 ? 1 : 0)} s`;
  switch (own.phase) {
    case "slow":
      if (own.by === "rate" && own.tokensPerSecond !== undefined) return `slow: ${own.tokensPerSecond} tokens/s`;
      return `slow: nothing for ${seconds(own.silenceMs)} (${own.activity})`;
    case "stalled": {
      // Of any agent's making: what is missing must not end the command.
      const stall: Partial<StallFacts> = { ...own.stall };
      return `stalled: nothing for ${seconds(stall.silenceMs ?? 0)} (${stall.activity}), after ${stall.tokens} tokens`;
    }
    case "recovered":
      return `${own.from} no more`;
    case "retry-wait":
      return `waits for the model server's rate limit${own.forMs === undefined ? "" : `, ${seconds(own.forMs)}`}`;
    default:
      return undefined;
  }
}
