import type { Json, JsonObject } from "../../model/a2a.ts";
import { IasError } from "../../model/errors.ts";
import { type Clock, systemClock } from "../../stream/clock.ts";
import type { Turn } from "../engine.ts";

/** What `openaiChat` takes. Nothing is read from the environment. */
export interface OpenAIChatOptions {
  /** Of an OpenAI-compatible API: `http://127.0.0.1:8000/v1`. A URL without a path gets `/v1`. */
  readonly baseUrl: string;
  /** The model's name, as `GET /models` lists it. */
  readonly model: string;
  /** Sent as a bearer token; most servers on one's own machine take none. */
  readonly apiKey?: string;
  /** The system prompt, or what makes it for a turn. Default: none. */
  readonly system?: string | ((turn: Turn) => string | Promise<string>);
  /** Functions that the model may call. */
  readonly tools?: readonly ChatTool[];
  /** Members for every request beside those that the engine sets: `temperature`, `seed`, `max_tokens`, `ignore_eos`, `chat_template_kwargs` … */
  readonly body?: JsonObject;
  readonly headers?: Readonly<Record<string, string>>;
  /** The conversation before the turn: told to the model, or not. Default "tell". */
  readonly history?: "tell" | "leave-out";
  /** `continuous_usage_stats` and `return_token_ids`, vLLM's: asked for until the server says that it does not know them, or never. Default "try". */
  readonly exactTokens?: "try" | "off";
  /** Model calls a turn, for tools that run here; beyond it the turn fails with reason MAX_TURNS. Default 10. */
  readonly maxModelCalls?: number;
  /** How often a model call that got 429 or 503 is sent again. Default 8; 0 gives the answer at once as a retryable failure. */
  readonly maxRetries?: number;
  /** All waiting of a model call for 429 and 503 together, ms. A `Retry-After` that does not fit into the rest fails at once, with `retryAfterMs`. Default 120,000. */
  readonly maxRetryWaitMs?: number;
  /** The first wait where no `Retry-After` is told, ms; doubled each time, up to 30 s. Default 1,000. */
  readonly retryBaseMs?: number;
  /** How often a connection that fails before an answer begins is tried again (after 250 ms, doubled each time). Default 3. */
  readonly connectRetries?: number;
  /** Until a connection is open, ms. Default 10,000. It is the only time-out: prefill, gaps and the whole may take as long as they take. */
  readonly connectTimeoutMs?: number;
  /** Media types of files that the model reads. Default: text, JSON, images, audio, video and PDF have a form here; what the model makes of them is its affair. */
  readonly inputModes?: readonly string[];
  /** In place of the engine's own connections: a proxy, a recorder, a test. */
  readonly fetch?: (url: string, init: RequestInit) => Promise<Response>;
  readonly clock?: Clock;
  /** From 0 to 1, for the spread of waits. Default `Math.random`. */
  readonly random?: () => number;
}

/** A function of the model's. Without `run` the engine tells the call and the turn ends with it: whoever reads decides. */
export interface ChatTool {
  readonly name: string;
  readonly description?: string;
  /** JSON schema of the arguments. */
  readonly parameters: JsonObject;
  /** It may run twice without harm (SEMANTICS 19). */
  readonly idempotent?: boolean;
  /** Gets the parsed arguments. What it throws is told to the model as a failed result. */
  readonly run?: (args: Json, call: ToolCallFacts) => unknown;
}

/** What a function gets to know of its call. `task`, `epoch` and `call` together are an idempotency token. */
export interface ToolCallFacts {
  readonly call: string;
  readonly turn: Turn;
  readonly signal: AbortSignal;
}

type WithoutDefault = "apiKey" | "system" | "body" | "headers" | "fetch";

/** Options as they hold. */
export interface Settings extends Pick<OpenAIChatOptions, WithoutDefault>, Required<Omit<OpenAIChatOptions, WithoutDefault | "baseUrl">> {
  /** Of `/chat/completions`. */
  readonly url: string;
}

const INPUT_MODES = ["text/plain", "application/json", "text/*", "image/*", "audio/*", "video/*", "application/pdf"];

/** Fills in the defaults. @throws IasError `configuration` */
export function checkOptions(options: OpenAIChatOptions): Settings {
  if (options.model === "") throw new IasError("configuration", "The model has no name; `GET /v1/models` of the server lists what it has.");
  const numbers = {
    maxModelCalls: options.maxModelCalls ?? 10,
    maxRetries: options.maxRetries ?? 8,
    maxRetryWaitMs: options.maxRetryWaitMs ?? 120_000,
    retryBaseMs: options.retryBaseMs ?? 1000,
    connectRetries: options.connectRetries ?? 3,
    connectTimeoutMs: options.connectTimeoutMs ?? 10_000,
  };
  for (const [name, value] of Object.entries(numbers)) {
    const least = name === "maxModelCalls" || name === "connectTimeoutMs" ? 1 : 0;
    if (!(value >= least)) throw new IasError("configuration", `${name} is ${value}; it must be at least ${least}.`);
  }
  const names = (options.tools ?? []).map(({ name }) => name);
  const twice = names.find((name, n) => names.indexOf(name) !== n);
  if (twice !== undefined) throw new IasError("configuration", `Two tools have the name ${JSON.stringify(twice)}; each needs its own.`);
  const { baseUrl, ...rest } = options;
  return {
    ...rest,
    ...numbers,
    url: `${checkBaseUrl(baseUrl)}/chat/completions`,
    history: options.history ?? "tell",
    exactTokens: options.exactTokens ?? "try",
    tools: options.tools ?? [],
    inputModes: options.inputModes ?? INPUT_MODES,
    clock: options.clock ?? systemClock,
    random: options.random ?? Math.random,
  };
}

/**
 * The address of an OpenAI-compatible API without its final slash; `/v1` is added where there is no path.
 * @throws IasError `configuration` for what is no http(s) URL, or has credentials, a query or a fragment
 */
export function checkBaseUrl(text: string): string {
  const right = "right is for example http://127.0.0.1:8000/v1";
  if (!URL.canParse(text)) throw new IasError("configuration", `The model server's address ${JSON.stringify(text)} is not a URL; ${right}.`);
  const url = new URL(text);
  if (url.protocol !== "http:" && url.protocol !== "https:")
    throw new IasError("configuration", `The model server's address begins with ${url.protocol}, not http: or https:; ${right}.`);
  if (url.username !== "" || url.password !== "")
    throw new IasError("configuration", `The model server's address has credentials in it; give the key apart, ${right}.`);
  if (url.search !== "" || url.hash !== "") throw new IasError("configuration", `The model server's address has a query or a fragment; ${right}.`);
  const path = url.pathname.replace(/\/+$/, "").replace(/\/chat\/completions$/, "");
  return `${url.origin}${path === "" ? "/v1" : path}`;
}
