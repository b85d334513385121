import { toErrorReply } from "../api/errors.ts";
import type { Agent } from "../engine/agent.ts";
import { findAgent } from "../engine/agents.ts";
import { IasError } from "../model/errors.ts";
import { decodeSegment } from "../model/key.ts";
import type { Route, RouteReply } from "../net/route.ts";
import type { BridgeParts } from "./bridge-parts.ts";
import { type AguiEvent, type AguiRun, createAguiEncoder, runCut, runStarted, toSse } from "./agui/encode.ts";
import { inputSchema, type RunInput, toRunRequest } from "./agui/input.ts";
import { startChat } from "./chat-message.ts";
import { type BridgeCaller, callerOf, readJson, taskLink } from "./request.ts";
import { readTurn, startTurn } from "./turn.ts";

const PATH = /^\/agui\/([^/]+)\/?$/;

/**
 * AG-UI 1.0 in front of any agent: `POST /agui/{agent}` takes a `RunAgentInput` and answers with its events as SSE. The thread is the conversation (contextId);
 * the newest user message starts a task there or answers one that waits for words, `resume` answers interrupts. To leave the stream cancels nothing; the same run again attaches.
 * An error before the stream has the form of the API's errors; in the stream it is RUN_ERROR.
 */
export function createAguiRoute(parts: BridgeParts): Route {
  return async (request) => {
    const path = PATH.exec(request.url.pathname);
    if (path === null) return undefined;
    try {
      if (request.method !== "POST") throw new IasError("method-not-found", "POST a RunAgentInput of AG-UI here.");
      const caller = await callerOf(parts, request);
      const agent = findAgent(parts.agents, caller.principal, decodeSegment(path[1] ?? ""));
      return await run(parts, caller, agent, await readJson(parts, request, inputSchema));
    } catch (error) {
      const known = IasError.from(error);
      if (known.code === "internal") parts.report(known);
      return toErrorReply(known, known.code === "method-not-found" ? { status: 405, headers: { allow: "POST" } } : {});
    }
  };
}

async function run(parts: BridgeParts, caller: BridgeCaller, agent: Agent, input: RunInput): Promise<RouteReply> {
  const asked = toRunRequest(input);
  if (asked.kind === "cancel") {
    await parts.api.cancel(caller, { task: asked.task, agent: agent.id });
    const told = toRun(input, agent, { task: asked.task, after: 0 });
    const events = [runStarted(told), ...createAguiEncoder(told)({ kind: "end", end: { outcome: "canceled" } })];
    return {
      kind: "events",
      headers: {},
      events: (async function* () {
        yield events.map(toSse).join("");
      })(),
    };
  }
  const turn = await (asked.kind === "message" ? startChat(parts, caller, agent, input.threadId, asked) : startTurn(parts, caller, agent, asked.body));
  const told = toRun(input, agent, turn.kind === "task" ? turn : undefined);
  const batches = await readTurn(parts, caller, turn, "agui");
  return { kind: "events", headers: {}, events: encode(batches, told, [runStarted(told), ...rewind(input, told), ...warnings(input)]) };
}

async function* encode(batches: Awaited<ReturnType<typeof readTurn>>, run: AguiRun, first: readonly AguiEvent[]): AsyncGenerator<string> {
  const encoder = createAguiEncoder(run);
  yield first.map(toSse).join("");
  for await (const batch of batches) {
    let text = "";
    for (const event of batch) for (const told of encoder(event)) text += toSse(told);
    if (text !== "") yield text;
    if (batch.at(-1)?.kind === "end") return;
  }
  yield toSse(runCut(run));
}

function toRun({ threadId, runId }: RunInput, agent: Agent, turn: { readonly task: string; readonly after: number } | undefined): AguiRun {
  if (turn === undefined) return { threadId, runId, prefix: runId, link: "" };
  return { threadId, runId, task: turn.task, prefix: `${turn.task}.${turn.after}`, link: taskLink(agent.id, turn.task) };
}

/** What of a run is not done, so that nobody waits for it: an A2A agent calls tools of its own. */
function warnings({ tools }: RunInput): readonly AguiEvent[] {
  if (tools.length === 0) return [];
  const names = tools.map(({ name }) => name);
  const message = `The tools that the frontend defines (${names.join(", ").slice(0, 200)}) are not called: behind this endpoint is an agent with tools of its own.`;
  return [{ type: "CUSTOM", name: "warning", value: { code: "TOOLS_NOT_CALLED", message, tools: names } }];
}

/**
 * What the frontend has of this answer already, where it attaches to it: it is told to drop that, since the answer comes whole. Reasoning is emptied and not left
 * out, because clients keep reasoning that a snapshot does not name.
 */
function rewind({ messages }: RunInput, { prefix }: AguiRun): readonly AguiEvent[] {
  const isOwn = ({ id }: RunInput["messages"][number]): boolean => id.startsWith(`${prefix}.`);
  if (!messages.some(isOwn)) return [];
  const kept = messages.flatMap((message) => (isOwn(message) ? (message.role === "reasoning" ? [{ ...message, content: "" }] : []) : [message]));
  return [{ type: "MESSAGES_SNAPSHOT", messages: kept } as AguiEvent];
}
