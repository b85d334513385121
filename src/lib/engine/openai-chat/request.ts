import { IasError, messageOf } from "../../model/errors.ts";
import { MAX_TIMER_MS } from "../../stream/clock.ts";
import type { AgentEvent } from "../engine.ts";
import { modelStatusError, networkCode, redact } from "../model-status.ts";
import { createFeatureMemory, type FeatureMemory, toParameters } from "./features.ts";
import type { ChatMessage } from "./messages.ts";
import type { Settings } from "./options.ts";
import { createTransport, type Transport } from "./transport.ts";

/** A model behind an address: its connections, and what was learned of its parameters. */
export interface ModelServer extends AsyncDisposable {
  readonly settings: Settings;
  readonly features: FeatureMemory;
  readonly transport: Transport;
}

/** Nothing is connected before the first request; its owner disposes of it. */
export function createModelServer(settings: Settings): ModelServer {
  const transport = createTransport(settings);
  return {
    settings,
    features: createFeatureMemory(settings.exactTokens),
    transport,
    [Symbol.asyncDispose]: () => transport[Symbol.asyncDispose](),
  };
}

/** The longest wait that is chosen here, ms; a server may ask for more. */
const MAX_BACKOFF_MS = 30_000;
const CONNECT_BACKOFF_MS = 250;

/**
 * Sends one model call until a stream begins, and returns its response. On the way it tells what it waits for: connections that fail, 429 and 503.
 * @throws IasError `engine-failed` with what the server refused, or why it could not be reached
 */
export async function* open(server: ModelServer, messages: readonly ChatMessage[], signal: AbortSignal): AsyncGenerator<AgentEvent, Response, undefined> {
  const { settings, features, transport } = server;
  let asked = features.now;
  let connects = 0;
  let retries = 0;
  let waitedMs = 0;
  for (;;) {
    yield { kind: "liveness", signal: { kind: "connecting" } };
    let response: Response;
    try {
      const sent = Promise.withResolvers<"sent">();
      const init = { method: "POST", headers: headersOf(settings), body: bodyOf(settings, messages, toParameters(asked)), signal };
      const answered = transport.send(settings.url, init, () => sent.resolve("sent"));
      answered.catch(nothing);
      if ((await Promise.race([answered, sent.promise])) === "sent") yield { kind: "liveness", signal: { kind: "working" } };
      response = await answered;
    } catch (error) {
      signal.throwIfAborted();
      const failure = unreachable(error, settings);
      if (!failure.retryable || connects >= settings.connectRetries) throw failure;
      connects += 1;
      yield* pause(settings, CONNECT_BACKOFF_MS * 2 ** (connects - 1) * spread(settings), signal);
      continue;
    }
    if (response.ok) {
      await checkStream(response);
      features.taken(asked);
      return response;
    }
    const said = await readError(response, signal);
    const fewer = response.status === 400 || response.status === 422 ? features.fewer(asked, said.message) : undefined;
    if (fewer !== undefined) {
      asked = fewer;
      continue;
    }
    const failure = modelStatusError({ status: response.status, ...said, header: (name) => response.headers.get(name) ?? "" });
    const waits = failure.retryable && (response.status === 429 || response.status === 503);
    const waitMs = failure.retryAfterMs ?? Math.min(settings.retryBaseMs * 2 ** retries, MAX_BACKOFF_MS) * spread(settings);
    if (!waits || retries >= settings.maxRetries || waitedMs + waitMs > settings.maxRetryWaitMs) throw failure;
    retries += 1;
    waitedMs += waitMs;
    yield* pause(settings, waitMs, signal);
  }
}

/** A wait that is nobody's silence. */
async function* pause({ clock }: Settings, ms: number, signal: AbortSignal): AsyncGenerator<AgentEvent, void, undefined> {
  yield { kind: "liveness", signal: { kind: "retry-wait", forMs: Math.round(ms) } };
  // A clock's wait keeps no process alive, and a program may have nothing else open just now.
  const alive = setInterval(nothing, MAX_TIMER_MS);
  try {
    await clock.sleep(ms, signal);
  } finally {
    clearInterval(alive);
  }
  signal.throwIfAborted();
}

/** From a half to one and a half, so that many callers do not come back at once. */
function spread({ random }: Settings): number {
  return 0.5 + random();
}

function headersOf({ apiKey, headers }: Settings): Record<string, string> {
  return {
    "content-type": "application/json",
    accept: "text/event-stream",
    ...(apiKey !== undefined && apiKey !== "" && { authorization: `Bearer ${apiKey}` }),
    ...headers,
  };
}

function bodyOf({ model, body, tools }: Settings, messages: readonly ChatMessage[], parameters: object): string {
  const functions = tools.map(({ name, description, parameters: schema }) => ({
    type: "function",
    function: { name, ...(description !== undefined && { description }), parameters: schema },
  }));
  return JSON.stringify({ ...body, model, messages, stream: true, ...(functions.length > 0 && { tools: functions }), ...parameters });
}

/** A stream may come without a type, but not as a document. */
async function checkStream(response: Response): Promise<void> {
  const type = response.headers.get("content-type") ?? "";
  if (response.body !== null && !/json|html/i.test(type)) return;
  await response.body?.cancel();
  throw new IasError("engine-failed", `The model endpoint answered ${JSON.stringify(type)} in place of a stream: it does not know "stream": true.`, {
    reason: "MODEL_REQUEST_REFUSED",
  });
}

/** Of an error's body, so much is read, and so long is waited for it. */
const MAX_ERROR_BYTES = 16 * 1024;
const ERROR_BODY_MS = 5000;

/** What a server says of an error: OpenAI's form, FastAPI's, or text. */
async function readError(response: Response, signal: AbortSignal): Promise<{ readonly message: string; readonly code?: string }> {
  const text = await readStart(response, AbortSignal.any([signal, AbortSignal.timeout(ERROR_BODY_MS)]));
  try {
    const body = JSON.parse(text) as { readonly error?: unknown; readonly message?: unknown; readonly detail?: unknown };
    return errorFacts(body.error ?? body.message ?? body.detail ?? text);
  } catch {
    return { message: text };
  }
}

/** Message and code of an error's value, in a body or in a frame. */
export function errorFacts(error: unknown): { readonly message: string; readonly code?: string; readonly status?: number } {
  if (typeof error === "string") return { message: error };
  if (typeof error !== "object" || error === null) return { message: String(error) };
  const { message, code } = error as { readonly message?: unknown; readonly code?: unknown };
  const status = Number(code);
  return {
    message: typeof message === "string" ? message : JSON.stringify(error),
    ...(typeof code === "string" && { code }),
    ...(Number.isInteger(status) && status >= 400 && status < 600 && { status }),
  };
}

async function readStart(response: Response, signal: AbortSignal): Promise<string> {
  const reader = response.body?.getReader();
  if (reader === undefined) return "";
  const stop = (): void => void reader.cancel().catch(nothing);
  signal.addEventListener("abort", stop, { once: true });
  const decoder = new TextDecoder();
  let text = "";
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return text;
      text += decoder.decode(value, { stream: true });
      if (text.length >= MAX_ERROR_BYTES) return text.slice(0, MAX_ERROR_BYTES);
    }
  } catch {
    return text;
  } finally {
    signal.removeEventListener("abort", stop);
    stop();
  }
}

/** Why no answer began. A name that does not exist does not come into being by waiting; everything else may. */
function unreachable(error: unknown, { url }: Settings): IasError {
  const code = networkCode(error);
  const { origin } = new URL(url);
  return new IasError("engine-failed", `The model endpoint ${origin} cannot be reached${code === "" ? `: ${redact(messageOf(error))}` : ` (${code})`}.`, {
    cause: error,
    reason: "MODEL_UNREACHABLE",
    retryable: code !== "ENOTFOUND",
    ...(code !== "" && { details: { networkCode: code } }),
  });
}

function nothing(): void {}
