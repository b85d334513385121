import type { ResumeState } from "../../log/log.ts";

/** What a relayed turn leaves behind: which remote task it is about. */
export interface Remote {
  readonly task: string;
  readonly context: string;
  /** `running`: our message is with the agent, so a restart follows the task. `waiting`: the agent waits for the next message. */
  readonly phase: "running" | "waiting";
  /** The id of the message that we sent last. */
  readonly sent: string;
  /** The ids of the user's messages that it stood for. */
  readonly inputs: readonly string[];
}

const VERSION = "a2a/1";

/** The state for the log. */
export function toResumeState(remote: Remote): ResumeState {
  return { version: VERSION, data: JSON.stringify(remote) };
}

/** The state of an earlier turn, or undefined when there is none of ours. It was written by `toResumeState`, so its shape is trusted. */
export function fromResumeState(state: ResumeState | undefined): Remote | undefined {
  return state?.version === VERSION ? (JSON.parse(state.data) as Remote) : undefined;
}
