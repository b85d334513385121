import type { Message, StreamResponse } from "../model/a2a.ts";
import { decodeEvent, type Entry } from "../model/entry.ts";
import { readExtension } from "../model/extension.ts";

/** What a stream has shown itself to be: still `open`, a task, or the message of a message-only reply, which was never a task. */
export type FirstAnswer = { readonly kind: "open" | "task" } | { readonly kind: "message"; readonly message: Message };

/**
 * Judges the entries of a stream whose agent may reply without a task, in order from its first or from those that follow a message, until it is no longer
 * `open`. The engine's first event decides (SEMANTICS 6): a reply, or anything else.
 */
export function createFirstAnswer(): (entry: Entry) => FirstAnswer {
  /** Begun turns whose own WORKING is still to come; a further WORKING is the engine's first event. */
  let turns = 0;
  return (entry) => {
    const event = decodeEvent(entry);
    const data = readExtension(event);
    if (data?.kind === "reply") return { kind: "message", message: data.message };
    if ("task" in event || data?.kind === "input") return OPEN;
    if (data?.kind === "turn") {
      turns += 1;
      return OPEN;
    }
    if (turns === 0 || data !== undefined || !isPlainWorking(event)) return { kind: "task" };
    turns -= 1;
    return OPEN;
  };
}

const OPEN: FirstAnswer = { kind: "open" };

function isPlainWorking(event: StreamResponse): boolean {
  return "statusUpdate" in event && event.statusUpdate.status.state === "TASK_STATE_WORKING" && event.statusUpdate.status.message === undefined;
}
