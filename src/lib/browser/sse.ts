import type { ApiError, FeedFrame, StreamEntry, StreamOpened } from "../model/api.ts";
import { fromApiError, lost } from "./client-error.ts";
import { type Http, withQuery } from "./http.ts";
import type { Piece, Source, Subscription } from "./source.ts";

/** Silence after which a connection counts as lost, ms: three heartbeats of a server. */
const SILENCE_MS = 45_000;

/** The longest event, characters; a server's frames have 256 KiB. */
const MAX_EVENT = 16 * 1024 * 1024;

/** Streams by server-sent events over fetch: one connection each. */
export function createSseSource(http: Http, { silenceMs = SILENCE_MS }: { readonly silenceMs?: number } = {}): Source {
  return async function* (subscription, signal) {
    const stop = new AbortController();
    const abort = (): void => stop.abort(signal.reason);
    signal.addEventListener("abort", abort, { once: true });
    if (signal.aborted) abort();
    try {
      const response = await http.request(pathOf(subscription), { headers: { accept: "text/event-stream" }, signal: stop.signal });
      if (response.status === 204) return;
      if (response.body === null) throw lost("The server's stream has no body.");
      for await (const events of readEvents(response.body, stop, silenceMs)) {
        const { pieces, ended } = toPieces(events);
        yield* pieces;
        if (ended) return;
      }
      throw lost("The connection ended before the stream did.");
    } catch (error) {
      signal.throwIfAborted();
      throw error;
    } finally {
      signal.removeEventListener("abort", abort);
      stop.abort();
    }
  };
}

function pathOf(subscription: Subscription): string {
  if (subscription.kind === "feed") return withQuery("/api/feed", { ...subscription, kind: undefined });
  return withQuery(`/api/tasks/${encodeURIComponent(subscription.task)}/events`, { ...subscription, kind: undefined, task: undefined });
}

interface ServerSentEvent {
  readonly type: string;
  readonly id: string | undefined;
  readonly data: string;
}

/** The events that arrived together, again and again. What is not closed by an empty line when the connection ends is dropped, as WHATWG has it. */
async function* readEvents(
  body: ReadableStream<Uint8Array>,
  stop: AbortController,
  silenceMs: number,
): AsyncGenerator<readonly ServerSentEvent[], void, undefined> {
  const reader = body.getReader();
  const decoder = new TextDecoder();
  let text = "";
  for (;;) {
    const timer = setTimeout(() => stop.abort(lost(`The server was silent for ${silenceMs} ms.`)), silenceMs);
    const { done, value } = await reader.read().finally(() => clearTimeout(timer));
    if (done) return;
    // The server writes LF alone.
    text += decoder.decode(value, { stream: true });
    const end = text.lastIndexOf("\n\n");
    if (end === -1) {
      if (text.length > MAX_EVENT) throw lost("An event of the stream is too long.", { retryable: false });
      continue;
    }
    const events: ServerSentEvent[] = [];
    for (const block of text.slice(0, end).split("\n\n")) {
      let [type, id, data]: [string, string | undefined, string | undefined] = ["message", undefined, undefined];
      for (const line of block.split("\n")) {
        if (line.startsWith("data:")) data = data === undefined ? line.slice(line[5] === " " ? 6 : 5) : `${data}\n${line.slice(line[5] === " " ? 6 : 5)}`;
        else if (line.startsWith("id:")) id = line.slice(3).trim();
        else if (line.startsWith("event:")) type = line.slice(6).trim();
      }
      if (data !== undefined) events.push({ type, id, data });
    }
    text = text.slice(end + 2);
    if (events.length > 0) yield events;
  }
}

/** Entries that arrived together as one piece; `ended` with an event `end`. */
function toPieces(events: readonly ServerSentEvent[]): { readonly pieces: readonly Piece[]; readonly ended: boolean } {
  const pieces: Piece[] = [];
  let entries: StreamEntry[] = [];
  let frames: FeedFrame[] = [];
  let cursor: string | undefined;
  const flush = (): void => {
    if (entries.length > 0) pieces.push({ kind: "entries", cursor, entries });
    else if (frames.length > 0 || cursor !== undefined) pieces.push({ kind: "feed", cursor, frames });
    [entries, frames, cursor] = [[], [], undefined];
  };
  for (const { type, id, data } of events) {
    if (type === "end") {
      flush();
      return { pieces, ended: true };
    }
    const value = JSON.parse(data) as unknown;
    if (type === "error") throw fromApiError(value as ApiError);
    if (type === "open") {
      if (isOpened(value)) pieces.push({ kind: "opened", opened: value });
    } else {
      if (type === "message") {
        if (isFrame(value)) frames.push(value);
        else entries.push(value as StreamEntry);
      }
      cursor = id ?? cursor;
    }
  }
  flush();
  return { pieces, ended: false };
}

/** A feed opens too, but of no one task. */
function isOpened(value: unknown): value is StreamOpened {
  return value !== null && typeof value === "object" && "cursor" in value && "opening" in value;
}

function isFrame(value: unknown): value is FeedFrame {
  return value !== null && typeof value === "object" && "entries" in value;
}
