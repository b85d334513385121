import { randomUUID } from "node:crypto";
import type { Message, StreamResponse, Task } from "../../model/a2a.ts";
import { EXTENSION_URI } from "../../model/entry.ts";
import { createSseParser } from "../../stream/sse-parse.ts";

/** One frame as it came. */
export interface ExtensionFrame {
  /** The SSE id; undefined where the server sent none. */
  readonly cursor: string | undefined;
  readonly event: StreamResponse;
}

/** How a request is made: with the extension, and with which other headers. */
export interface AskOptions {
  /** Names the extension in `A2A-Extensions`. Default true. */
  readonly active?: boolean;
  readonly lastEventId?: string;
  readonly idempotencyKey?: string;
  readonly signal?: AbortSignal;
  /** Told of each comment line. */
  readonly onComment?: (text: string) => void;
  /** Told of the response headers. */
  readonly onHeaders?: (headers: Headers) => void;
}

/** A2A 1.0 over one HTTP binding, with nothing kept back: what the cases speak. */
export interface Peer {
  send(message: Message, options?: AskOptions & { readonly configuration?: object }): Promise<Task>;
  getTask(id: string, options?: AskOptions): Promise<Task>;
  stream(message: Message, options?: AskOptions): AsyncGenerator<ExtensionFrame>;
  subscribe(task: string, options?: AskOptions): AsyncGenerator<ExtensionFrame>;
}

/** The server answered with an error; `body` is its JSON. */
export class PeerError extends Error {
  override readonly name = "PeerError";
  readonly body: unknown;
  constructor(message: string, body: unknown) {
    super(message);
    this.body = body;
  }
}

/** A peer over JSON-RPC at `url`. */
export function jsonRpcPeer(url: string): Peer {
  const body = (method: string, params: object): string => JSON.stringify({ jsonrpc: "2.0", id: 1, method, params });
  const open = (method: string, params: object, options: AskOptions): AsyncGenerator<ExtensionFrame> =>
    frames(post(url, body(method, params), options), options, (data) => unwrap<StreamResponse>(method, data));
  const call = async <T>(method: string, params: object, options: AskOptions): Promise<T> =>
    unwrap<T>(method, await (await post(url, body(method, params), options)).json());
  return {
    async send(message, { configuration = {}, ...options } = {}) {
      return (await call<{ task: Task }>("SendMessage", { message, configuration }, options)).task;
    },
    getTask: (id, options = {}) => call<Task>("GetTask", { id }, options),
    stream: (message, options = {}) => open("SendStreamingMessage", { message }, options),
    subscribe: (id, options = {}) => open("SubscribeToTask", { id }, options),
  };
}

/** A peer over HTTP+JSON at `url`. */
export function restPeer(url: string): Peer {
  const whole = async <T>(path: string, body: object | undefined, options: AskOptions): Promise<T> => {
    const response = await post(`${url}${path}`, body && JSON.stringify(body), options);
    const json: unknown = await response.json();
    if (!response.ok) throw new PeerError(`${path}: ${JSON.stringify(json)}`, json);
    return json as T;
  };
  const open = (path: string, body: object | undefined, options: AskOptions): AsyncGenerator<ExtensionFrame> =>
    frames(post(`${url}${path}`, body && JSON.stringify(body), options), options, (data) => data as StreamResponse);
  return {
    async send(message, { configuration = {}, ...options } = {}) {
      return (await whole<{ task: Task }>("/message:send", { message, configuration }, options)).task;
    },
    getTask: (id, options = {}) => whole<Task>(`/tasks/${encodeURIComponent(id)}`, undefined, options),
    stream: (message, options = {}) => open("/message:stream", { message }, options),
    subscribe: (id, options = {}) => open(`/tasks/${encodeURIComponent(id)}:subscribe`, undefined, options),
  };
}

/** A user's message of one text part with a fresh id. */
export function userText(text: string, more: Partial<Message> = {}): Message {
  return { messageId: randomUUID(), role: "ROLE_USER", parts: [{ text }], ...more };
}

async function post(url: string, body: string | undefined, options: AskOptions): Promise<Response> {
  const response = await fetch(url, {
    method: body === undefined && !url.endsWith(":subscribe") ? "GET" : "POST",
    ...(body !== undefined && { body }),
    ...(options.signal !== undefined && { signal: options.signal }),
    headers: {
      "content-type": "application/json",
      "a2a-version": "1.0",
      ...(options.active !== false && { "a2a-extensions": EXTENSION_URI }),
      ...(options.lastEventId !== undefined && { "last-event-id": options.lastEventId }),
      ...(options.idempotencyKey !== undefined && { "idempotency-key": options.idempotencyKey }),
    },
  });
  options.onHeaders?.(response.headers);
  return response;
}

async function* frames(opening: Promise<Response>, options: AskOptions, unwrapData: (data: unknown) => StreamResponse): AsyncGenerator<ExtensionFrame> {
  const response = await opening;
  if (response.headers.get("content-type")?.startsWith("text/event-stream") !== true || response.body === null) {
    const text = await response.text();
    throw new PeerError(`No stream: ${response.status} ${text.slice(0, 500)}`, text);
  }
  const parser = createSseParser();
  for await (const chunk of response.body) {
    for (const item of parser.push(chunk)) {
      if (item.kind === "comment") options.onComment?.(item.text);
      if (item.kind === "event") yield { cursor: item.id, event: unwrapData(JSON.parse(item.data)) };
    }
  }
}

function unwrap<T>(method: string, value: unknown): T {
  const { result, error } = value as { result?: T; error?: { message: string } };
  if (result === undefined) throw new PeerError(`${method}: ${error?.message}`, value);
  return result;
}
