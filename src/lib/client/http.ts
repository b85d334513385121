import type { GuardedFetch } from "../net/guarded-fetch.ts";
import type { Json } from "../model/a2a.ts";
import { EXTENSION_URI } from "../model/entry.ts";
import { IasError } from "../model/errors.ts";
import { createSseParser } from "../stream/sse-parse.ts";
import { fromHttpError } from "./remote-error.ts";
import type { WireFrame, WireOptions, WireStreamOptions } from "./wire.ts";

/** What the JSON-RPC and the REST wire share: requests with the service parameters, and streams of server-sent events. */
export interface HttpWireOptions {
  readonly fetch: GuardedFetch;
  readonly url: string;
  readonly version: "1.0" | "0.3";
  readonly tenant?: string;
  /** Credentials and the like, for every request. */
  readonly headers: Readonly<Record<string, string>>;
  readonly extensions: readonly string[];
  /** Largest answer of a call, bytes. */
  readonly maxResponseBytes: number;
  /** Longest wait for the answer of a call, ms; a blocking send may take as long as the task. */
  readonly callTimeoutMs: number;
}

/** One request of a binding over HTTP. */
export interface HttpRequest {
  readonly method: "GET" | "POST" | "DELETE";
  readonly url: string;
  readonly body?: string;
  readonly contentType?: string;
}

/** Calls and gives the JSON of a 2xx answer (null for an empty one). Throws what the agent or the network said. */
export async function callHttp(wire: HttpWireOptions, request: HttpRequest, options: WireOptions): Promise<Json> {
  const limits = {
    maxBytes: wire.maxResponseBytes,
    headersTimeoutMs: wire.callTimeoutMs,
    idleTimeoutMs: wire.callTimeoutMs,
    totalTimeoutMs: wire.callTimeoutMs,
  };
  const response = await wire.fetch(request.url, { ...toInit(wire, request, options, "application/json, application/a2a+json"), limits });
  const text = await response.text();
  if (!response.ok) throw fromHttpError(response.status, text, response.headers);
  return text === "" ? null : parse(text);
}

/** Opens a stream: each event's data as JSON, with its id as cursor. A plain JSON answer is one frame; a 204 is none. */
export async function* streamHttp(wire: HttpWireOptions, request: HttpRequest, options: WireStreamOptions): AsyncGenerator<WireFrame, void, undefined> {
  // The headers may come with the first event only, so the silence limit is theirs too.
  const limits = { maxBytes: Infinity, totalTimeoutMs: Infinity, headersTimeoutMs: options.idleTimeoutMs, idleTimeoutMs: options.idleTimeoutMs };
  const response = await wire.fetch(request.url, { ...toInit(wire, request, options, "text/event-stream, application/json"), limits });
  if (!response.ok) throw fromHttpError(response.status, await response.text(), response.headers);
  if (response.body === null) return;
  if (!/^text\/event-stream/i.test(response.headers.get("content-type") ?? "")) {
    const text = await response.text();
    if (text !== "") yield { payload: parse(text) };
    return;
  }
  const parser = createSseParser();
  let retryMs: number | undefined;
  for await (const chunk of response.body) {
    for (const item of parser.push(chunk)) {
      if (item.kind === "retry") retryMs = item.ms;
      if (item.kind !== "event" || (item.type !== "message" && item.type !== "error")) continue;
      yield {
        payload: parse(item.data),
        ...(item.id !== undefined && { cursor: item.id }),
        ...(retryMs !== undefined && { retryMs }),
        ...(item.type === "error" && { failed: true }),
      };
      retryMs = undefined;
    }
  }
}

/** An absolute URL of `path` below the wire's URL, whose query is kept (some servers keep keys there). */
export function below(wire: HttpWireOptions, path: string, query: Readonly<Record<string, string>> = {}): string {
  const url = new URL(wire.url);
  url.pathname = url.pathname.replace(/\/+$/, "") + path;
  for (const [name, value] of Object.entries(query)) url.searchParams.set(name, value);
  return url.href;
}

function toInit(wire: HttpWireOptions, request: HttpRequest, options: WireOptions & { readonly lastEventId?: string }, accept: string): RequestInit {
  const extensions = [...new Set([EXTENSION_URI, ...wire.extensions])].join(",");
  return {
    method: request.method,
    headers: {
      accept,
      // 0.3 knows no version header, and its extensions header has an X.
      ...(wire.version === "1.0" ? { "a2a-version": "1.0", "a2a-extensions": extensions } : { "x-a2a-extensions": extensions }),
      ...(request.body !== undefined && { "content-type": request.contentType ?? "application/json" }),
      ...(options.idempotencyKey !== undefined && { "idempotency-key": options.idempotencyKey }),
      ...(options.lastEventId !== undefined && { "last-event-id": options.lastEventId }),
      ...wire.headers,
    },
    ...(request.body !== undefined && { body: request.body }),
    ...(options.signal && { signal: options.signal }),
  };
}

function parse(text: string): Json {
  try {
    return JSON.parse(text) as Json;
  } catch (error) {
    throw new IasError("invalid-agent-response", `The agent sent what is not JSON: ${text.slice(0, 200)}`, { cause: error });
  }
}
