import type { Agent } from "../engine/agent.ts";
import { agentsFor, isOpenTo } from "../engine/agents.ts";
import { isInterrupted, type JsonObject } from "../model/a2a.ts";
import { IasError } from "../model/errors.ts";
import { newId } from "../model/ids.ts";
import { decodeSegment, streamKey } from "../model/key.ts";
import type { Route, RouteReply, RouteRequest } from "../net/route.ts";
import type { BridgeEvent } from "./bridge-event.ts";
import type { BridgeParts } from "./bridge-parts.ts";
import { bounded, untilAuth, waitsForAuth } from "./openai/bound.ts";
import { chatCompletionSchema, createChatEncoder, type CompletionFacts, toChatParts, toCompletion } from "./openai/chat.ts";
import { toEndError, toOpenAiReply, unsupported } from "./openai/errors.ts";
import { missing } from "./openai/missing.ts";
import { createResponseEncoder, type ResponseEncoder, type ResponseFacts, toSse } from "./openai/response.ts";
import { readResponseId, responseId, responseSchema, toResponseParts } from "./openai/response-input.ts";
import { deleteTask, keepingOf, storingOf } from "./openai/storing.ts";
import { type BridgeCaller, callerOf, readJson, taskLink } from "./request.ts";
import { firstMessage, messageIdOf, readSoFar, readTurn, startTurn, type TaskTurn, type Turn, turnAt } from "./turn.ts";

/**
 * OpenAI's HTTP API in front of any agent: `model` names it. `GET /v1/models`, `POST /v1/chat/completions` (stateless: each request is a task of its own, with the
 * conversation that it brings as text), `POST /v1/responses` (`previous_response_id` goes on in the conversation), `GET /v1/responses/{id}` (also as a stream from
 * `starting_after`), `DELETE`, `POST /v1/responses/{id}/cancel`. To leave cancels nothing. `Idempotency-Key` makes a repeat attach. Errors are OpenAI's.
 */
export function createOpenAiRoute(parts: BridgeParts): Route {
  return async (request) => {
    if (!request.url.pathname.startsWith("/v1/")) return undefined;
    try {
      return await answer(parts, request, request.url.pathname.slice("/v1/".length).split("/").map(decodeSegment));
    } catch (error) {
      const known = IasError.from(error);
      if (known.code === "internal") parts.report(known);
      return toOpenAiReply(known, known.code === "method-not-found" ? { status: 405 } : {});
    }
  };
}

async function answer(parts: BridgeParts, request: RouteRequest, [noun = "", id, verb]: readonly string[]): Promise<RouteReply | undefined> {
  const caller = await callerOf(parts, request);
  const asked = `${request.method} ${noun}${id === undefined ? "" : noun === "chat" ? `/${id}` : "/{id}"}${verb === undefined ? "" : `/${verb}`}`;
  switch (asked) {
    case "GET models":
      return json({ object: "list", data: agentsFor(parts.agents, caller.principal).map(toModel) });
    case "GET models/{id}":
      return json(toModel(modelOf(parts, caller, id ?? "")));
    case "POST chat/completions":
      return chat(parts, caller, request);
    case "POST responses":
      return respond(parts, caller, request);
    case "GET responses/{id}":
      return retrieve(parts, caller, await findResponse(parts, caller, id ?? ""), request.url.searchParams);
    case "DELETE responses/{id}": {
      await deleteTask(parts, caller, await findResponse(parts, caller, id ?? ""));
      return json({ id: id ?? "", object: "response", deleted: true });
    }
    case "POST responses/{id}/cancel": {
      const turn = await findResponse(parts, caller, id ?? "");
      await parts.api.cancel(caller, { task: turn.task, agent: turn.agent.id });
      return retrieve(parts, caller, turn, new URLSearchParams());
    }
    default:
      throw missing(request.method, request.url.pathname.slice("/v1/".length));
  }
}

async function chat(parts: BridgeParts, caller: BridgeCaller, request: RouteRequest): Promise<RouteReply> {
  const input = await readJson(parts, request, chatCompletionSchema);
  const agent = modelOf(parts, caller, input.model);
  const body = { parts: toChatParts(input) };
  const keeping = await keepingOf(parts, caller, agent, input);
  const turn = await startTurn(parts, caller, agent, { ...body, messageId: keyOf(request, body) }, keeping);
  const facts: CompletionFacts = { ...factsOf(parts, turn), id: `chatcmpl-${turn.kind === "task" ? turn.task : turn.message.messageId}` };
  const batches = await readTurn(parts, caller, turn, "openai");
  if (input.stream !== true) {
    const { body: told, failed } = await toCompletion(facts, bounded(batches, parts.limits.maxInlineBytes, facts.link));
    // The message was taken: the same again would be another task.
    return json(told, failed ? { status: 500, headers: { "x-should-retry": "false" } } : {});
  }
  const encoder = createChatEncoder(facts, { usage: input.stream_options?.include_usage === true });
  return { kind: "events", headers: {}, events: encode(batches, { begin: encoder.begin, next: encoder.next, cut: encoder.cut }) };
}

async function respond(parts: BridgeParts, caller: BridgeCaller, request: RouteRequest): Promise<RouteReply> {
  const input = await readJson(parts, request, responseSchema);
  const agent = modelOf(parts, caller, input.model);
  const { parts: said, approves } = toResponseParts(input);
  const place = await placeOf(parts, caller, agent, input, approves);
  const given = input.metadata === undefined || input.metadata === null ? {} : { metadata: { ...input.metadata } };
  const body = { parts: said, ...place, ...given };
  const keeping = await keepingOf(parts, caller, agent, { store: input.store, task: place.taskId });
  const turn = await startTurn(parts, caller, agent, { ...body, messageId: keyOf(request, body) }, keeping);
  const previous = input.previous_response_id ?? undefined;
  const stored = input.store !== false;
  const facts: ResponseFacts = {
    ...responseFacts(parts, turn),
    background: input.background === true,
    stored,
    ...given,
    ...(previous !== undefined && { previous }),
  };
  if (input.stream !== true && input.background === true) return json(createResponseEncoder(facts).response());
  const batches = bounded(await readTurn(parts, caller, turn, "openai"), parts.limits.maxInlineBytes, facts.link);
  return input.stream === true ? streamed(batches, facts, -1) : collected(batches, facts);
}

/** Which conversation, or which waiting task, a response goes on with. */
async function placeOf(
  parts: BridgeParts,
  caller: BridgeCaller,
  agent: Agent,
  { previous_response_id: previous, conversation }: { readonly previous_response_id?: string | null | undefined; readonly conversation?: unknown },
  approves: boolean,
): Promise<{ readonly contextId?: string; readonly taskId?: string }> {
  if (previous === undefined || previous === null) {
    if (approves) throw unsupported("previous_response_id", "previous_response_id must name the response whose approval requests are answered.");
    const id = typeof conversation === "object" && conversation !== null && "id" in conversation ? conversation.id : conversation;
    return typeof id === "string" ? { contextId: id } : {};
  }
  const turn = await findResponse(parts, caller, previous, "previous_response_id");
  if (turn.agent.id !== agent.id) throw unsupported("previous_response_id", `previous_response_id is of the model ${turn.agent.id}, not of ${agent.id}.`);
  const row = await parts.store.index.get(streamKey(caller.principal, agent.id, turn.task));
  return approves || (row !== undefined && isInterrupted(row.state)) ? { taskId: turn.task } : { contextId: turn.context };
}

/** The turn that a response is of. Throws `not-found`. */
async function findResponse(parts: BridgeParts, caller: BridgeCaller, id: string, param = "response_id"): Promise<TaskTurn> {
  const named = readResponseId(id);
  for (const agent of named === undefined ? [] : agentsFor(parts.agents, caller.principal)) {
    const turn = await turnAt(parts, caller, agent, named?.task ?? "", named?.after ?? 0);
    if (turn !== undefined && (await storingOf(parts, caller, agent, turn.task)) !== "deleted") return turn;
  }
  const message = `There is no response ${JSON.stringify(id.slice(0, 100))} here.`;
  throw new IasError("not-found", message, { fields: [{ field: param, description: message }] });
}

async function retrieve(parts: BridgeParts, caller: BridgeCaller, turn: TaskTurn, query: URLSearchParams): Promise<RouteReply> {
  const stored = (await storingOf(parts, caller, turn.agent, turn.task)) === "kept";
  const metadata = (await firstMessage(parts, caller, turn))?.metadata;
  const facts = { ...responseFacts(parts, turn), background: false, stored, ...(metadata !== undefined && { metadata }) };
  const after = Number(query.get("starting_after") ?? -1);
  if (!Number.isInteger(after)) throw unsupported("starting_after", "starting_after must be the sequence_number of an event, a whole number.");
  const { maxInlineBytes } = parts.limits;
  if (query.get("stream") === "true") return streamed(bounded(await readTurn(parts, caller, turn, "openai"), maxInlineBytes, facts.link), facts, after);
  return collected(bounded(readSoFar(parts, caller, turn), maxInlineBytes, facts.link), facts, "present");
}

/** The whole response as it stands, or at the turn's end: also where its user must authorise something, in progress then. */
async function collected(batches: AsyncIterable<readonly BridgeEvent[]>, facts: ResponseFacts, which: "end" | "present" = "end"): Promise<RouteReply> {
  const encoder = createResponseEncoder(facts);
  encoder.begin();
  let ended = false;
  for await (const batch of which === "end" ? untilAuth(batches) : batches) {
    for (const event of batch) encoder.next(event);
    ended = batch.at(-1)?.kind === "end" || waitsForAuth(batch);
  }
  if (!ended && which === "end") throw new IasError("unavailable", toEndError(undefined, facts.link)?.message ?? "", { retryable: false });
  return json(encoder.response());
}

function streamed(batches: AsyncIterable<readonly BridgeEvent[]>, facts: ResponseFacts, after: number): RouteReply {
  const encoder = createResponseEncoder(facts);
  const tell = (events: ReturnType<ResponseEncoder["next"]>): string => events.map((event) => (event.sequence_number > after ? toSse(event) : "")).join("");
  const cut = (): string => `event: error\ndata: ${JSON.stringify({ ...toEndError(undefined, facts.link), type: "error" })}\n\n`;
  return { kind: "events", headers: {}, events: encode(batches, { begin: tell(encoder.begin()), next: (event) => tell(encoder.next(event)), cut }) };
}

/** Text of a stream: of each batch of events its own, and what to say where it is cut. */
async function* encode(
  batches: AsyncIterable<readonly BridgeEvent[]>,
  { begin, next, cut }: { readonly begin: string; readonly next: (event: BridgeEvent) => string; readonly cut: () => string },
): AsyncGenerator<string> {
  if (begin !== "") yield begin;
  for await (const batch of batches) {
    const text = batch.map(next).join("");
    if (text !== "") yield text;
    if (batch.at(-1)?.kind === "end") return;
  }
  yield cut();
}

function factsOf({ now }: BridgeParts, turn: Turn): Omit<CompletionFacts, "id"> {
  const model = turn.agent.id;
  if (turn.kind === "reply") return { model, created: Math.floor(now() / 1000), link: "" };
  return { model, created: Math.floor(turn.createdAt / 1000), task: turn.task, link: taskLink(model, turn.task) };
}

function responseFacts(parts: BridgeParts, turn: Turn): Omit<ResponseFacts, "background" | "stored"> {
  const facts = factsOf(parts, turn);
  return turn.kind === "reply"
    ? { ...facts, id: `resp_${turn.message.messageId}` }
    : { ...facts, id: responseId(turn.task, turn.after), context: turn.context };
}

/** With an Idempotency-Key a repeated request attaches to the first one's task; else each is its own. */
function keyOf(request: RouteRequest, body: Parameters<typeof messageIdOf>[1]): string {
  const key = request.header("idempotency-key");
  return key === undefined || key === "" ? newId() : messageIdOf(key, body);
}

function modelOf(parts: BridgeParts, { principal }: BridgeCaller, id: string): Agent {
  const agent = parts.agents.get(id);
  if (agent !== undefined && isOpenTo(agent, principal)) return agent;
  const some = agentsFor(parts.agents, principal).slice(0, 10);
  const message = `The model ${JSON.stringify(id.slice(0, 64))} does not exist: name one of this server's agents, ${some.map((each) => each.id).join(", ")}.`;
  throw new IasError("not-found", message, { reason: "MODEL_NOT_FOUND", fields: [{ field: "model", description: message }] });
}

function toModel({ id, provider }: Agent): JsonObject {
  return { id, object: "model", created: 0, owned_by: provider?.organization ?? "infinite-agent-streams" };
}

function json(body: JsonObject, options: { readonly status?: number; readonly headers?: Readonly<Record<string, string>> } = {}): RouteReply {
  const headers = { "content-type": "application/json", "cache-control": "no-store", ...options.headers };
  return { kind: "whole", status: options.status ?? 200, headers, body: JSON.stringify(body) };
}
