import { z } from "zod";
import type { JsonObject, Part } from "../../model/a2a.ts";
import type { BridgeEvent, TurnEnd } from "../bridge-event.ts";
import { addUsage, NO_USAGE, type UsageSum } from "../usage.ts";
import { untilAuth, waitsForAuth } from "./bound.ts";
import { inText, toOneMessage, toParts } from "./content.ts";
import { toEndError, unsupported } from "./errors.ts";

const strict = (value: unknown): boolean => value === undefined || value === null || (Array.isArray(value) && value.length === 0);

/** What `POST /v1/chat/completions` reads. Sampling settings are the agent's own: they are let through unread. */
export const chatCompletionSchema = z.object({
  model: z.string(),
  messages: z.array(z.looseObject({ role: z.string(), content: z.unknown().optional() })).min(1, "must hold at least one message"),
  stream: z.boolean().nullish(),
  store: z.boolean().nullish(),
  stream_options: z.looseObject({ include_usage: z.boolean().nullish() }).nullish(),
  n: z.number().nullish(),
  tools: z.unknown().optional(),
  functions: z.unknown().optional(),
  response_format: z.looseObject({ type: z.string() }).nullish(),
  modalities: z.array(z.string()).nullish(),
});

/** A chat completion that is asked for. */
export type ChatCompletionInput = z.infer<typeof chatCompletionSchema>;

/** What the agent is sent. Throws `invalid-params` for what only a model could do. */
export function toChatParts(input: ChatCompletionInput): readonly Part[] {
  refuseTools("tools", input.tools);
  refuseTools("functions", input.functions);
  if ((input.n ?? 1) !== 1) throw unsupported("n", "n must be 1: an agent gives one answer.");
  refuseFormat("response_format", input.response_format?.type);
  if (input.modalities?.some((each) => each !== "text") === true)
    throw unsupported("modalities", "modalities must be text: files of an answer come as links in it.");
  const messages = input.messages.map(({ role, content }, at) => ({ role, parts: toParts(content, `messages.${at}.content`) }));
  return toOneMessage(messages, "messages");
}

/** Throws `invalid-params` where a caller defines tools. */
export function refuseTools(param: string, tools: unknown): void {
  if (strict(tools)) return;
  throw unsupported(param, `${param} must be left out: behind this endpoint is an agent with tools of its own, which calls none of its caller's.`);
}

/** Throws `invalid-params` where a caller wants another form than text. */
export function refuseFormat(param: string, type: string | undefined): void {
  if (type === undefined || type === "text") return;
  throw unsupported(param, `${param} must be text: the form of an answer is the agent's own.`);
}

/** The completion that is told. */
export interface CompletionFacts {
  readonly id: string;
  readonly model: string;
  /** Seconds since the epoch. */
  readonly created: number;
  readonly task?: string;
  readonly link: string;
}

/** The answer in chunks: of each event its own. */
export interface ChatEncoder {
  readonly begin: string;
  next(event: BridgeEvent): string;
  /** What a stream ends with that the server ended before the turn. */
  cut(): string;
}

/** Puts what happens in a turn into chunks of a chat completion, as server-sent events. Tools and child agents are the agent's own business; reasoning is `reasoning_content`. */
export function createChatEncoder(facts: CompletionFacts, options: { readonly usage: boolean }): ChatEncoder {
  let usage = NO_USAGE;
  const head = { id: facts.id, object: "chat.completion.chunk", created: facts.created, model: facts.model };
  const chunk = (delta: JsonObject, finish: string | null = null, more: JsonObject = {}): string =>
    sse({ ...head, choices: [{ index: 0, delta, logprobs: null, finish_reason: finish }], ...(options.usage && { usage: null }), ...more });
  const end = (how: TurnEnd | undefined): string => {
    const error = toEndError(how, facts.link);
    if (error !== undefined) return sse({ error });
    const last = options.usage ? sse({ ...head, choices: [], usage: toUsage(usage) }) : "";
    return `${chunk({}, "stop", metadataOf(facts))}${last}data: [DONE]\n\n`;
  };
  return {
    begin: chunk({ role: "assistant", content: "", refusal: null }),
    next(event) {
      if ("child" in event && event.child !== undefined) return "";
      switch (event.kind) {
        case "text":
          return chunk({ content: event.delta });
        case "reasoning":
          return chunk({ reasoning_content: event.delta });
        case "file":
        case "data":
          return chunk({ content: inText(event) });
        case "usage":
          usage = addUsage(usage, event.usage);
          return "";
        case "end":
          return `${event.end.outcome === "input" && event.end.approvals.length > 0 ? chunk({ content: event.end.message }) : ""}${end(event.end)}`;
        default:
          return "";
      }
    },
    cut: () => end(undefined),
  };
}

/** A whole completion of what happened in a turn; an error where it gave none. It ends where the user must authorise something: what is said to that is its content. */
export async function toCompletion(
  facts: CompletionFacts,
  batches: AsyncIterable<readonly BridgeEvent[]>,
): Promise<{ readonly body: JsonObject; readonly failed: boolean }> {
  let usage = NO_USAGE;
  let content = "";
  let reasoning = "";
  let end: TurnEnd | undefined;
  let waits = false;
  for await (const batch of untilAuth(batches)) {
    waits = waitsForAuth(batch);
    for (const event of batch) {
      if ("child" in event && event.child !== undefined) continue;
      if (event.kind === "text") content += event.delta;
      else if (event.kind === "reasoning") reasoning += event.delta;
      else if (event.kind === "file" || event.kind === "data") content += inText(event);
      else if (event.kind === "usage") usage = addUsage(usage, event.usage);
      else if (event.kind === "end") end = event.end;
    }
  }
  const error = waits ? undefined : toEndError(end, facts.link);
  if (error !== undefined) return { body: { error }, failed: true };
  if (end?.outcome === "input" && end.approvals.length > 0) content += end.message;
  const message = { role: "assistant", content, refusal: null, annotations: [], ...(reasoning !== "" && { reasoning_content: reasoning }) };
  const choices = [{ index: 0, message, logprobs: null, finish_reason: "stop" }];
  return {
    body: { id: facts.id, object: "chat.completion", created: facts.created, model: facts.model, choices, usage: toUsage(usage), ...metadataOf(facts) },
    failed: false,
  };
}

function metadataOf({ task, link }: CompletionFacts): JsonObject {
  return task === undefined ? {} : { metadata: { task, link } };
}

function toUsage(usage: UsageSum): JsonObject {
  return {
    prompt_tokens: usage.inputTokens,
    completion_tokens: usage.outputTokens,
    total_tokens: usage.totalTokens,
    prompt_tokens_details: { cached_tokens: usage.cachedInputTokens },
    completion_tokens_details: { reasoning_tokens: usage.reasoningTokens },
  };
}

function sse(value: JsonObject): string {
  return `data: ${JSON.stringify(value)}\n\n`;
}
