import type { Json } from "../../../model/a2a.ts";
import type { OpenStream } from "../wire-client.ts";
import { sseData } from "./sse.ts";

/** A response with an event stream as an open stream; `unwrap` takes the StreamResponse out of one event's JSON. */
export function httpStream(response: Response, abort: AbortController, unwrap: (data: Json) => Json): OpenStream {
  // It is the response that has to be kept, not its body: fetch cancels the unread body of a response that is garbage.
  async function* events(): AsyncGenerator<Json, void, undefined> {
    if (response.body === null) return;
    for await (const data of sseData(response.body)) yield unwrap(data);
  }
  return {
    ok: true,
    headers: response.headers,
    events: events(),
    // The client's end goes; the task does not notice (disconnect is not cancel).
    [Symbol.asyncDispose]: async () => abort.abort(),
  };
}

/** Whether the response is an event stream. */
export function isEventStream(response: Response): boolean {
  return response.headers.get("content-type")?.startsWith("text/event-stream") === true;
}

/** The text as JSON, or as a string where it is none. */
export function parseLeniently(text: string): Json {
  try {
    return JSON.parse(text) as Json;
  } catch {
    return text;
  }
}

/** `fetch` that gives up when no response has begun after `timeoutMs`; afterwards the returned controller alone ends it. */
export async function fetchWithin(url: string, init: RequestInit, timeoutMs: number): Promise<{ response: Response; abort: AbortController }> {
  const abort = new AbortController();
  const timer = setTimeout(() => abort.abort(new Error(`no response from ${url} within ${timeoutMs} ms`)), timeoutMs);
  try {
    return { response: await fetch(url, { ...init, signal: abort.signal, redirect: "manual" }), abort };
  } finally {
    clearTimeout(timer);
  }
}
