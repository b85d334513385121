import { isTerminal, type StreamResponse, type TaskState } from "../../../src/lib/model/a2a.ts";
import type { StreamEntry } from "../../../src/lib/model/api.ts";
import { checkContents, type Say } from "./content-rules.ts";

/** A rule that a frame breaks. */
export interface RuleBreak {
  /** Of the A2A specification 1.0.1, or of our PROTOCOL.md where it says so. */
  readonly section: string;
  readonly level: "MUST" | "SHOULD";
  readonly rule: string;
  /** The member's path in the event; empty for the event itself. */
  readonly where: string;
  /** What is there, shortened. */
  readonly found: string;
}

/** The rules of a stream as a whole, over its entries in order: O(1) for each. */
export interface StreamRules {
  /** The rules that `entry` breaks after those before it. */
  take(entry: StreamEntry): readonly RuleBreak[];
}

/** What `createStreamRules` must know. */
export interface StreamRulesOptions {
  /** Whether every entry comes (the owner's view, or an export of it), so that a gap in `seq` is a fault. */
  readonly isWhole: boolean;
}

/** Rules for one stream, from its first entry on. Where the beginning is missing (its first seq is above 1), what depends on it is not judged. */
export function createStreamRules({ isWhole }: StreamRulesOptions): StreamRules {
  let last: StreamEntry | undefined;
  let hasBeginning = true;
  let task: { readonly id: string; readonly context: string } | undefined;
  let sawMessage = false;
  let over: TaskState | undefined;
  let stamp: string | undefined;
  /** By artifact: whether its last chunk came. */
  const artifacts = new Map<string, boolean>();

  return {
    take(entry) {
      const { event, seq } = entry;
      const breaks: RuleBreak[] = [];
      const say = (section: string, level: RuleBreak["level"], rule: string, where: string, found: string): void =>
        void breaks.push({ section, level, rule, where, found });
      const kind = Object.keys(event)[0] ?? "";
      if (last === undefined) {
        hasBeginning = seq === 1;
        if (hasBeginning && kind !== "task" && kind !== "message") say("3.1.2", "MUST", "A stream begins with a Task, or is one Message", kind, kind);
      } else {
        if (isWhole && seq !== last.seq + 1) say("PROTOCOL.md 2", "MUST", "Entries are numbered without gaps", "seq", `${seq} after ${last.seq}`);
        if (entry.gen < last.gen) say("PROTOCOL.md 2", "MUST", "The generation never falls", "gen", `${entry.gen} after ${last.gen}`);
        if (sawMessage) say("3.1.2", "MUST", "A Message is the only event of its stream", kind, kind);
        else if (kind === "message") say("3.1.2", "MUST", "A stream that began with a Task carries no Message", kind, kind);
        else if (kind === "task") say("3.1.2", "MUST", "After the Task come status and artifact updates only", kind, kind);
        if (over !== undefined) say("3.1.2", "MUST", "The stream closes at a terminal state", kind, `after ${over}`);
      }
      last = entry;
      sawMessage ||= kind === "message";
      checkContents(event, say);
      checkIds(event, say);
      checkArtifact(event, say);
      checkStatus(event, say);
      return breaks;
    },
  };

  function checkIds(event: StreamResponse, say: Say): void {
    const { id, context } = idsOf(event);
    if ("message" in event || id === undefined) return;
    if (task === undefined) {
      task = { id, context: context ?? "" };
      return;
    }
    if (id !== task.id) say("3.1.2", "MUST", "All events of a stream are of one task", "taskId", `${id}, not ${task.id}`);
    if (context !== undefined && task.context !== "" && context !== task.context)
      say("3.4.1", "MUST", "A task stays in its context", "contextId", `${context}, not ${task.context}`);
  }

  function checkStatus(event: StreamResponse, say: Say): void {
    const status = "task" in event ? event.task.status : "statusUpdate" in event ? event.statusUpdate.status : undefined;
    if (status === undefined) return;
    if (status.timestamp !== undefined) {
      if (stamp !== undefined && Date.parse(status.timestamp) < Date.parse(stamp))
        say("3.5.2", "MUST", "Events come in the order in which they were made", "status.timestamp", `${status.timestamp} after ${stamp}`);
      stamp = status.timestamp;
    }
    if (status.state === "TASK_STATE_COMPLETED" && over === undefined && hasBeginning && artifacts.size === 0 && (status.message?.parts.length ?? 0) > 0)
      say("3.7", "SHOULD", "Results are given as artifacts; messages are for the talk about them", "status.message", "the only result");
    if (isTerminal(status.state)) over ??= status.state;
  }

  function checkArtifact(event: StreamResponse, say: Say): void {
    if ("task" in event) for (const { artifactId } of event.task.artifacts ?? []) artifacts.set(artifactId, false);
    if (!("artifactUpdate" in event)) return;
    const { artifact, append = false, lastChunk = false } = event.artifactUpdate;
    const isDone = artifacts.get(artifact.artifactId);
    if (append && isDone === undefined && hasBeginning)
      say("4.2.2", "MUST", "append adds to an artifact that was sent before", "artifactUpdate.append", `true for the unknown ${artifact.artifactId}`);
    if (append && isDone === true) say("4.2.2", "MUST", "lastChunk was the artifact's final chunk", "artifactUpdate.append", `more of ${artifact.artifactId}`);
    artifacts.set(artifact.artifactId, lastChunk);
  }
}

function idsOf(event: StreamResponse): { readonly id: string | undefined; readonly context: string | undefined } {
  if ("task" in event) return { id: event.task.id, context: event.task.contextId };
  if ("message" in event) return { id: event.message.taskId, context: event.message.contextId };
  const { taskId, contextId } = "statusUpdate" in event ? event.statusUpdate : event.artifactUpdate;
  return { id: taskId, context: contextId };
}
