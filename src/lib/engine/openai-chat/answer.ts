import { IasError } from "../../model/errors.ts";
import { redact } from "../model-status.ts";
import type { AgentEvent, Usage } from "../engine.ts";
import { errorFacts } from "./request.ts";

/** One answer of the model, chunk by chunk. */
export interface Answer {
  /** What a frame's data makes: text and reasoning as they are, and what only the engine knows. @throws IasError for an `error` frame and for what is no chunk */
  take(data: string): readonly AgentEvent[];
  /** `[DONE]` came. */
  readonly done: boolean;
  /** The tool calls that the model made, complete, in order. */
  readonly calls: readonly ToolCall[];
  readonly usage: Usage | undefined;
  readonly text: string;
  readonly refusal: string;
  /** The `finish_reason`. @throws IasError when the answer has no natural end: none, or `error` or `abort` */
  finish(): string;
}

/** A tool call that the model made. */
export interface ToolCall {
  readonly id: string;
  readonly name: string;
  /** JSON text as the model gave it. */
  readonly arguments: string;
}

/** A chunk of a completion, of what is used here; everything may be missing. */
interface Chunk {
  readonly error?: unknown;
  readonly choices?: readonly {
    readonly index?: number;
    readonly delta?: {
      readonly content?: string | null;
      readonly reasoning?: string | null;
      readonly reasoning_content?: string | null;
      readonly refusal?: string | null;
      readonly tool_calls?: readonly CallPiece[];
    };
    readonly finish_reason?: string | null;
    readonly token_ids?: readonly unknown[] | null;
  }[];
  readonly usage?: {
    readonly prompt_tokens?: number;
    readonly completion_tokens?: number;
    readonly total_tokens?: number;
    readonly prompt_tokens_details?: { readonly cached_tokens?: number } | null;
    readonly completion_tokens_details?: { readonly reasoning_tokens?: number } | null;
  } | null;
}

/** A piece of a tool call: the first one names it, all bring some of its arguments. */
interface CallPiece {
  readonly index?: number;
  readonly id?: string | number | null;
  readonly function?: { readonly name?: string | null; readonly arguments?: string | null };
}

const HEARD: AgentEvent = { kind: "liveness", signal: { kind: "bytes" } };
const GROWN: AgentEvent = { kind: "liveness", signal: { kind: "content" } };

/** An answer that has not begun. */
export function createAnswer(model: string): Answer {
  const calls: { id: string; name: string; arguments: string }[] = [];
  /** Which call an index means now: an id at an index that has one begins another. */
  const byIndex = new Map<number, { id: string; name: string; arguments: string }>();
  let done = false;
  let finishReason: string | undefined;
  let usage: Usage | undefined;
  let text = "";
  let refusal = "";
  /** Tokens that the server has told of, and those that readers of our events know of: one a piece, unless they are told. */
  let tokens = 0;
  let told = 0;

  function take(data: string): readonly AgentEvent[] {
    if (data === "[DONE]") {
      done = true;
      return [];
    }
    const chunk = parse(data);
    if (chunk.error !== undefined && chunk.error !== null) throw errorFrame(chunk.error);
    const events: AgentEvent[] = [];
    for (const { index, delta, finish_reason: reason, token_ids: ids } of chunk.choices ?? []) {
      if ((index ?? 0) !== 0) continue;
      tokens += ids?.length ?? 0;
      const thought = delta?.reasoning || delta?.reasoning_content;
      if (thought) events.push({ kind: "reasoning", text: thought });
      if (delta?.content) {
        events.push({ kind: "text", text: delta.content });
        text += delta.content;
      }
      refusal += delta?.refusal ?? "";
      for (const piece of delta?.tool_calls ?? []) {
        addPiece(piece);
        events.push(GROWN);
      }
      if (reason != null && reason !== "") finishReason = reason;
    }
    if (chunk.usage != null) {
      usage = toUsage(chunk.usage, model);
      tokens = Math.max(tokens, usage.outputTokens);
    }
    told += events.length;
    if (tokens > told) {
      told = tokens;
      events.push({ kind: "liveness", signal: { kind: "usage", outputTokens: tokens } });
    }
    return events.length === 0 ? [HEARD] : events;
  }

  function addPiece({ index = 0, id: given, function: piece }: CallPiece): void {
    // Some servers count their calls.
    const id = given == null ? "" : `${given}`;
    let call = byIndex.get(index);
    if (call === undefined || (id !== "" && call.id !== "" && id !== call.id)) {
      call = { id: "", name: "", arguments: "" };
      byIndex.set(index, call);
      calls.push(call);
    }
    if (id !== "") call.id = id;
    if (piece?.name && call.name !== piece.name) call.name += piece.name;
    call.arguments += piece?.arguments ?? "";
  }

  return {
    take,
    get done() {
      return done;
    },
    get calls() {
      return calls.map((call, n) => ({
        id: call.id === "" ? `call-${n}` : call.id.toWellFormed(),
        name: call.name.toWellFormed(),
        arguments: call.arguments.toWellFormed(),
      }));
    },
    get usage() {
      return usage;
    },
    get text() {
      return text;
    },
    get refusal() {
      return refusal;
    },
    finish() {
      if (finishReason === undefined)
        throw broken("The model's stream ended with [DONE], but without a finish_reason: the answer is not whole.", "MODEL_NO_FINISH");
      if (finishReason === "error" || finishReason === "abort") {
        throw broken(`The model's answer ended with finish_reason ${JSON.stringify(finishReason)}: the server gave it up.`, "MODEL_FINISH_ERROR");
      }
      return finishReason;
    },
  };
}

/** The connection ended, well or not, before `[DONE]`. */
export function cutStream(why: string, cause?: unknown): IasError {
  return broken(`The model's stream ended before [DONE]${why === "" ? "" : ` (${why})`}: the answer is not whole.`, "MODEL_STREAM_CUT", cause);
}

function parse(data: string): Chunk {
  try {
    const chunk: unknown = JSON.parse(data);
    if (typeof chunk === "object" && chunk !== null) return chunk;
  } catch {
    // Told below.
  }
  throw broken(`The model's stream has a frame that is no JSON object: ${redact(data.slice(0, 100))}`, "MODEL_STREAM_INVALID");
}

/** An error in mid-stream: what the request itself is to blame for does not go away by asking again. */
function errorFrame(error: unknown): IasError {
  const { message, status } = errorFacts(error);
  const isRateLimit = status === 429;
  const isServers = status === undefined || status >= 500 || status === 408 || status === 409;
  const reason = isRateLimit ? "MODEL_RATE_LIMIT" : isServers ? "MODEL_STREAM_ERROR" : "MODEL_REQUEST_REFUSED";
  return new IasError("engine-failed", `The model server failed in mid-stream: ${redact(message)}`, {
    reason,
    retryable: isRateLimit || isServers,
    ...(status !== undefined && { details: { httpStatus: String(status) } }),
  });
}

function broken(message: string, reason: string, cause?: unknown): IasError {
  return new IasError("engine-failed", message, { reason, retryable: true, ...(cause !== undefined && { cause }) });
}

function toUsage(usage: NonNullable<Chunk["usage"]>, model: string): Usage {
  const inputTokens = count(usage.prompt_tokens) ?? 0;
  const outputTokens = count(usage.completion_tokens) ?? 0;
  const cached = count(usage.prompt_tokens_details?.cached_tokens);
  const reasoning = count(usage.completion_tokens_details?.reasoning_tokens);
  return {
    inputTokens,
    outputTokens,
    totalTokens: count(usage.total_tokens) ?? inputTokens + outputTokens,
    ...(cached !== undefined && { cachedInputTokens: cached }),
    ...(reasoning !== undefined && { reasoningTokens: reasoning }),
    model,
  };
}

/** A count as it came; undefined for anything else. */
function count(value: unknown): number | undefined {
  return typeof value === "number" && value >= 0 ? value : undefined;
}
