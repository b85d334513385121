import type { Phase } from "../../../src/lib/liveness/liveness.ts";
import type { TaskState } from "../../../src/lib/model/a2a.ts";

const STATES: Readonly<Record<TaskState, string>> = {
  TASK_STATE_SUBMITTED: "Submitted",
  TASK_STATE_WORKING: "Working",
  TASK_STATE_COMPLETED: "Completed",
  TASK_STATE_FAILED: "Failed",
  TASK_STATE_CANCELED: "Canceled",
  TASK_STATE_INPUT_REQUIRED: "Input required",
  TASK_STATE_REJECTED: "Rejected",
  TASK_STATE_AUTH_REQUIRED: "Authentication required",
};

/** All states, in the order of a task's life. */
export const ALL_STATES = Object.keys(STATES) as readonly TaskState[];

/** A state in words. */
export function stateWords(state: TaskState | undefined): string {
  return state === undefined ? "" : (STATES[state] ?? state);
}

/** A state in lower case, in the middle of a sentence: `input required`. A file may have states that are none. */
export function stateName(state: string): string {
  return state.replace("TASK_STATE_", "").toLowerCase().replaceAll("_", " ");
}

const PHASES: Readonly<Record<Phase, string>> = {
  queued: "queued",
  connecting: "connecting",
  prefill: "reading the prompt",
  generating: "generating",
  tool: "using a tool",
  "child-working": "another agent works",
  "waiting-input": "waiting for you",
  "retry-wait": "waiting for a rate limit",
  throttled: "held up by us",
  slow: "slow",
  stalled: "stalled",
  ended: "ended",
};

/** A phase in words. */
export function phaseWords(phase: Phase): string {
  return PHASES[phase];
}

/** How long ago, or when, in few words. `now` and `at` are ms since the epoch. */
export function whenWords(at: number, now: number): string {
  const seconds = Math.max(0, (now - at) / 1000);
  if (seconds < 5) return "just now";
  if (seconds < 60) return `${Math.round(seconds)} s ago`;
  if (seconds < 3600) return `${Math.round(seconds / 60)} min ago`;
  if (seconds < 86_400) return `${Math.round(seconds / 3600)} h ago`;
  return new Date(at).toLocaleDateString(undefined, { year: "numeric", month: "short", day: "numeric" });
}

/** A number of things: `1 token`, `2 tokens`. */
export function countWords(count: number, one: string, many = `${one}s`): string {
  return `${count} ${count === 1 ? one : many}`;
}

/** Bytes in words. */
export function sizeWords(bytes: number): string {
  if (bytes < 1024) return `${bytes} B`;
  if (bytes < 1024 * 1024) return `${(bytes / 1024).toFixed(0)} KiB`;
  return `${(bytes / 1024 / 1024).toFixed(1)} MiB`;
}

/** JSON in lines, anything else as it is. */
export function pretty(text: string): string {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" ? JSON.stringify(value, undefined, 2) : text;
  } catch {
    return text;
  }
}
