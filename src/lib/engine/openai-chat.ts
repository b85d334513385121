import { createSseParser } from "../stream/sse-parse.ts";
import { IasError } from "../model/errors.ts";
import type { AgentEvent, Engine, Turn } from "./engine.ts";
import { networkCode } from "./model-status.ts";
import { type Answer, createAnswer, cutStream } from "./openai-chat/answer.ts";
import { toMessages } from "./openai-chat/messages.ts";
import { checkOptions, type OpenAIChatOptions } from "./openai-chat/options.ts";
import { createModelServer, open } from "./openai-chat/request.ts";
import { runCalls, runsHere, tellCalls } from "./openai-chat/tools.ts";
import { createRepair } from "./repair.ts";
import { untilAborted } from "./until-aborted.ts";

/**
 * A model behind an OpenAI-compatible server (vLLM, Ollama, llama.cpp, OpenAI itself) as an engine, with nothing in between: `POST /chat/completions` with
 * `stream: true`. One chunk with text is one `text` event, handed on before the next is read. The turn is COMPLETED only by a natural end: `[DONE]` after a
 * `finish_reason` that is no error. There is no time-out but that of connecting: the turn's liveness says how it is (SEMANTICS 28).
 *
 * Throws `configuration` for options that cannot work. Turns fail with `engine-failed` and a reason of docs/reference/reasons.md; `retryable`, `retryAfterMs`
 * and `details.httpStatus` are told. Aborting a turn closes its request, which ends it in the server. Dispose of the engine to close its connections.
 */
export function openaiChat(options: OpenAIChatOptions): Engine & AsyncDisposable {
  const settings = checkOptions(options);
  const server = createModelServer(settings);
  return {
    inputModes: settings.inputModes,
    run: (turn, { signal }) => untilAborted(runTurn(turn, signal), signal),
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  };

  async function* runTurn(turn: Turn, outer: AbortSignal): AsyncGenerator<AgentEvent, void, undefined> {
    const left = new AbortController();
    const signal = AbortSignal.any([outer, left.signal]);
    try {
      const messages = [...(await toMessages(turn, settings))];
      const repair = createRepair();
      for (let count = 1; count <= settings.maxModelCalls; count += 1) {
        const answer = createAnswer(settings.model);
        // A request of its own: what is left of one that ended well is not cut off with the turn.
        const request = new AbortController();
        const leave = (): void => request.abort(signal.reason);
        signal.addEventListener("abort", leave, { once: true });
        signal.throwIfAborted();
        const response = yield* open(server, messages, request.signal);
        yield* read(response, answer, request, repair);
        signal.removeEventListener("abort", leave);
        const reason = answer.finish();
        if (answer.usage !== undefined) yield { kind: "usage", usage: answer.usage };
        if (answer.calls.length === 0) return yield* conclude(answer, reason);
        if (!runsHere(answer.calls, settings.tools)) return yield* tellCalls(answer.calls, settings.tools);
        messages.push(...(yield* runCalls(answer, settings.tools, turn, signal)));
      }
      throw new IasError("engine-failed", `The turn took more model calls than maxModelCalls allows (${settings.maxModelCalls}).`, { reason: "MAX_TURNS" });
    } catch (error) {
      if (!outer.aborted) throw error;
    } finally {
      left.abort();
    }
  }
}

/** Reads the stream of one answer, as fast as its events are taken. Leaving it closes the request. */
async function* read(
  response: Response,
  answer: Answer,
  request: AbortController,
  repair: (event: AgentEvent) => AgentEvent,
): AsyncGenerator<AgentEvent, void, undefined> {
  const reader = response.body?.getReader();
  if (reader === undefined) throw cutStream("no body");
  const parser = createSseParser();
  let whole = false;
  try {
    yield { kind: "liveness", signal: { kind: "bytes" } };
    while (!answer.done) {
      const { done, value } = await next(reader);
      if (done || value === undefined) throw cutStream("end of the body");
      let heard = false;
      for (const item of parser.push(value)) {
        if (item.kind !== "event") continue;
        for (const event of answer.take(item.data)) yield repair(event);
        heard = true;
        if (answer.done) break;
      }
      if (!heard) yield { kind: "liveness", signal: { kind: "bytes" } };
    }
    whole = true;
  } finally {
    if (whole) void drain(reader, request);
    else request.abort();
  }
}

async function next(reader: ReadableStreamDefaultReader<Uint8Array>): Promise<{ readonly done: boolean; readonly value?: Uint8Array | undefined }> {
  try {
    return await reader.read();
  } catch (error) {
    throw cutStream(networkCode(error), error);
  }
}

/** How long the end of a body is waited for after `[DONE]`, ms: with it the connection serves the next call. */
const DRAIN_MS = 5000;

async function drain(reader: ReadableStreamDefaultReader<Uint8Array>, request: AbortController): Promise<void> {
  const late = setTimeout(() => request.abort(), DRAIN_MS).unref();
  try {
    while (!(await reader.read()).done);
  } catch {
    // The answer is whole; how its connection ends does not matter.
  } finally {
    clearTimeout(late);
  }
}

/** How a turn ends that answered: silently when the model stopped by itself, else with the reason for everyone to read. */
function* conclude(answer: Answer, reason: string): Generator<AgentEvent, void, undefined> {
  if (answer.refusal !== "" && answer.text === "") {
    yield { kind: "end", outcome: "rejected", message: [{ text: answer.refusal.toWellFormed() }], metadata: { finishReason: reason } };
  } else if (reason === "content_filter") {
    yield { kind: "end", outcome: "failed", message: [{ text: "The model server withheld the answer (content_filter)." }], metadata: { finishReason: reason } };
  } else if (reason !== "stop") {
    yield { kind: "end", outcome: "completed", metadata: { finishReason: reason } };
  }
}
