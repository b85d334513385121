import type { JsonObject } from "../../model/a2a.ts";
import { assertNever } from "../../model/errors.ts";
import type { BridgeEvent, TurnEnd } from "../bridge-event.ts";
import { addUsage, NO_USAGE } from "../usage.ts";
import { inText } from "./content.ts";
import { toEndError } from "./errors.ts";
import { approvalRequestId } from "./response-input.ts";

/** The response that is told. */
export interface ResponseFacts {
  readonly id: string;
  readonly model: string;
  /** Seconds since the epoch. */
  readonly created: number;
  readonly context?: string;
  readonly task?: string;
  readonly link: string;
  readonly previous?: string;
  readonly background: boolean;
  /** What the caller gave along. */
  readonly metadata?: JsonObject;
  /** False: it goes some time after its end. */
  readonly stored: boolean;
}

/** One event of a stream of `/v1/responses`. */
export type ResponseEvent = { readonly type: string; readonly sequence_number: number } & JsonObject;

/** Makes a response of what happens in a turn: its events one by one, and the response as it stands. */
export interface ResponseEncoder {
  begin(): readonly ResponseEvent[];
  next(event: BridgeEvent): readonly ResponseEvent[];
  /** The response with all its output so far: the protocol repeats it whole at the end, so it is kept. */
  response(): JsonObject;
}

/**
 * An encoder at the beginning of a turn. The agent's own tools are `mcp_call` items with the agent as server: they ran there, and are not for the caller to run; a call that
 * waits is an `mcp_approval_request`. Numbers are made of the turn's entries alone, so `starting_after` finds its place in another reading.
 */
export function createResponseEncoder(facts: ResponseFacts): ResponseEncoder {
  let usage = NO_USAGE;
  let sequence = -1;
  let status = "in_progress";
  let error: JsonObject | null = null;
  const output: JsonObject[] = [];
  /** Text of the open message or reasoning, and the calls without a result, by their ids: where their items stand. */
  let open: { readonly id: string; readonly at: number; readonly pieces: string[] } | undefined;
  const calls = new Map<string, number>();

  const tell = (type: string, members: JsonObject): ResponseEvent => {
    sequence += 1;
    return { type, sequence_number: sequence, ...members };
  };
  const response = (): JsonObject => ({
    id: facts.id,
    object: "response",
    created_at: facts.created,
    status,
    background: facts.background,
    error,
    incomplete_details: null,
    instructions: null,
    max_output_tokens: null,
    model: facts.model,
    output: [...output],
    parallel_tool_calls: true,
    previous_response_id: facts.previous ?? null,
    conversation: facts.context === undefined ? null : { id: facts.context },
    reasoning: { effort: null, summary: null },
    store: facts.stored,
    temperature: null,
    text: { format: { type: "text" } },
    tool_choice: "auto",
    tools: [],
    top_p: null,
    truncation: "disabled",
    usage: status === "in_progress" ? null : toUsage(usage),
    user: null,
    metadata: { ...facts.metadata, ...(facts.task !== undefined && { task: facts.task, link: facts.link }) },
  });
  const add = (item: JsonObject): ResponseEvent => {
    output.push(item);
    return tell("response.output_item.added", { output_index: output.length - 1, item });
  };
  const done = (at: number, item: JsonObject): ResponseEvent => {
    output[at] = item;
    return tell("response.output_item.done", { output_index: at, item });
  };
  const openText = (kind: "text" | "reasoning", name: string): readonly ResponseEvent[] => {
    const id = `${kind === "text" ? "msg" : "rs"}_${facts.id.slice("resp_".length)}_${name}`;
    open = { id, at: output.length, pieces: [] };
    const [item, part]: readonly [JsonObject, JsonObject] =
      kind === "text"
        ? [
            { type: "message", role: "assistant", content: [] },
            { type: "output_text", text: "", annotations: [], logprobs: [] },
          ]
        : [
            { type: "reasoning", summary: [], content: [] },
            { type: "reasoning_text", text: "" },
          ];
    return [
      add({ id, status: "in_progress", ...item }),
      tell("response.content_part.added", { item_id: id, output_index: output.length - 1, content_index: 0, part }),
    ];
  };
  const grow = (kind: "text" | "reasoning", delta: string): readonly ResponseEvent[] => {
    if (open === undefined) return [];
    open.pieces.push(delta);
    const at = { item_id: open.id, output_index: open.at, content_index: 0 };
    return [kind === "text" ? tell("response.output_text.delta", { ...at, delta, logprobs: [] }) : tell("response.reasoning_text.delta", { ...at, delta })];
  };
  const closeText = (kind: "text" | "reasoning"): readonly ResponseEvent[] => {
    if (open === undefined) return [];
    const { id, at: output_index, pieces } = open;
    open = undefined;
    const text = pieces.join("");
    const at = { item_id: id, output_index, content_index: 0 };
    if (kind === "reasoning") {
      const part = { type: "reasoning_text", text };
      const item = { id, type: "reasoning", status: "completed", summary: [], content: [part] };
      return [tell("response.reasoning_text.done", { ...at, text }), tell("response.content_part.done", { ...at, part }), done(output_index, item)];
    }
    const part = { type: "output_text", text, annotations: [], logprobs: [] };
    return [
      tell("response.output_text.done", { ...at, text, logprobs: [] }),
      tell("response.content_part.done", { ...at, part }),
      done(output_index, { id, type: "message", status: "completed", role: "assistant", content: [part] }),
    ];
  };
  const whole = (name: string, text: string): readonly ResponseEvent[] => [...openText("text", name), ...grow("text", text), ...closeText("text")];

  const call = (id: string, name: string, given: string | undefined): readonly ResponseEvent[] => {
    calls.set(id, output.length);
    const args = given ?? "";
    const item = { id: `mcp_${id}`, type: "mcp_call", status: "in_progress", name, server_label: facts.model, arguments: args, output: null, error: null };
    const added = add(item);
    return [added, tell("response.mcp_call_arguments.done", { item_id: item.id, output_index: output.length - 1, arguments: args })];
  };
  const result = (id: string, output_: string | undefined, failed: boolean): readonly ResponseEvent[] => {
    const at = calls.get(id);
    const item = at === undefined ? undefined : output[at];
    if (at === undefined || item === undefined) return [];
    calls.delete(id);
    const said = failed
      ? { status: "failed", error: { type: "mcp_tool_execution_error", content: output_ ?? "" } }
      : { status: "completed", output: output_ ?? "" };
    const told = tell(`response.mcp_call.${failed ? "failed" : "completed"}`, { item_id: `mcp_${id}`, output_index: at });
    return [told, done(at, { ...item, ...said })];
  };

  const finish = (end: TurnEnd): readonly ResponseEvent[] => {
    const asked =
      end.outcome !== "input"
        ? []
        : end.approvals.flatMap(({ id, name, arguments: given }) => {
            const item = { id: approvalRequestId(id), type: "mcp_approval_request", name, server_label: facts.model, arguments: given };
            const added = add(item);
            return [added, done(output.length - 1, item)];
          });
    const failure = toEndError(end, facts.link);
    // OpenAI's codes are a closed list; its clients know this one.
    if (failure !== undefined) error = { code: "server_error", message: failure.message };
    status = end.outcome === "canceled" ? "cancelled" : failure === undefined ? "completed" : "failed";
    if (status === "cancelled") error = null;
    const type = status === "cancelled" ? "response.incomplete" : `response.${status}`;
    return [...asked, tell(type, { response: response() })];
  };

  return {
    begin() {
      const created = response();
      return [tell("response.created", { response: created }), tell("response.in_progress", { response: created })];
    },
    next(event) {
      if ("child" in event && event.child !== undefined && event.kind !== "tool-call" && event.kind !== "tool-result") return [];
      switch (event.kind) {
        case "text-start":
          return openText("text", event.id);
        case "text":
          return grow("text", event.delta);
        case "text-end":
          return closeText("text");
        case "reasoning-start":
          return openText("reasoning", event.id);
        case "reasoning":
          return grow("reasoning", event.delta);
        case "reasoning-end":
          return closeText("reasoning");
        case "tool-call":
          return call(event.id, event.name, event.arguments);
        case "tool-result":
          return result(event.id, event.output, event.failed);
        case "file":
        case "data":
          return whole(event.id, inText(event).trim());
        case "usage":
          usage = addUsage(usage, event.usage);
          return [];
        case "end":
          return finish(event.end);
        case "child-start":
        case "child-end":
        case "auth":
        case "status":
        case "note":
        case "pause":
          return [];
        default:
          return assertNever(event);
      }
    },
    response,
  };
}

/** An event as SSE has it. */
export function toSse(event: ResponseEvent): string {
  return `event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`;
}

function toUsage(usage: typeof NO_USAGE): JsonObject {
  return {
    input_tokens: usage.inputTokens,
    input_tokens_details: { cached_tokens: usage.cachedInputTokens },
    output_tokens: usage.outputTokens,
    output_tokens_details: { reasoning_tokens: usage.reasoningTokens },
    total_tokens: usage.totalTokens,
  };
}
