import { ClientError } from "../../../src/lib/browser/client-error.ts";
import { createHttp } from "../../../src/lib/browser/http.ts";
import { createSocketSource, preferSocket } from "../../../src/lib/browser/socket.ts";
import type { Source } from "../../../src/lib/browser/source.ts";
import { createSseSource } from "../../../src/lib/browser/sse.ts";
import { takeTurns } from "../../../src/lib/browser/take-turns.ts";
import { LostWire, signedOut, type Transport } from "./transport.ts";
import { worsen } from "./worse.ts";

// All streams of the page on one WebSocket: a browser allows six connections an origin, and there may be fifty streams. Where no WebSocket gets through, a few
// connections of server-sent events take turns.

const http = createHttp({});
const socket = createSocketSource(http, { usesTicket: false });

/** Subscriptions over the page's one connection. */
export const pageSource: Source = preferSocket(socket.source, takeTurns(createSseSource(http), { max: 4 }));

/** Streams over the page's one connection. */
export const connectShared: Transport = async function* ({ agent, task, after }, { signal, conditions }) {
  try {
    const pieces = pageSource({ kind: "task", agent, task, audience: "internal", after }, signal);
    for await (const piece of worsen(pieces, { sizeOf: (one) => JSON.stringify(one).length, conditions, signal })) {
      if (piece.kind === "opened") yield { kind: "opened", stream: piece.opened };
      else if (piece.kind === "entries" && piece.cursor !== undefined) yield { kind: "entries", entries: piece.entries, cursor: piece.cursor };
    }
  } catch (error) {
    if (error instanceof ClientError && error.code === "unauthenticated") throw await signedOut(error.message);
    if (error instanceof ClientError) throw new LostWire(error.message, { final: !error.retryable });
    throw error;
  }
  yield { kind: "end" };
};

/** Lets the page's connection go, with all streams on it: they come back with their cursors. */
export function dropShared(): void {
  socket.drop();
}
