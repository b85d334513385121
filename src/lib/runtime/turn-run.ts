import type { Agent } from "../engine/agent.ts";
import type { ResumeState } from "../log/log.ts";
import type { ListedTask } from "../log/task-index.ts";
import type { TaskView } from "../task/view.ts";
import type { TurnParts } from "./parts.ts";
import type { Scribe } from "./scribe.ts";
import type { TurnWriter } from "./turn-writer.ts";

/** Everything that belongs to one turn while it runs. */
export interface TurnRun {
  readonly parts: TurnParts;
  readonly agent: Agent;
  readonly row: ListedTask;
  readonly epoch: number;
  readonly view: TaskView;
  readonly writer: TurnWriter;
  readonly scribe: Scribe;
  readonly start: TurnStart;
}

/** How a turn starts. */
export interface TurnStart {
  /** From 1; more after a crash. */
  readonly attempt: number;
  /** The turn began before and its owner died. */
  readonly restart: boolean;
  readonly resume: ResumeState | undefined;
}

/** What a turn came to: the task rests, or the next turn starts at once, with the state that this one left. */
export type Outcome = "rest" | { readonly next: ResumeState | undefined };

/** How a turn ends, given whether inputs came in meanwhile: decided in the very tick in which the end is written. */
export type Ending = (unread: boolean) => Outcome;
