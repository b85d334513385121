import type { VNode } from "preact";
import type { TaskState } from "../../../src/lib/model/a2a.ts";
import { stateWords } from "../state/words.ts";

/** The colour of each state: what goes on as its phase, what has ended as what came of it. */
const COLORS: Readonly<Record<TaskState, string>> = {
  TASK_STATE_SUBMITTED: "--phase-queued",
  TASK_STATE_WORKING: "--phase-generating",
  TASK_STATE_COMPLETED: "--phase-ended",
  TASK_STATE_FAILED: "--bad",
  TASK_STATE_CANCELED: "--line-strong",
  TASK_STATE_INPUT_REQUIRED: "--phase-waiting-input",
  TASK_STATE_REJECTED: "--warn",
  TASK_STATE_AUTH_REQUIRED: "--phase-waiting-input",
};

/** A task's state, in its colour and in words. */
export function StatePill({ state }: { readonly state: TaskState }): VNode {
  return (
    <span class="pill">
      <span class="dot" style={{ "--dot": `var(${COLORS[state] ?? "--phase-ended"})` }} />
      {stateWords(state)}
    </span>
  );
}
