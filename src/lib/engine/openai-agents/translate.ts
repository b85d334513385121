import type { AgentEvent } from "../engine.ts";
import { messageText, modelName, reasoningDelta, reasoningText, refusalDelta, toUsage } from "./deltas.ts";
import { fields, list, text, type SdkAgent, type SdkRunEvent, type SdkStreamEvent } from "./sdk.ts";

/** What all runs of one turn (the agent's own, and those of its children) share. */
export interface TurnFacts {
  readonly emit: (event: AgentEvent) => void;
  /** Of a tool call: the path of the agent that made it. */
  readonly callPaths: Map<string, readonly string[]>;
  /** Calls whose result was told, by path and id: an id is unique in one run only. */
  readonly answered: Set<string>;
  /** The model of agents that name none, where an answer does not say it; or "". */
  readonly model: string;
  readonly isIdempotent: (tool: string) => boolean;
  /** The names under which `agent` can hand off. */
  readonly handoffNames: (agent: SdkAgent) => ReadonlySet<string>;
  /** The artifact of the n-th message of the answer, from 1; undefined is the turn's own. */
  readonly artifactOf: (n: number) => string | undefined;
  /** The artifact of a structured output. */
  readonly dataArtifact: string;
}

/** Turns the events of one run into agent events, as they come. */
export interface Translator {
  on(event: SdkRunEvent): void;
  /** The agent that speaks now. */
  agent(): SdkAgent;
  /** Whether the last model response had text: what the run ends with was streamed. */
  spoke(): boolean;
  /** How many messages of the answer there were. */
  messages(): number;
  /** The refusal that the model gave, or "". */
  refusal(): string;
}

/** @param parent the path of the agent that called this run's agent as a tool; absent for the turn's own run. */
export function createTranslator(start: SdkAgent, facts: TurnFacts, parent?: readonly string[]): Translator {
  const { emit, callPaths } = facts;
  let agent = start;
  let spoke = false;
  let reasoned = false;
  let refusal = "";
  let messages = 0;
  let item: string | undefined;
  let model = "";

  const path = (): readonly string[] | undefined => (parent === undefined ? undefined : [...parent, agent.name]);
  const at = (): { readonly path?: readonly string[] } => {
    const names = path();
    return names === undefined ? {} : { path: names };
  };

  const say = (piece: string, itemId?: string): void => {
    if (piece === "") return;
    if (!spoke || (itemId !== undefined && item !== undefined && itemId !== item)) messages += 1;
    spoke = true;
    item = itemId ?? item;
    if (agent.outputType !== "text") emit({ kind: "note", name: "output-delta", value: piece, ...at() });
    else if (parent !== undefined) emit({ kind: "text", text: piece, ...at() });
    else emit(answer(facts, messages, piece));
  };

  const onModel = (event: SdkStreamEvent): void => {
    switch (event.type) {
      case "response_started":
        spoke = false;
        reasoned = false;
        item = undefined;
        refusal = "";
        return;
      case "output_text_delta":
        return say(event.delta, event.itemId);
      case "model": {
        const reasoning = reasoningDelta(event.event);
        if (reasoning !== "") {
          reasoned = true;
          emit({ kind: "reasoning", text: reasoning, ...at() });
        }
        refusal += refusalDelta(event.event);
        model = modelName(event.event) || model;
        return;
      }
      case "response_done":
        return onResponse(event.response);
      default: // other providers' own events
    }
  };

  const onResponse = (response: { readonly usage: unknown; readonly output: readonly unknown[] }): void => {
    const streamed = spoke;
    const handoffs = facts.handoffNames(agent);
    for (const output of response.output) {
      const one = fields(output);
      if (one["type"] === "message" && !streamed) say(messageText(one), text(one["id"]) || undefined);
      else if (one["type"] === "reasoning" && !reasoned && reasoningText(one) !== "") emit({ kind: "reasoning", text: reasoningText(one), ...at() });
      else if (isCall(one) && !handoffs.has(text(one["name"]))) onCall(one);
    }
    const usage = toUsage(response.usage, model || (typeof agent.model === "string" && agent.model !== "" ? agent.model : facts.model));
    if (usage !== undefined) emit({ kind: "usage", usage, ...at() });
  };

  // A call is told when the model made it, not when the SDK runs it: the gate then holds the run until the consumer has taken it, so a
  // tool never starts before its `tool-call` was handed on (SEMANTICS 19).
  const onCall = (one: Readonly<Record<string, unknown>>): void => {
    const call = text(one["callId"]) || text(one["id"]) || crypto.randomUUID();
    const name = text(one["name"]) || text(one["type"]).replace(/_call$/, "");
    callPaths.set(call, path() ?? []);
    const idempotent = facts.isIdempotent(name) || isAgentTool(agent, name) || READING.has(name);
    emit({ kind: "tool-call", call, name, arguments: argumentsOf(one), ...(idempotent && { idempotent }), ...at() });
    if (one["type"] === "hosted_tool_call") onHostedResult(one, call, name);
  };

  // The provider ran a hosted tool itself, before the response ended.
  const onHostedResult = (one: Readonly<Record<string, unknown>>, call: string, name: string): void => {
    const output = text(one["output"]);
    const image = name === "image_generation_call" && output !== "";
    if (image)
      emit({ kind: "artifact", artifact: { artifactId: `image-${call}`, parts: [{ raw: output, mediaType: imageType(one) }] }, lastChunk: true, ...at() });
    emit({ kind: "tool-result", call, name, output: image ? `artifact image-${call}` : output, ...at() });
  };

  return {
    on(event) {
      if (event.type === "raw_model_stream_event") return onModel(event.data);
      if (event.type === "agent_updated_stream_event") {
        const from = agent.name;
        emit({ kind: "delegation", from, to: event.agent.name, via: "handoff", ...at() });
        agent = event.agent;
        return;
      }
      if (event.name !== "tool_output") return;
      const raw = fields(event.item.rawItem);
      emitResult(facts, text(raw["callId"]), text(raw["name"]) || text(raw["type"]).replace(/_call_(output|result)$/, ""), event.item.output, at());
    },
    agent: () => agent,
    spoke: () => spoke,
    messages: () => messages,
    refusal: () => refusal,
  };
}

/** A piece of the n-th message of the answer. */
export function answer(facts: TurnFacts, n: number, text: string): AgentEvent {
  const artifact = facts.artifactOf(n);
  return artifact === undefined ? { kind: "text", text } : { kind: "text", text, artifact };
}

/** Tells a tool's result, once. */
export function emitResult(facts: TurnFacts, call: string, name: string, output: unknown, at: { readonly path?: readonly string[] } = {}): void {
  const key = JSON.stringify([at.path ?? [], call]);
  if (facts.answered.has(key)) return;
  facts.answered.add(key);
  const said = plain(output);
  facts.emit({ kind: "tool-result", call, name, output: said, ...(failed(said) && { failed: true }), ...at });
}

/** How the text begins that the model gets for a call which the user rejected. */
export const REJECTED = "The user rejected this call";

/** A tool's output as text. MCP's text content comes as an object or as its JSON. */
function plain(output: unknown): string {
  if (typeof output !== "string") return fields(output)["type"] === "text" ? text(fields(output)["text"]) : (JSON.stringify(output) ?? "");
  if (!output.startsWith('{"type":"text"')) return output;
  try {
    const content = fields(JSON.parse(output));
    return typeof content["text"] === "string" ? content["text"] : output;
  } catch {
    return output;
  }
}

/** The SDK hands a tool's exception to the model as a text; this is how its own texts begin. */
function failed(output: string): boolean {
  return ["An error occurred while running the tool", "Tool execution was not approved", REJECTED].some((start) => output.startsWith(start));
}

/** Tools that the provider runs and that change nothing. */
const READING: ReadonlySet<string> = new Set(["web_search_call", "file_search_call", "code_interpreter_call", "image_generation_call"]);

/** What the provider tells about its MCP servers in the form of calls. */
const NO_CALLS: ReadonlySet<unknown> = new Set(["mcp_approval_request", "mcp_list_tools", "mcp_approval_response"]);

function isCall(item: Readonly<Record<string, unknown>>): boolean {
  const type = text(item["type"]);
  return type.endsWith("_call") && type !== "tool_search_call" && !NO_CALLS.has(item["name"]);
}

/** An agent as a tool does nothing by itself: whether it can be repeated is told by the calls that it makes. */
function isAgentTool(agent: SdkAgent, name: string): boolean {
  return agent.tools.some((tool) => tool.name === name && typeof tool.on === "function");
}

function imageType(item: Readonly<Record<string, unknown>>): string {
  const format = text(fields(item["providerData"])["output_format"]);
  return `image/${format === "" ? "png" : format}`;
}

function argumentsOf(item: Readonly<Record<string, unknown>>): string {
  if (typeof item["arguments"] === "string") return item["arguments"];
  const rest = item["action"] ?? item["operation"] ?? item["actions"] ?? {};
  return JSON.stringify(rest);
}

/** The names of the tools that stand for hand-offs of `agent`. */
export function handoffNamesOf(agent: SdkAgent, toolNameOf: (handoff: unknown) => string): ReadonlySet<string> {
  return new Set(list(agent.handoffs).map(toolNameOf));
}
