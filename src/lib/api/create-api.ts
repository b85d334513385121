import type { Call } from "../a2a/operations.ts";
import type { Agent } from "../engine/agent.ts";
import { findAgent } from "../engine/agents.ts";
import type { SendBody, SendReply } from "../model/api.ts";
import { toCursor } from "../model/cursor.ts";
import { EXTENSION_URI } from "../model/entry.ts";
import { streamKey } from "../model/key.ts";
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
  return { agent: agent.id, task: sent.task.id, context: sent.task.contextId, cursor: toCursor(log.id, before?.head ?? 0) };
}
