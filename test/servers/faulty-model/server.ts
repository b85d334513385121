import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { json as readJson } from "node:stream/consumers";
import { type Clock, systemClock } from "../../../src/lib/stream/clock.ts";
import { type Behaviour, type Fault, firstObject, hashOf, type Move, movesOf, randomOf } from "./behaviour.ts";
import { type Counters, createCounters, type MetricNames, metricsText } from "./counters.ts";
import { blockingReply, type ChatRequest, type ReasoningField, type Reply, streamReply, type Usage } from "./reply.ts";

/** How the server is as a whole. All but `clock` can be given to the process as JSON. */
export interface FaultyModelOptions {
  readonly port?: number;
  readonly model?: string;
  /** Seeds the words of answers and `mix`. Default 1. */
  readonly seed?: number;
  /** The nth request (from 0) behaves so, in order of arrival; what its prompt says goes before. */
  readonly script?: readonly Behaviour[];
  /**
   * Faults by weight for requests whose prompt names none: drawn by seed, prompt and how often the prompt came, so that a campaign meets the same
   * faults whatever its order. `{ "none": 7, "stall": 1, "rst": 1, "rate-limit": 1 }`.
   */
  readonly mix?: Readonly<Partial<Record<Fault, number>>>;
  /** The numbers of each fault of `mix`, over `defaults`. */
  readonly numbers?: Readonly<Partial<Record<Fault, Behaviour>>>;
  /** Goes before nothing, behind `script`, `mix` and the prompt. */
  readonly defaults?: Behaviour;
  readonly metrics?: MetricNames;
  /** vLLM honours `continuous_usage_stats` and `return_token_ids`; llama.cpp ignores what it does not know; a strict server answers 400. Default "vllm". */
  readonly parameters?: "vllm" | "ignore" | "strict";
  readonly reasoningField?: ReasoningField;
  /** Requests that generate at once; others wait in the queue. Default: any number. */
  readonly slots?: number;
  readonly clock?: Clock;
}

/** A request as it was met. */
export interface SeenRequest {
  readonly at: number;
  readonly body: Readonly<Record<string, unknown>>;
  /** The last user message, as text. */
  readonly prompt: string;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly behaviour: Behaviour;
  /** How often this prompt had come before. */
  readonly earlier: number;
  status: number;
  /** The client left before the end. */
  aborted: boolean;
  ended: boolean;
  /** When it came and when its connection was over, `performance.now()`. */
  readonly cameAt: number;
  closedAt: number | undefined;
  reply: Pick<Reply, "chunks" | "texts" | "dropped" | "chunkAt"> | undefined;
}

export interface FaultyModel extends AsyncDisposable {
  /** `http://127.0.0.1:…`, without `/v1`. */
  readonly url: string;
  readonly port: number;
  readonly requests: readonly SeenRequest[];
  readonly counters: Counters;
  /** Lets requests of `step: id` make one token more. */
  step(id: string, count?: number): void;
}

/** Starts the server on loopback. Disposing cuts what is open. */
export async function createFaultyModel(options: FaultyModelOptions = {}): Promise<FaultyModel> {
  const { model = "faulty", seed = 1, clock = systemClock, parameters = "vllm", metrics = "vllm", reasoningField = "reasoning" } = options;
  const slots = options.slots ?? Number.POSITIVE_INFINITY;
  const counters = createCounters();
  const requests: SeenRequest[] = [];
  const tries = new Map<string, number>();
  const steps = new Map<string, { left: number; bell: PromiseWithResolvers<void> }>();
  let slotBell = Promise.withResolvers<void>();

  const server = createServer((request, response) => {
    handle(request, response).catch((error: unknown) => {
      if (!response.headersSent) refuse(response, 500, error instanceof Error ? error.message : String(error));
      else response.destroy();
    });
  });
  // Only its clients decide how long a connection lives.
  server.requestTimeout = 0;
  server.headersTimeout = 0;
  server.keepAliveTimeout = 600_000;

  async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { pathname, searchParams } = new URL(request.url ?? "/", "http://x");
    if (pathname === "/v1/chat/completions" && request.method === "POST") return chat(request, response);
    if (pathname === "/v1/models") return answer(response, { object: "list", data: [{ id: model, object: "model", created: 0, owned_by: "test" }] });
    if (pathname === "/health") return answer(response, {});
    if (pathname === "/metrics" && metrics !== "none") {
      response.writeHead(200, { "content-type": "text/plain; version=0.0.4; charset=utf-8" });
      response.end(metricsText(counters, metrics, model));
      return;
    }
    // For tests in other processes.
    if (pathname === "/test/requests") return answer(response, requests);
    if (pathname === "/test/step") return answer(response, step(searchParams.get("id") ?? "", Number(searchParams.get("count") ?? 1)) ?? {});
    refuse(response, 404, `There is no ${request.method} ${pathname}.`);
  }

  async function chat(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = (await readJson(request)) as Record<string, unknown>;
    const chatRequest = toRequest(body, model, parameters === "vllm");
    const prompt = promptOf(chatRequest);
    const earlier = tries.get(prompt) ?? 0;
    const behaviour = choose(prompt, earlier, requests.length);
    const seen: SeenRequest = {
      at: clock.now(),
      body,
      prompt,
      headers: request.headers,
      behaviour,
      earlier,
      status: 200,
      aborted: false,
      ended: false,
      cameAt: performance.now(),
      closedAt: undefined,
      reply: undefined,
    };
    requests.push(seen);
    response.once("finish", () => (seen.ended = true));
    response.once("close", () => (seen.closedAt = performance.now()));
    const status = (code: number, message: string, retryAfter?: number): void => {
      seen.status = code;
      refuse(response, code, message, retryAfter);
    };
    const unknown = parameters === "strict" ? unknownParameter(body) : undefined;
    if (unknown !== undefined) return status(400, `Unrecognized request argument supplied: ${unknown}`);
    tries.set(prompt, earlier + 1);
    if (behaviour.fault === "rate-limit") return status(429, "Rate limit reached for requests.", behaviour.retryAfter);
    if (behaviour.fault === "unavailable") return status(503, "The server is overloaded.", behaviour.retryAfter);
    if (behaviour.fault === "server-error") return status(500, "EngineCore encountered an issue.");
    if (behaviour.fault === "bad-request") return status(400, "This model's maximum context length is 4096 tokens.");

    const gone = new AbortController();
    response.once("close", () => {
      seen.aborted = !response.writableFinished && seen.reply?.dropped !== true;
      gone.abort();
    });
    if (behaviour.fault === "no-headers") return untilGone(gone.signal);
    const id = `chatcmpl-${randomUUID()}`;
    const promptTokens = chatRequest.messages.reduce((sum, message) => sum + textOf(message.content).split(/\s+/).length, 0);
    const usage: Usage = { prompt_tokens: promptTokens, completion_tokens: 0, total_tokens: promptTokens };
    const reply = (chatRequest.stream ? streamReply : blockingReply)(response, chatRequest, usage, id, reasoningField);
    seen.reply = reply;
    await generate(behaviour, prompt, chatRequest, usage, reply, gone.signal);
  }

  /** One request in the engine: counted while it is there. */
  async function generate(behaviour: Behaviour, prompt: string, request: ChatRequest, usage: Usage, reply: Reply, signal: AbortSignal): Promise<void> {
    const began = clock.now();
    counters.waiting += 1;
    if (behaviour.fault === "queue") await pause(behaviour.forMs ?? Number.POSITIVE_INFINITY, signal);
    while (counters.running >= slots && !signal.aborted) await Promise.race([slotBell.promise, untilGone(signal)]);
    counters.waiting -= 1;
    if (signal.aborted) return count("abort");
    counters.running += 1;
    let inEngine = true;
    const leave = (reason: keyof Counters["ended"] | undefined): void => {
      if (!inEngine) return;
      inEngine = false;
      counters.running -= 1;
      if (reason !== undefined) count(reason);
      slotBell.resolve();
      slotBell = Promise.withResolvers();
    };
    try {
      await pause(behaviour.prefillMs ?? (behaviour.fault === "prefill" ? (behaviour.forMs ?? 30_000) : 0), signal);
      if (signal.aborted) return;
      counters.promptTokens += usage.prompt_tokens;
      await act(behaviour, movesOf(behaviour, hashOf(`${seed}\n${prompt}`), hasToolResults(request)), began, usage, reply, signal, leave);
    } finally {
      leave("abort");
    }
  }

  async function act(
    behaviour: Behaviour,
    moves: readonly Move[],
    began: number,
    usage: Usage,
    reply: Reply,
    signal: AbortSignal,
    leave: (reason: keyof Counters["ended"] | undefined) => void,
  ): Promise<void> {
    const { batch = 1 } = behaviour;
    let waiting: Extract<Move, { do: "token" | "call" }>[] = [];
    let holding = false;
    let last = began;
    const flush = async (): Promise<void> => {
      const pieces = waiting;
      waiting = [];
      // A chunk has tokens of one kind only.
      for (const run of runsOf(pieces)) await reply.pieces(run);
    };
    for (const move of moves) {
      if (signal.aborted) return;
      switch (move.do) {
        case "wait":
          await pause(move.ms, signal);
          break;
        case "step":
          await stepped(move.id, signal);
          break;
        case "token":
        case "call": {
          const now = clock.now();
          (usage.completion_tokens === 0 ? counters.firstToken : counters.interToken).push((now - last) / 1000);
          last = now;
          counters.generationTokens += 1;
          usage.completion_tokens += 1;
          usage.total_tokens += 1;
          waiting.push(move);
          if (holding) await reply.held();
          else if (waiting.length >= batch) await flush();
          break;
        }
        case "hold":
          if (!move.on && holding) await flush();
          else await flush();
          holding = move.on;
          break;
        case "lose":
          await flush();
          leave(undefined);
          break;
        case "drop":
          await flush();
          leave("abort");
          await settle(reply, move.how);
          return;
        case "error":
          await flush();
          leave("error");
          return reply.error("EngineCore encountered an issue. See stack trace for the root cause.");
        case "garbage":
          await flush();
          await reply.garbage();
          break;
        case "finish":
          await flush();
          leave(move.reason === "error" ? "error" : "stop");
          return reply.finish(move.reason);
      }
    }
  }

  /** The prompt's behaviour before the script's, the mix's and the defaults. */
  function choose(prompt: string, earlier: number, index: number): Behaviour {
    const own = firstObject(prompt) ?? {};
    const scripted = options.script?.[index];
    const fault = options.mix === undefined ? undefined : draw(options.mix, randomOf(hashOf(`${seed}\n${earlier}\n${prompt}`))());
    const drawn = fault === undefined ? {} : { ...options.numbers?.[fault], fault };
    const all: Behaviour = { ...options.defaults, ...drawn, ...scripted, ...own };
    return all.times !== undefined && earlier >= all.times ? { ...all, fault: "none" } : all;
  }

  function step(id: string, more = 1): undefined {
    const gate = steps.get(id) ?? { left: 0, bell: Promise.withResolvers<void>() };
    gate.left += more;
    gate.bell.resolve();
    steps.set(id, { left: gate.left, bell: Promise.withResolvers() });
  }

  async function stepped(id: string, signal: AbortSignal): Promise<void> {
    for (;;) {
      const gate = steps.get(id) ?? { left: 0, bell: Promise.withResolvers<void>() };
      steps.set(id, gate);
      if (signal.aborted) return;
      if (gate.left > 0) {
        gate.left -= 1;
        return;
      }
      await Promise.race([gate.bell.promise, untilGone(signal)]);
    }
  }

  async function pause(ms: number, signal: AbortSignal): Promise<void> {
    if (ms === Number.POSITIVE_INFINITY) await untilGone(signal);
    else if (ms > 0) await clock.sleep(ms, signal);
  }

  function count(reason: keyof Counters["ended"]): void {
    counters.ended[reason] += 1;
  }

  server.listen(options.port ?? 0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    port,
    requests,
    counters,
    step,
    async [Symbol.asyncDispose]() {
      const closed = once(server, "close");
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}

const PARAMETERS_OF_VLLM = ["return_token_ids", "continuous_usage_stats"];

function unknownParameter(body: Readonly<Record<string, unknown>>): string | undefined {
  const options = body["stream_options"];
  const names = new Set([...Object.keys(body), ...(typeof options === "object" && options !== null ? Object.keys(options) : [])]);
  return PARAMETERS_OF_VLLM.find((name) => names.has(name));
}

function toRequest(body: Readonly<Record<string, unknown>>, model: string, honours: boolean): ChatRequest {
  const streamOptions = (body["stream_options"] ?? {}) as Readonly<Record<string, unknown>>;
  return {
    model: typeof body["model"] === "string" ? body["model"] : model,
    stream: body["stream"] === true,
    messages: Array.isArray(body["messages"]) ? (body["messages"] as ChatRequest["messages"]) : [],
    includeUsage: streamOptions["include_usage"] === true,
    continuousUsage: honours && streamOptions["include_usage"] === true && streamOptions["continuous_usage_stats"] === true,
    tokenIds: honours && body["return_token_ids"] === true,
  };
}

function promptOf({ messages }: ChatRequest): string {
  return textOf(messages.findLast(({ role }) => role === "user")?.content);
}

function hasToolResults({ messages }: ChatRequest): boolean {
  return messages.findLastIndex(({ role }) => role === "tool") > messages.findLastIndex(({ role }) => role === "user");
}

function textOf(content: unknown): string {
  if (typeof content === "string") return content;
  if (!Array.isArray(content)) return "";
  return content.map((part: { readonly text?: string }) => part.text ?? "").join("");
}

function draw(mix: Readonly<Partial<Record<Fault, number>>>, at: number): Fault {
  const weights = Object.entries(mix) as [Fault, number][];
  let left = at * weights.reduce((sum, [, weight]) => sum + weight, 0);
  return weights.find(([, weight]) => (left -= weight) < 0)?.[0] ?? "none";
}

function runsOf<T extends { readonly do: string; readonly field?: string; readonly index?: number }>(pieces: readonly T[]): readonly (readonly T[])[] {
  const runs: T[][] = [];
  for (const piece of pieces) {
    const run = runs.at(-1);
    const first = run?.[0];
    if (run !== undefined && first?.do === piece.do && first.field === piece.field && first.index === piece.index) run.push(piece);
    else runs.push([piece]);
  }
  return runs;
}

/** Lets what was written reach the client first: a reset would overtake it. */
async function settle(reply: Reply, how: "fin" | "rst" | "eof"): Promise<void> {
  if (how === "rst") await new Promise((resolve) => setTimeout(resolve, 20));
  reply.drop(how);
}

function untilGone(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => signal.addEventListener("abort", () => resolve(), { once: true }));
}

function answer(response: ServerResponse, body: object): void {
  response.writeHead(200, { "content-type": "application/json" });
  response.end(JSON.stringify(body));
}

function refuse(response: ServerResponse, status: number, message: string, retryAfter?: number): void {
  const headers = { "content-type": "application/json", ...(retryAfter !== undefined && retryAfter > 0 && { "retry-after": String(retryAfter) }) };
  response.writeHead(status, headers);
  response.end(JSON.stringify({ error: { object: "error", message, type: status === 400 ? "BadRequestError" : "ServerError", param: null, code: status } }));
}
