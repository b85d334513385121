import type { StreamResponse, Task, TaskState, Message } from "../../../src/lib/model/a2a.ts";
import type { StreamEntry } from "../../../src/lib/model/api.ts";
import { type ExtensionData, readExtension } from "../../../src/lib/model/extension.ts";
import { askedIn } from "./asked.ts";
import type { Block } from "./blocks.ts";
import { createSpeech, pathText } from "./speech.ts";

/** A transcript that grows entry by entry, each at its own cost. */
export interface Transcript {
  readonly blocks: readonly Block[];
  readonly state: TaskState | undefined;
  /** Ids of the messages that are in it: what was just sent needs no other place once it is here. */
  readonly messages: ReadonlySet<string>;
  apply(entry: StreamEntry): void;
  /** Goes on from a Task whose entries are gone. */
  restore(task: Task, seq: number): void;
}

/** An empty transcript. */
export function createTranscript(): Transcript {
  const { blocks, add, close, say, think, sayParts, unsay, hear: heard, endAsking, call, result } = createSpeech();
  const messages = new Set<string>();
  let state: TaskState | undefined;
  /** A status' words are said once, though entries aside repeat the status. */
  let spoken: string | undefined;

  const hear = (seq: number, message: Message): void => {
    messages.add(message.messageId);
    heard(seq, message);
  };
  const becomes = (seq: number, status: Task["status"]): void => {
    const changed = status.state !== state;
    state = status.state;
    if (status.message !== undefined && status.message.messageId !== spoken) {
      spoken = status.message.messageId;
      const { parts } = status.message;
      // Of a question that has buttons the words for programs without them are left out.
      const hasButtons = parts.some((part) => askedIn(part)?.kind === "approvals");
      sayParts(seq, `status-${seq}`, hasButtons ? parts.filter(({ text }) => text?.startsWith("Approval is needed for the tool") !== true) : parts);
    }
    if (!changed) return;
    if (state === "TASK_STATE_FAILED") add({ kind: "notice", seq, tone: "bad", text: "The task failed." });
    else if (state === "TASK_STATE_CANCELED") add({ kind: "notice", seq, tone: "plain", text: "Canceled." });
    else if (state === "TASK_STATE_REJECTED") add({ kind: "notice", seq, tone: "warn", text: "The agent refused the task." });
    else if (state === "TASK_STATE_AUTH_REQUIRED") add({ kind: "notice", seq, tone: "warn", text: "The agent needs you to sign in before it can go on." });
    if (state !== "TASK_STATE_INPUT_REQUIRED" && state !== "TASK_STATE_AUTH_REQUIRED") {
      if (state !== "TASK_STATE_WORKING" && state !== "TASK_STATE_SUBMITTED") close();
      endAsking();
    }
  };
  const begin = (seq: number, task: Task): void => {
    for (const message of task.history ?? []) {
      if (message.role === "ROLE_USER") hear(seq, message);
      else sayParts(seq, `history-${message.messageId}`, message.parts);
    }
    for (const artifact of task.artifacts ?? []) sayParts(seq, artifact.artifactId, artifact.parts);
    becomes(seq, task.status);
  };
  const aside = (seq: number, data: ExtensionData): boolean => {
    switch (data.kind) {
      case "input":
        hear(seq, data.message);
        return true;
      case "reply":
        sayParts(seq, "reply", data.message.parts);
        return true;
      case "text":
        say(seq, "child", pathText(data.path), data.text);
        return true;
      case "reasoning":
        think(seq, pathText(data.path), data.text, data.size);
        return true;
      case "tool-call":
        call(seq, data);
        return true;
      case "tool-result":
        result(data);
        return true;
      case "delegation":
        add({ kind: "delegation", seq, from: data.from, to: data.to, via: data.via, task: data.task });
        return true;
      case "attempt":
        add({ kind: "notice", seq, tone: "warn", text: `Begun again (attempt ${data.attempt}): ${data.reason}` });
        return true;
      case "failure":
        add({ kind: "notice", seq, tone: "bad", text: [data.code, data.reason].filter((word) => word !== undefined).join(" · ") });
        return false;
      case "liveness":
        if (data.phase === "stalled") add({ kind: "notice", seq, tone: "warn", text: `Stalled: nothing for ${(data.stall.silenceMs / 1000).toFixed(1)} s.` });
        return true;
      case "turn":
      case "checkpoint":
      case "cancel":
      case "usage":
      case "note":
        return true;
      default:
        // Of a later version: only its status counts.
        return false;
    }
  };

  return {
    blocks,
    messages,
    get state() {
      return state;
    },
    apply({ seq, event }) {
      const data = readExtension(event);
      if (data !== undefined && aside(seq, data)) return;
      applyEvent(seq, event);
    },
    restore: (task, seq) => begin(seq, task),
  };

  function applyEvent(seq: number, event: StreamResponse): void {
    if ("task" in event) begin(seq, event.task);
    else if ("statusUpdate" in event) becomes(seq, event.statusUpdate.status);
    else if ("message" in event) sayParts(seq, "message", event.message.parts);
    else {
      const { artifact, append } = event.artifactUpdate;
      if (append !== true) unsay(artifact.artifactId);
      sayParts(seq, artifact.artifactId, artifact.parts);
    }
  }
}
