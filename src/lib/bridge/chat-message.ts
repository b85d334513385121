import type { Agent } from "../engine/agent.ts";
import { isInterrupted, type JsonObject, type Part } from "../model/a2a.ts";
import type { BridgeParts } from "./bridge-parts.ts";
import { type SaidMessage, toLead } from "./history.ts";
import type { BridgeCaller } from "./request.ts";
import { waitingCalls } from "./translate.ts";
import { messageIdOf, newestTask, startTurn, type Turn } from "./turn.ts";

/** A message of a conversation that a frontend shows. */
export interface ChatMessage {
  /** The frontend's own. */
  readonly id: string;
  readonly parts: readonly Part[];
  readonly metadata?: JsonObject;
  /** What the frontend has of the conversation before it. */
  readonly before: readonly SaidMessage[];
}

/**
 * Puts a message of a conversation into the log. It goes to the conversation's newest task where that waits for an answer in words, or for its user to authorise something; where
 * calls wait for an approval, other words begin a task beside it. The same message again attaches to its turn. A conversation of which the log has nothing (it took place
 * elsewhere, or with another agent) comes along as text.
 */
export async function startChat(parts: BridgeParts, caller: BridgeCaller, agent: Agent, contextId: string, message: ChatMessage): Promise<Turn> {
  const { id, metadata, before } = message;
  const body = { parts: message.parts, contextId, ...(metadata !== undefined && { metadata }) };
  const lead = toLead(before);
  const whole = { ...body, parts: [...lead, ...message.parts] };
  const wholeId = messageIdOf(id, whole);
  const known = await newestOf(parts, caller, agent, contextId);
  // With the lead also where that was sent so: a repeat must be the same.
  if (known === undefined || (lead.length > 0 && known.first === wholeId)) return startTurn(parts, caller, agent, { ...whole, messageId: wholeId });
  const messageId = messageIdOf(id, body);
  const goesOn = known.first !== messageId && (known.waits || known.later.includes(messageId));
  return startTurn(parts, caller, agent, { ...body, messageId, ...(goesOn && { taskId: known.task }) });
}

interface Newest {
  readonly task: string;
  /** It waits for words. */
  readonly waits: boolean;
  /** The message that made it, and those that came to it. */
  readonly first: string | undefined;
  readonly later: readonly string[];
}

async function newestOf(parts: BridgeParts, caller: BridgeCaller, agent: Agent, context: string): Promise<Newest | undefined> {
  const row = await newestTask(parts, caller, agent, context);
  if (row === undefined) return undefined;
  return parts.views.with(row.key, ({ fold, ledger }) => {
    const inputs = [...ledger.turns().flatMap((turn) => turn.inputs), ...ledger.unread().map((input) => input.message)];
    const [first, ...later] = inputs.map(({ messageId }) => messageId);
    return { task: row.key.task, waits: isInterrupted(row.state) && waitingCalls(fold.status?.message).length === 0, first, later };
  });
}
