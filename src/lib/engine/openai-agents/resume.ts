import type { ResumeState } from "../../log/log.ts";
import { IasError } from "../../model/errors.ts";
import type { AgentEvent, Turn } from "../engine.ts";
import { decisionOn, question, readDecisions, toApproval } from "./approvals.ts";
import { toInput } from "./input.ts";
import { contextOf, type OpenAIAgentsOptions } from "./options.ts";
import type { Sdk, SdkAgent } from "./sdk.ts";
import { REJECTED } from "./translate.ts";

const STATE_VERSION = "openai-agents/1";

/** The state of a run that waits, as the next turn takes it up. */
export function toState(run: { toString(): string }): ResumeState {
  return { version: STATE_VERSION, data: run.toString() };
}

/** What the SDK runs, and the events that come before; or, when nothing was decided about the waiting calls, the question again. */
export type Start = { readonly input: unknown; readonly first: readonly AgentEvent[] } | { readonly ask: readonly AgentEvent[] };

/** How a turn starts: from the conversation, or from a run that waits and the user's decisions on its calls. */
export async function prepare(sdk: Sdk, agent: SdkAgent, turn: Turn, options: OpenAIAgentsOptions): Promise<Start> {
  if (turn.state === undefined) return { input: await toInput(turn), first: [] };
  const state = await restore(sdk, agent, turn, turn.state, options);
  const decisions = readDecisions(turn.input);
  const waiting = state.getInterruptions().map((interruption) => ({ interruption, approval: toApproval(interruption) }));
  const decided = waiting.flatMap((one) => {
    const decision = decisionOn(decisions, one.approval.call);
    return decision === undefined ? [] : [{ ...one, decision }];
  });
  if (decided.length === 0 && waiting.length > 0) {
    const approvals = waiting.map(({ approval }) => approval);
    return { ask: [{ kind: "interrupt", reason: "input", message: [{ text: question(approvals, true) }], approvals, state: turn.state }] };
  }
  const first: AgentEvent[] = [];
  for (const { interruption, approval, decision } of decided) {
    if (decision.approve) {
      state.approve(interruption);
      const idempotent = options.idempotentTools?.includes(approval.name) === true;
      first.push({ kind: "tool-call", ...approval, ...(idempotent && { idempotent }) });
    } else {
      state.reject(interruption, {
        message: decision.reason === undefined ? `${REJECTED}.` : `${REJECTED}: ${decision.reason}`,
      });
    }
  }
  return { input: state, first };
}

async function restore(sdk: Sdk, agent: SdkAgent, turn: Turn, saved: ResumeState, options: OpenAIAgentsOptions) {
  if (saved.version !== STATE_VERSION) {
    throw new IasError("corrupt", `The task's state has the form "${saved.version}"; this engine reads "${STATE_VERSION}". Was the agent's engine exchanged?`);
  }
  try {
    const context = new sdk.RunContext(contextOf(turn, options));
    return await sdk.RunState.fromStringWithContext(agent as never, saved.data, context, { contextStrategy: "merge" });
  } catch (error) {
    throw new IasError("corrupt", "The Agents SDK cannot read the task's state: the agent's team or the SDK's version has changed since it was kept.", {
      cause: error,
    });
  }
}
