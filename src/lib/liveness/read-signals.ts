import { isTerminal, type Part, type StreamResponse, type TaskState } from "../model/a2a.ts";
import { type LivenessFacts, readExtension } from "../model/extension.ts";
import type { LivenessSignal } from "./liveness.ts";

/**
 * What an A2A event proves. Everything that arrives is a raw byte; content is text in an artifact or a status message (SEMANTICS 27), reasoning, or a
 * tool call. Of a server that speaks our extension its own liveness entries tell what cannot be seen from outside: a rate limit's wait, throttling.
 */
export function readSignals(event: StreamResponse): readonly LivenessSignal[] {
  if ("message" in event) return [{ kind: "content" }, { kind: "ended" }];
  if ("task" in event) return ofState(event.task.status.state, event.task.status.message?.parts);
  if ("artifactUpdate" in event) return [hasContent(event.artifactUpdate.artifact.parts) ? { kind: "content" } : { kind: "bytes" }];
  const data = readExtension(event);
  switch (data?.kind) {
    case "reasoning":
      return [data.path === undefined ? { kind: "content" } : { kind: "child" }];
    case "text":
      return [{ kind: "child" }];
    case "tool-call":
      return [data.path === undefined ? { kind: "tool-start", call: data.call } : { kind: "child" }];
    case "tool-result":
      return [data.path === undefined ? { kind: "tool-end", call: data.call } : { kind: "child" }];
    case "delegation":
      // After a hand-off the next agent's model is asked, and it is this agent that answers.
      return data.via === "handoff" && data.path === undefined ? [{ kind: "connecting" }, { kind: "working" }] : [{ kind: "child" }];
    case "usage":
      return data.path === undefined ? ofUsage(data.usage["outputTokens"]) : [{ kind: "child" }];
    case "liveness":
      return readLiveness(data);
    case "input":
    case "turn":
    case "checkpoint":
    case "reply":
    case "cancel":
    case "note":
      return [{ kind: "bytes" }];
    case "attempt":
      return [{ kind: "connecting" }, { kind: "working" }];
    case undefined:
    case "failure":
    default:
      // Of a kind of a later version the status counts, too.
      return ofState(event.statusUpdate.status.state, event.statusUpdate.status.message?.parts);
  }
}

function ofState(state: TaskState, parts: readonly Part[] | undefined): readonly LivenessSignal[] {
  const said: readonly LivenessSignal[] = parts !== undefined && hasContent(parts) ? [{ kind: "content" }] : [];
  if (isTerminal(state)) return [...said, { kind: "ended" }];
  switch (state) {
    case "TASK_STATE_SUBMITTED":
      return [{ kind: "queued" }];
    case "TASK_STATE_WORKING":
      return [{ kind: "working" }, ...said];
    case "TASK_STATE_INPUT_REQUIRED":
    case "TASK_STATE_AUTH_REQUIRED":
      return [...said, { kind: "wait" }];
    default:
      return [...said, { kind: "bytes" }];
  }
}

/** What a liveness entry tells of what cannot be seen from outside. Judgements (`slow`, `stalled`) prove only that somebody is there: each reader judges by itself. */
export function readLiveness(facts: LivenessFacts): readonly LivenessSignal[] {
  switch (facts.phase) {
    case "connecting":
    case "queued":
      return [{ kind: facts.phase }];
    case "prefill":
      return [{ kind: "working" }];
    case "generating":
      return ofUsage(facts.tokens);
    case "tool":
      return [{ kind: "tool-progress" }];
    case "child-working":
      return [{ kind: "child" }];
    case "retry-wait":
      return [{ kind: "retry-wait", ...(typeof facts.forMs === "number" && { forMs: facts.forMs }) }];
    case "throttled":
    case "unthrottled":
      return [{ kind: facts.phase }];
    default:
      return [{ kind: "bytes" }];
  }
}

function ofUsage(outputTokens: unknown): readonly LivenessSignal[] {
  return typeof outputTokens === "number" ? [{ kind: "usage", outputTokens }] : [{ kind: "bytes" }];
}

function hasContent(parts: readonly Part[]): boolean {
  return parts.some((part) => part.text !== "");
}
