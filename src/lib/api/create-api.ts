import type { Call } from "../a2a/operations.ts";
import type { Agent } from "../engine/agent.ts";
import { findAgent } from "../engine/agents.ts";
import type { SendBody, SendReply } from "../model/api.ts";
import { toCursor } from "../model/cursor.ts";
import { decodeEvent, EXTENSION_URI } from "../model/entry.ts";
import { readExtension } from "../model/extension.ts";
import { type StreamKey, streamKey } from "../model/key.ts";
import type { Api, Caller } from "./api.ts";
import type { ApiParts } from "./api-parts.ts";
import { openEvents } from "./event-stream.ts";
import { openFeed } from "./feed.ts";
import { findTask, taskNotFound } from "./find-task.ts";
import { toSummary } from "./summaries.ts";

/** The API over operations and log. */
export function createApi(parts: ApiParts): Api {
  return {
    send: (caller, agent, body, options = {}) => send(parts, { ...toCall(caller, findAgent(parts.agents, caller.principal, agent)), ...options }, body),
    async cancel(caller, name) {
      const { key } = await findTask(parts, caller.principal, name);
      await parts.operations.cancelTask(toCall(caller, findAgent(parts.agents, caller.principal, key.agent)), { id: key.task });
      const row = await parts.store.index.get(key);
      if (row === undefined) throw taskNotFound(key.task);
      return toSummary(parts, row);
    },
    events: (caller, name, options) => openEvents(parts, caller, name, options),
    feed: (caller, options) => openFeed(parts, caller, options),
  };
}

/** A call of A2A by a caller of the API: of our extension, so that sending is idempotent. */
function toCall(caller: Caller, agent: Agent): Call {
  return { principal: caller.principal, agent, version: "1.0", extensions: new Set([EXTENSION_URI]), signal: caller.signal };
}

async function send(parts: ApiParts, call: Call, body: SendBody): Promise<SendReply> {
  const { log } = parts.store;
  const { agent, principal } = call;
  // A new task's stream begins with the message; of an old one the reader has what came before.
  const before = body.taskId === undefined ? undefined : await log.read(streamKey(principal, agent.id, body.taskId), { after: 0, maxBytes: 0 });
  const params = { message: { ...body, role: "ROLE_USER" }, configuration: { returnImmediately: true, historyLength: 0 } };
  const sent = await parts.operations.sendMessage(call, params);
  if ("message" in sent) return { message: sent.message };
  const after = before === undefined ? 0 : await placeBefore(parts, streamKey(principal, agent.id, sent.task.id), body.messageId, before.head);
  return { agent: agent.id, task: sent.task.id, context: sent.task.contextId, cursor: toCursor(log.id, after) };
}

/** The seq before a message that a task got: `head`, which it had just before, unless the message was sent again and stands further up. */
async function placeBefore(parts: Pick<ApiParts, "store">, key: StreamKey, messageId: string, head: number): Promise<number> {
  if ((await findInput(parts, key, messageId, head)) !== undefined) return head;
  const seq = await findInput(parts, key, messageId, 0);
  // What is gone is in the snapshot with which a stream from 0 begins.
  return seq === undefined ? 0 : seq - 1;
}

/** Where a message to a task that exists stands, looked for after an entry. */
async function findInput({ store }: Pick<ApiParts, "store">, key: StreamKey, messageId: string, from: number): Promise<number | undefined> {
  for (let after = from; ;) {
    const page = await store.log.read(key, { after });
    for (const entry of page?.entries ?? []) {
      if (entry.audience !== "internal" || !entry.event.includes('"kind":"input"')) continue;
      const data = readExtension(decodeEvent(entry));
      if (data?.kind === "input" && data.message.messageId === messageId) return entry.seq;
    }
    const last = page?.entries.at(-1)?.seq;
    if (page === undefined || last === undefined || last >= page.head) return undefined;
    after = last;
  }
}
