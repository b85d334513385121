import { isTerminal, type Part, type StreamResponse, type TaskState } from "../model/a2a.ts";
import { readExtension } from "../model/extension.ts";
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
    case undefined:
    case "failure":
      return ofState(event.statusUpdate.status.state, event.statusUpdate.status.message?.parts);
    case "reasoning":
      return [data.path === undefined ? { kind: "content" } : { kind: "child" }];
    case "text":
      return [{ kind: "child" }];
    case "tool-call":
      return [data.path === undefined ? { kind: "tool-start", call: data.call } : { kind: "child" }];
    case "tool-result":
      return [data.path === undefined ? { kind: "tool-end", call: data.call } : { kind: "child" }];
    case "delegation":
      return [{ kind: "child" }];
    case "usage":
      return [{ kind: "bytes" }];
    case "liveness":
      return ofPhase(data.phase, data);
    case "input":
    case "turn":
    case "checkpoint":
    case "reply":
    case "cancel":
    case "attempt":
    case "note":
      return [{ kind: "bytes" }];
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

/** The phases that only the owner of a turn knows; the others are seen from what comes. */
function ofPhase(phase: string, facts: Readonly<Record<string, unknown>>): readonly LivenessSignal[] {
  const forMs = facts["forMs"];
  switch (phase) {
    case "connecting":
      return [{ kind: "connecting" }];
    case "prefill":
      return [{ kind: "working" }];
    case "retry-wait":
      return [{ kind: "retry-wait", ...(typeof forMs === "number" && { forMs }) }];
    case "throttled":
      return [{ kind: "throttled" }];
    case "unthrottled":
      return [{ kind: "unthrottled" }];
    default:
      return [{ kind: "bytes" }];
  }
}

function hasContent(parts: readonly Part[]): boolean {
  return parts.some((part) => part.text !== "");
}
