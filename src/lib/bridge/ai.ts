import { toErrorReply } from "../api/errors.ts";
import type { Agent } from "../engine/agent.ts";
import { findAgent } from "../engine/agents.ts";
import { isTerminal } from "../model/a2a.ts";
import { IasError } from "../model/errors.ts";
import { newId } from "../model/ids.ts";
import { decodeSegment } from "../model/key.ts";
import type { Route, RouteReply, RouteRequest } from "../net/route.ts";
import { createUiEncoder, DONE, toSse, type UiMessage } from "./ai/encode.ts";
import { chatSchema, toChatRequest } from "./ai/input.ts";
import type { BridgeEvent } from "./bridge-event.ts";
import type { BridgeParts } from "./bridge-parts.ts";
import { startChat } from "./chat-message.ts";
import { type BridgeCaller, callerOf, readJson, taskLink } from "./request.ts";
import { messageIdOf, newestTask, newestTurn, readTurn, startTurn, type TaskTurn, type Turn } from "./turn.ts";

const PATH = /^\/ai\/([^/]+)(?:\/([^/]+)\/stream)?\/?$/;

const HEADERS = { "x-vercel-ai-ui-message-stream": "v1" };

/**
 * The UI message stream of the Vercel AI SDK (`ai` 7) in front of any agent: `POST /ai/{agent}` as `DefaultChatTransport` sends, `GET /ai/{agent}/{chat}/stream` to resume:
 * the newest answer from its beginning, under way or over, 204 where there is none. The chat's id is the conversation (contextId). To leave the stream cancels
 * nothing, since `stop()` and a cut look alike; `DELETE /ai/{agent}/{chat}/stream` cancels.
 */
export function createAiRoute(parts: BridgeParts): Route {
  return async (request) => {
    const path = PATH.exec(request.url.pathname);
    if (path === null) return undefined;
    try {
      const chat = path[2] === undefined ? undefined : decodeSegment(path[2]);
      const allowed = chat === undefined ? ["POST"] : ["GET", "DELETE"];
      if (!allowed.includes(request.method))
        return toErrorReply(new IasError("method-not-found", `Only ${allowed.join(" and ")} are understood here.`), {
          status: 405,
          headers: { allow: allowed.join(", ") },
        });
      const caller = await callerOf(parts, request);
      const agent = findAgent(parts.agents, caller.principal, decodeSegment(path[1] ?? ""));
      if (chat === undefined) return await post(parts, caller, agent, request);
      return await (request.method === "GET" ? resume(parts, caller, agent, chat) : cancel(parts, caller, agent, chat));
    } catch (error) {
      const known = IasError.from(error);
      if (known.code === "internal") parts.report(known);
      return toErrorReply(known);
    }
  };
}

async function post(parts: BridgeParts, caller: BridgeCaller, agent: Agent, request: RouteRequest): Promise<RouteReply> {
  const input = await readJson(parts, request, chatSchema);
  const asked = toChatRequest(input);
  if (asked.kind === "approvals") {
    const body = { parts: asked.parts, taskId: asked.task };
    const turn = await startTurn(parts, caller, agent, { ...body, messageId: messageIdOf("approval", body) });
    return stream(parts, caller, turn, asked.message);
  }
  // Another answer to the same message is another task; a repeat of the request is told from it by the trigger alone.
  const { id, parts: said, metadata, before } = asked;
  if (input.trigger !== "regenerate-message")
    return stream(parts, caller, await startChat(parts, caller, agent, input.id, { id, parts: said, before, ...(metadata !== undefined && { metadata }) }));
  const body = { parts: said, contextId: input.id, ...(metadata !== undefined && { metadata }) };
  return stream(parts, caller, await startTurn(parts, caller, agent, { ...body, messageId: messageIdOf(newId(), body) }));
}

async function resume(parts: BridgeParts, caller: BridgeCaller, agent: Agent, chat: string): Promise<RouteReply> {
  const turn = await newestTurn(parts, caller, agent, chat);
  return turn === undefined ? { kind: "whole", status: 204, headers: HEADERS, body: "" } : stream(parts, caller, turn);
}

async function cancel(parts: BridgeParts, caller: BridgeCaller, agent: Agent, chat: string): Promise<RouteReply> {
  const row = await newestTask(parts, caller, agent, chat);
  if (row !== undefined && !isTerminal(row.state)) await parts.api.cancel(caller, { task: row.key.task, agent: agent.id });
  return { kind: "whole", status: 204, headers: {}, body: "" };
}

/** `continues` is the message that the answer goes on in. */
async function stream(parts: BridgeParts, caller: BridgeCaller, turn: Turn, continues?: string): Promise<RouteReply> {
  const batches = await readTurn(parts, caller, turn, "ai");
  return { kind: "events", headers: HEADERS, events: encode(batches, toMessage(turn, continues)) };
}

async function* encode(batches: AsyncIterable<readonly BridgeEvent[]>, message: UiMessage): AsyncGenerator<string> {
  const encoder = createUiEncoder(message);
  yield encoder.begin.map(toSse).join("");
  for await (const batch of batches) {
    let text = "";
    for (const event of batch) for (const chunk of encoder.next(event)) text += toSse(chunk);
    const ended = batch.at(-1)?.kind === "end";
    if (text !== "") yield ended ? text + DONE : text;
    if (ended) return;
  }
  // A stream that merely ended would count as a whole answer; a connection that breaks off is resumed.
  throw new IasError("unavailable", "The stream ended before the answer did.", { retryable: true });
}

function toMessage(turn: Turn, continues: string | undefined): UiMessage {
  if (turn.kind === "reply") return { id: turn.message.messageId, agent: turn.agent.id, link: "" };
  const { agent, task } = turn;
  return { id: continues ?? idOf(turn), agent: agent.id, task, link: taskLink(agent.id, task) };
}

function idOf({ task, after }: TaskTurn): string {
  return after === 0 ? task : `${task}.${after}`;
}
