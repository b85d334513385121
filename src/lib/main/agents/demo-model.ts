import { setTimeout as wait } from "node:timers/promises";
import type { AgentInputItem, Model, ModelRequest, StreamEvent } from "@openai/agents";
import type { Sdk } from "../../engine/openai-agents/sdk.ts";
import { tokens, type Sleep } from "../../engine/scripted.ts";

/** What a scripted model does next: speaks, or calls a tool (a hand-off is one too). */
export type Move = { readonly say: string } | { readonly call: string; readonly arguments: object; readonly because: string };

/** What a scripted model goes by: the user's last words, and what its tools have answered since, oldest first. */
export interface View {
  readonly said: string;
  readonly results: readonly { readonly tool: string; readonly output: string }[];
}

/** How fast the model speaks. */
export interface DemoModelOptions {
  readonly sdk: Sdk;
  /** Between two tokens, in ms. Default 25. */
  readonly tokenMs?: number;
  readonly sleep?: Sleep;
}

/** A model without weights, key or network, for the SDK's real run loop: it moves by `brain` and speaks token by token. */
export function createDemoModel(brain: (view: View) => Move, options: DemoModelOptions): Model {
  const { sdk, tokenMs = 25, sleep = (ms, given) => wait(ms, undefined, given) } = options;
  const never = new AbortController().signal;

  const stream = async function* (request: ModelRequest): AsyncGenerator<StreamEvent, void, undefined> {
    const signal = request.signal ?? never;
    const move = brain(viewOf(request.input));
    const words = "say" in move ? move.say : move.because;
    let first = true;
    yield { type: "response_started" };
    for (const token of tokens(words)) {
      signal.throwIfAborted();
      if (!first && tokenMs > 0) await sleep(tokenMs, { signal });
      first = false;
      yield "say" in move
        ? { type: "output_text_delta", delta: token }
        : { type: "model", event: { type: "response.reasoning_summary_text.delta", delta: token } };
    }
    const inputTokens = tokens(JSON.stringify(request.input)).length;
    const outputTokens = tokens(words).length;
    const usage = { requests: 1, inputTokens, outputTokens, totalTokens: inputTokens + outputTokens };
    yield { type: "response_done", response: { id: `demo-${crypto.randomUUID()}`, usage, output: [outputOf(move)] } };
  };

  return {
    getStreamedResponse: stream,
    async getResponse(request) {
      for await (const event of stream(request)) {
        if (event.type !== "response_done") continue;
        const { id, output, usage } = event.response;
        return {
          responseId: id,
          output,
          usage: new sdk.Usage({ inputTokens: usage.inputTokens, outputTokens: usage.outputTokens, totalTokens: usage.totalTokens }),
        };
      }
      throw new Error("A scripted model always ends its response.");
    },
  };
}

type Output = Extract<StreamEvent, { type: "response_done" }>["response"]["output"][number];

function outputOf(move: Move): Output {
  if ("say" in move) return { type: "message", role: "assistant", status: "completed", content: [{ type: "output_text", text: move.say }] };
  return { type: "function_call", callId: `call-${crypto.randomUUID()}`, name: move.call, status: "completed", arguments: JSON.stringify(move.arguments) };
}

function viewOf(input: string | readonly AgentInputItem[]): View {
  if (typeof input === "string") return { said: input, results: [] };
  const at = input.findLastIndex((item) => "role" in item && item.role === "user");
  const user = input[at];
  return {
    said: user !== undefined && "role" in user && user.role === "user" ? wordsOf(user.content) : "",
    // A hand-off is not a tool's answer: who takes over starts with the user's words.
    results: input.slice(at + 1).flatMap((item) => {
      if (item.type !== "function_call_result" || item.name.startsWith("transfer_to_")) return [];
      return [{ tool: item.name, output: wordsOf(item.output) }];
    }),
  };
}

function wordsOf(content: unknown): string {
  if (typeof content === "string") return content;
  const parts: readonly unknown[] = Array.isArray(content) ? content : [content];
  return parts.map((part) => (typeof part === "object" && part !== null && "text" in part && typeof part.text === "string" ? part.text : "")).join(" ");
}
