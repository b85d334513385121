import type { StreamEntry, StreamOpened } from "../../../src/lib/model/api.ts";
import { createSseParser } from "../../../src/lib/stream/sse-parse.ts";
import { apiPath, readFailure } from "./call.ts";
import { pause, pageNow } from "./frame.ts";
import { type Conditions, LostWire, type Told, type Transport } from "./transport.ts";

/** `GET /api/tasks/{task}/events`. */
export const connectSse = createSse(({ agent, task }) => apiPath(`/api/tasks/${encodeURIComponent(task)}/events`, { agent, audience: "internal" }));

/** Streams of the API by fetch, so that they can be cut and slowed down, which `EventSource` cannot. `pathOf` a stream takes `Last-Event-ID`. */
export function createSse(pathOf: (stream: { readonly agent: string; readonly task: string }) => string): Transport {
  return (request, options) => connect(pathOf(request), request.after, options);
}

async function* connect(path: string, after: string | undefined, { signal, conditions }: Parameters<Transport>[1]): AsyncGenerator<Told, void, undefined> {
  const response = await fetch(path, { signal, headers: { accept: "text/event-stream", ...(after !== undefined && { "last-event-id": after }) } });
  if (response.status === 204) {
    yield { kind: "end" };
    return;
  }
  if (!response.ok || response.body === null) throw await failure(response);
  const parser = createSseParser();
  for await (const bytes of paced(response.body, conditions, signal)) {
    let entries: StreamEntry[] = [];
    let cursor: string | undefined;
    const told: Told[] = [];
    const close = (): void => {
      if (entries.length > 0 && cursor !== undefined) told.push({ kind: "entries", entries, cursor });
      entries = [];
    };
    for (const item of parser.push(bytes)) {
      if (item.kind !== "event") continue;
      if (item.type === "open") told.push({ kind: "opened", stream: JSON.parse(item.data) as StreamOpened });
      else if (item.type === "message") {
        entries.push(JSON.parse(item.data) as StreamEntry);
        cursor = item.id;
      } else if (item.type === "end") {
        close();
        told.push({ kind: "end" });
      } else if (item.type === "error") throw new LostWire(item.data, { final: false });
    }
    close();
    yield* told;
  }
}

/** What is asked for and refused stays refused; all else is worth another try. */
async function failure(response: Response): Promise<LostWire> {
  const error = await readFailure(response);
  return new LostWire(error.message, { final: response.status < 500 && response.status !== 429 && response.status !== 408 });
}

/** Bytes as the conditions let them through: late, and no more a second than allowed. */
async function* paced(body: ReadableStream<Uint8Array>, conditions: () => Conditions | undefined, signal: AbortSignal): AsyncGenerator<Uint8Array> {
  const reader = body.getReader();
  /** The moment from which on the next byte may pass. */
  let free = 0;
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      const { latencyMs = 0, bytesPerSecond } = conditions() ?? {};
      if (latencyMs > 0) await pause(latencyMs, signal);
      if (bytesPerSecond !== undefined) {
        free = Math.max(free, pageNow()) + (1000 * value.length) / bytesPerSecond;
        await pause(free - pageNow(), signal);
      }
      signal.throwIfAborted();
      yield value;
    }
  } finally {
    // Left early, or aborted: nobody reads the rest.
    await reader.cancel().catch(() => undefined);
  }
}
