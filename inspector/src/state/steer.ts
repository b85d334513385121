import type { Message, Part } from "../../../src/lib/model/a2a.ts";
import type { SendReply } from "../../../src/lib/model/api.ts";
import { IasError } from "../../../src/lib/model/errors.ts";
import { newId } from "../../../src/lib/browser/words.ts";
import { callApi } from "./call.ts";

/** Where a message goes: to a task that waits for it, into a conversation, or neither. */
export interface Goal {
  readonly taskId: string | undefined;
  readonly contextId: string | undefined;
}

/** A message of the person who looks at the page. */
export function messageFrom(parts: readonly Part[]): Message {
  return { messageId: newId(), role: "ROLE_USER", parts };
}

/** Sends a message. The same messageId is taken once, so that a lost answer is no reason to lose or repeat what was said. Throws `IasError`. */
export async function sendMessage(agent: string, { messageId, parts }: Message, { taskId, contextId }: Goal): Promise<SendReply> {
  const body = { messageId, parts, ...(taskId !== undefined && { taskId }), ...(contextId !== undefined && { contextId }) };
  const post = () => callApi<SendReply>(`/api/agents/${encodeURIComponent(agent)}/messages`, { method: "POST", body });
  return post().catch((error: unknown) => {
    if (error instanceof IasError && error.code === "unavailable" && error.retryable) return post();
    throw error;
  });
}

/** Cancels a task. Throws `IasError`. */
export async function cancelTask(agent: string, task: string): Promise<void> {
  await callApi(`/api/tasks/${encodeURIComponent(task)}/cancel`, { method: "POST", query: { agent } });
}

/** Lets a tool call that waits for a person go on, or not. Throws `IasError`. */
export async function decideCall(agent: string, task: string, call: string, approve: boolean): Promise<void> {
  const body = { call, approve, messageId: newId() };
  await callApi(`/api/tasks/${encodeURIComponent(task)}/approvals`, { method: "POST", query: { agent }, body });
}
