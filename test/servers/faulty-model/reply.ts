import type { ServerResponse } from "node:http";
import type { Move } from "./behaviour.ts";

/** What a request asks for, of what matters here. */
export interface ChatRequest {
  readonly model: string;
  readonly stream: boolean;
  readonly messages: readonly { readonly role: string; readonly content?: unknown }[];
  readonly includeUsage: boolean;
  readonly continuousUsage: boolean;
  readonly tokenIds: boolean;
}

/** Token counts of one answer. */
export interface Usage {
  readonly prompt_tokens: number;
  completion_tokens: number;
  total_tokens: number;
}

type Piece = Extract<Move, { do: "token" | "call" }>;

/** Takes what an answer is made of, and writes it as the request asked. */
export interface Reply {
  /** Text is written as one chunk a call: a batch of tokens of one kind. */
  pieces(pieces: readonly Piece[]): Promise<void>;
  /** An engine step whose tokens the parser keeps: a chunk only where token ids were asked for. */
  held(): Promise<void>;
  finish(reason: string | undefined): Promise<void>;
  error(message: string): Promise<void>;
  garbage(): Promise<void>;
  drop(how: "fin" | "rst" | "eof"): void;
  readonly dropped: boolean;
  /** Chunks with text, reasoning or a part of a call that were written so far; and the texts of the answer among them. */
  readonly chunks: number;
  readonly texts: readonly string[];
  /** When the last of them was written, `performance.now()`. */
  readonly chunkAt: number | undefined;
}

/** Where reasoning stands: `reasoning`, in older versions `reasoning_content`. */
export type ReasoningField = "reasoning" | "reasoning_content";

/** Server-sent events as vLLM writes them. */
export function streamReply(response: ServerResponse, request: ChatRequest, usage: Usage, id: string, reasoningField: ReasoningField): Reply {
  const head = { id, object: "chat.completion.chunk", created: 1_767_225_600, model: request.model };
  const texts: string[] = [];
  let chunks = 0;
  let chunkAt: number | undefined;
  let begun = false;
  let dropped = false;
  response.writeHead(200, { "content-type": "text/event-stream; charset=utf-8", "cache-control": "no-cache" });
  response.flushHeaders();

  /** Resolves when the chunk has left this process: whatever a fault does to the connection, what came before it was sent. It waits for a slow reader. */
  const write = (data: string): Promise<void> =>
    new Promise((resolve) => {
      response.once("close", resolve);
      response.write(`data: ${data}\n\n`, () => {
        response.off("close", resolve);
        resolve();
      });
    });
  /** Tokens whose ids were told; a chunk has those of its own step. */
  let told = 0;
  const chunk = async (delta: object, finish: string | null): Promise<void> => {
    const ids = Array.from({ length: usage.completion_tokens - told }, (_, n) => told + n);
    told = usage.completion_tokens;
    const choice = { index: 0, delta, logprobs: null, finish_reason: finish, ...(request.tokenIds && { token_ids: ids }) };
    await write(JSON.stringify({ ...head, choices: [choice], ...(request.continuousUsage && { usage }) }));
  };
  /** The first chunk comes with the first result of the engine, never before. */
  const begin = async (): Promise<void> => {
    if (begun) return;
    begun = true;
    const choice = { index: 0, delta: { role: "assistant", content: "" }, logprobs: null, finish_reason: null };
    const none = { ...usage, completion_tokens: 0, total_tokens: usage.prompt_tokens };
    await write(JSON.stringify({ ...head, choices: [choice], ...(request.continuousUsage && { usage: none }) }));
  };

  return {
    async pieces(pieces) {
      await begin();
      const [first] = pieces;
      if (first === undefined) return;
      const text = pieces.map((piece) => piece.text).join("");
      chunks += 1;
      chunkAt = performance.now();
      if (first.do === "call") {
        const start = first.start === undefined ? {} : { id: first.start.id, type: "function" };
        const named = first.start === undefined ? {} : { name: first.start.name };
        await chunk({ tool_calls: [{ index: first.index, ...start, function: { ...named, arguments: text } }] }, null);
      } else {
        if (first.field === "content") texts.push(text);
        await chunk({ [first.field === "content" ? "content" : reasoningField]: text }, null);
      }
    },
    async held() {
      await begin();
      if (request.tokenIds) await chunk({}, null);
    },
    async finish(reason) {
      await begin();
      if (reason !== undefined) await chunk({ content: "" }, reason);
      if (request.includeUsage) await write(JSON.stringify({ ...head, choices: [], usage }));
      await write("[DONE]");
      response.end();
    },
    async error(message) {
      await write(JSON.stringify({ error: { object: "error", message, type: "InternalServerError", param: null, code: 500 } }));
      await write("[DONE]");
      response.end();
    },
    garbage: () => write('{"id": "chatcmpl-'),
    drop(how) {
      dropped = true;
      drop(response, how);
    },
    get dropped() {
      return dropped;
    },
    get chunks() {
      return chunks;
    },
    get chunkAt() {
      return chunkAt;
    },
    texts,
  };
}

/** One JSON document at the end. */
export function blockingReply(response: ServerResponse, request: ChatRequest, usage: Usage, id: string, reasoningField: ReasoningField): Reply {
  const all: Piece[] = [];
  let dropped = false;
  const send = (status: number, body: object): void => {
    response.writeHead(status, { "content-type": "application/json" });
    response.end(JSON.stringify(body));
  };
  const textOf = (field: "content" | "reasoning"): string =>
    all.flatMap((piece) => (piece.do === "token" && piece.field === field ? [piece.text] : [])).join("");
  const calls = (): object[] => {
    const starts = all.flatMap((piece) => (piece.do === "call" && piece.start !== undefined ? [{ index: piece.index, ...piece.start }] : []));
    return starts.map(({ index, id: call, name }) => ({
      id: call,
      type: "function",
      function: { name, arguments: all.flatMap((piece) => (piece.do === "call" && piece.index === index ? [piece.text] : [])).join("") },
    }));
  };
  return {
    async pieces(pieces) {
      all.push(...pieces);
    },
    async held() {},
    async finish(reason) {
      const reasoning = textOf("reasoning");
      const message = { role: "assistant", content: textOf("content"), ...(reasoning !== "" && { [reasoningField]: reasoning }), tool_calls: calls() };
      send(200, {
        id,
        object: "chat.completion",
        created: 1_767_225_600,
        model: request.model,
        choices: [{ index: 0, message, logprobs: null, finish_reason: reason ?? null }],
        usage,
      });
    },
    async error(message) {
      send(500, { error: { object: "error", message, type: "InternalServerError", param: null, code: 500 } });
    },
    async garbage() {
      response.end("<html>");
    },
    drop(how) {
      dropped = true;
      drop(response, how);
    },
    get dropped() {
      return dropped;
    },
    chunks: 0,
    chunkAt: undefined,
    texts: [],
  };
}

function drop(response: ServerResponse, how: "fin" | "rst" | "eof"): void {
  if (how === "eof") response.end();
  else if (how === "fin") response.socket?.end();
  else response.socket?.resetAndDestroy();
}
