import { ClientError } from "../../../src/lib/browser/client-error.ts";
import { createHttp } from "../../../src/lib/browser/http.ts";
import { createSocketSource, preferSocket } from "../../../src/lib/browser/socket.ts";
import type { Source } from "../../../src/lib/browser/source.ts";
import { createSseSource } from "../../../src/lib/browser/sse.ts";
import { takeTurns } from "../../../src/lib/browser/take-turns.ts";
import { pageNow, pause } from "./frame.ts";
import { LostWire, type Transport } from "./transport.ts";

// All streams of the page on one WebSocket: a browser allows six connections an origin, and there may be fifty streams. Where no WebSocket gets through, a few
// connections of server-sent events take turns.

const http = createHttp({});
const socket = createSocketSource(http, { usesTicket: false });

/** Subscriptions over the page's one connection. */
export const pageSource: Source = preferSocket(socket.source, takeTurns(createSseSource(http), { max: 4 }));

/** Streams over the page's one connection. */
export const connectShared: Transport = async function* ({ agent, task, after }, { signal, conditions }) {
  /** The moment from which on the next byte may pass. */
  let free = 0;
  try {
    for await (const piece of pageSource({ kind: "task", agent, task, audience: "internal", after }, signal)) {
      const { latencyMs = 0, bytesPerSecond } = conditions() ?? {};
      if (latencyMs > 0) await pause(latencyMs, signal);
      if (bytesPerSecond !== undefined) {
        free = Math.max(free, pageNow()) + (1000 * JSON.stringify(piece).length) / bytesPerSecond;
        await pause(free - pageNow(), signal);
      }
      signal.throwIfAborted();
      if (piece.kind === "opened") yield { kind: "opened", stream: piece.opened };
      else if (piece.kind === "entries" && piece.cursor !== undefined) yield { kind: "entries", entries: piece.entries, cursor: piece.cursor };
    }
  } catch (error) {
    if (error instanceof ClientError) throw new LostWire(error.message, { final: !error.retryable });
    throw error;
  }
  yield { kind: "end" };
};

/** Lets the page's connection go, with all streams on it: they come back with their cursors. */
export function dropShared(): void {
  socket.drop();
}
