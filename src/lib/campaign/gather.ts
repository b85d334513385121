import { type Artifact, isTerminal, type Message, type Part, type StreamResponse, type Task, type TaskStatus } from "../model/a2a.ts";
import { IasError } from "../model/errors.ts";
import { readExtension } from "../model/extension.ts";

/** Gathers what a subject answers from what arrives. */
export interface Gathered {
  /** Throws `too-large` when there is more than is kept. */
  note(event: StreamResponse): void;
  /** What it said: a Task with all artifacts and messages that came, whichever way; or its direct message. */
  read(): { readonly task: Task } | { readonly message: Message };
  /** A message came, or a terminal state: nothing more is expected. */
  readonly isOver: boolean;
  /** The last event that told a status, or the message. */
  readonly last: StreamResponse | undefined;
}

/** An answer of at most so many characters. */
export function createGathered(maxLength: number): Gathered {
  const artifacts = new Map<string, { head: Omit<Artifact, "parts">; parts: Part[] }>();
  const said = new Map<string, Message>();
  let status: TaskStatus = { state: "TASK_STATE_SUBMITTED" };
  let direct: Message | undefined;
  let last: StreamResponse | undefined;
  let length = 0;

  function count(parts: readonly Part[]): void {
    length += sizeOf(parts);
    if (length <= maxLength) return;
    throw new IasError("too-large", `The answer has more than ${maxLength} characters (maxAnswerLength).`, { reason: "ANSWER_TOO_LARGE" });
  }

  function put({ parts, ...head }: Artifact, append: boolean): void {
    const known = artifacts.get(head.artifactId);
    if (known !== undefined && append) known.parts.push(...parts);
    else {
      if (known !== undefined) length -= sizeOf(known.parts);
      artifacts.set(head.artifactId, { head, parts: [...parts] });
    }
    count(parts);
  }

  function hear(message: Message | undefined): void {
    if (message === undefined || said.has(message.messageId)) return;
    said.set(message.messageId, message);
    count(message.parts);
  }

  return {
    note(event) {
      if ("message" in event) {
        direct = event.message;
        last = event;
        count(event.message.parts);
      } else if ("artifactUpdate" in event) put(event.artifactUpdate.artifact, event.artifactUpdate.append === true);
      else if ("task" in event) {
        const { task } = event;
        for (const { parts } of artifacts.values()) length -= sizeOf(parts);
        artifacts.clear();
        for (const artifact of task.artifacts ?? []) put(artifact, false);
        for (const message of task.history ?? []) if (message.role === "ROLE_AGENT") hear(message);
        hear(task.status.message);
        status = task.status;
        last = event;
      } else if (readExtension(event)?.kind === "failure" || readExtension(event) === undefined) {
        ({ status } = event.statusUpdate);
        hear(status.message);
        last = event;
      }
    },
    read() {
      if (direct !== undefined) return { message: direct };
      const history = [...said.values()].filter(({ messageId }) => messageId !== status.message?.messageId);
      const all = [...artifacts.values()].map(({ head, parts }) => ({ ...head, parts }));
      return { task: { id: "", contextId: "", status, artifacts: all, history } };
    },
    get isOver() {
      return direct !== undefined || isTerminal(status.state);
    },
    get last() {
      return last;
    },
  };
}

function sizeOf(parts: readonly Part[]): number {
  return parts.reduce((sum, part) => sum + (part.text?.length ?? (part.data === undefined ? 0 : JSON.stringify(part.data).length)), 0);
}
