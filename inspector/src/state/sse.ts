import type { StreamEntry, StreamOpened } from "../../../src/lib/model/api.ts";
import { createSseParser } from "../../../src/lib/stream/sse-parse.ts";
import { apiPath, readFailure } from "./call.ts";
import { LostWire, signedOut, type Told, type Transport } from "./transport.ts";
import { worsen } from "./worse.ts";

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
  for await (const bytes of worsen(bytesOf(response.body), { sizeOf: ({ length }) => length, conditions, signal })) {
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
  if (response.status === 401) return signedOut(error.message);
  return new LostWire(error.message, { final: response.status < 500 && response.status !== 429 && response.status !== 408 });
}

async function* bytesOf(body: ReadableStream<Uint8Array>): AsyncGenerator<Uint8Array, void, undefined> {
  const reader = body.getReader();
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      yield value;
    }
  } finally {
    // Left early, or aborted: nobody reads the rest.
    await reader.cancel().catch(() => undefined);
  }
}
