import type { IncomingMessage } from "node:http";
import { WebSocket, WebSocketServer } from "ws";
import { SOCKET_CLOSE } from "../model/api.ts";
import { IasError } from "../model/errors.ts";
import { joinKey } from "../model/key.ts";
import type { Limits } from "../model/limits.ts";
import { MAX_TIMER_MS } from "../stream/clock.ts";
import type { HeartbeatWheel } from "../stream/heartbeat.ts";
import { createPlaces } from "../stream/places.ts";
import { createIncoming } from "./incoming.ts";
import { createOutbox } from "./outbox.ts";
import type { Handshake, SocketConnection, SocketRoute, Sockets } from "./socket.ts";

/** What the WebSocket endpoints of a server share. */
export interface SocketsOptions {
  readonly routes: readonly SocketRoute[];
  readonly limits: Pick<Limits, "maxSockets" | "maxSocketsPerUser" | "maxSocketMessageBytes" | "maxBufferedBytes" | "maxStreamMs">;
  readonly wheel: HeartbeatWheel;
  readonly report: (error: IasError) => void;
}

/** For the peer's half of a closing handshake, and the same when the server stops, ms. */
const CLOSE_TIMEOUT_MS = 5000;
const END_TIMEOUT_MS = 1000;

/** Pings without an answer after which the peer counts as gone. */
const MAX_UNANSWERED = 2;

/**
 * What comes in large messages is compressed, tokens by themselves are not (decision 074): a token would cost ten times as much, a large message becomes a sixteenth for a
 * few ms of CPU a MB.
 * No window is kept between messages, so what one message holds does not show in the length of another. What compresses stays with a connection for its life, though:
 * a window of 4 KiB and small tables are 32 KB, an eighth of the default's. A client that asks for a smaller window than ours gets no compression at all; Python's
 * `websockets` asks for this one.
 */
const COMPRESSION = {
  threshold: 8 * 1024,
  serverNoContextTakeover: true,
  clientNoContextTakeover: true,
  serverMaxWindowBits: 12,
  zlibDeflateOptions: { level: 1, memLevel: 5 },
};

/** RFC 6455: a control frame holds 125 bytes, two of which are the code. */
const MAX_REASON_BYTES = 123;

/** RFC 6455's own: something went wrong in the server. */
const INTERNAL_ERROR = 1011;

/** The WebSocket side of a server, on `ws`. It opens no port. */
export function createSockets(options: SocketsOptions): Sockets {
  const { limits, wheel, report } = options;
  /** The subprotocol of the endpoint that a request is for. */
  const spoken = new WeakMap<IncomingMessage, string>();
  const maxPayload = 2 * limits.maxSocketMessageBytes;
  const server = new WebSocketServer({
    noServer: true,
    clientTracking: false,
    perMessageDeflate: COMPRESSION,
    // What is longer than the limit is refused below, with a reason; what is much longer is not even read.
    maxPayload,
    handleProtocols(offered, request) {
      const protocol = spoken.get(request);
      return protocol !== undefined && offered.has(protocol) && protocol;
    },
  });
  const places = createPlaces({ max: limits.maxSockets, perOwner: limits.maxSocketsPerUser, refuse: tooMany });
  const open = new Map<WebSocket, (code: number, reason: string) => void>();
  const watchIncoming = createIncoming({ maxBytes: limits.maxBufferedBytes, maxMessageBytes: maxPayload });
  let emptied: (() => void) | undefined;
  let ending: Promise<void> | undefined;

  const upgrade = ({ request, socket, head, endpoint }: Omit<Handshake, "principal">, then: (ws: WebSocket) => void): void => {
    checkHandshake(request, endpoint.protocol);
    spoken.set(request, endpoint.protocol);
    server.handleUpgrade(request, socket, head, then);
  };

  const serve = (ws: WebSocket, { request, socket, endpoint, principal, url }: Handshake): void => {
    const gone = new AbortController();
    let take: ((message: Buffer) => void) | undefined;
    let isClosing = false;
    let unanswered = 0;
    let isCorked = false;
    const incoming = watchIncoming();

    const uncork = (): void => {
      isCorked = false;
      socket.uncork();
    };
    const outbox = createOutbox({
      buffered: () => ws.bufferedAmount,
      send(text) {
        if (ws.readyState !== WebSocket.OPEN) return;
        // What is sent in one turn of the event loop, of however many streams, is one system call.
        if (!isCorked) {
          isCorked = true;
          socket.cork();
          process.nextTick(uncork);
        }
        ws.send(text, onSent);
      },
      pause: () => ws.pause(),
      resume: () => ws.resume(),
    });
    const onSent = (): void => {
      // Only a full buffer that empties proves that somebody reads; the system takes a lot for a peer that is gone.
      if (outbox.sent()) unanswered = 0;
    };
    const close = (code: number, reason: string): void => {
      if (isClosing) return;
      isClosing = true;
      ws.resume();
      closeWithin(ws, code, reason);
      gone.abort();
    };
    const onMessage = (message: Buffer, isBinary: boolean): void => {
      unanswered = 0;
      if (isClosing) return;
      if (isBinary) return close(SOCKET_CLOSE.badMessage, "Messages are text, not binary.");
      if (message.length > limits.maxSocketMessageBytes)
        return close(SOCKET_CLOSE.tooLarge, `A message is longer than ${limits.maxSocketMessageBytes} bytes (maxSocketMessageBytes).`);
      try {
        take?.(message);
      } catch (error) {
        report(IasError.from(error));
        close(INTERNAL_ERROR, "Internal error.");
      }
    };
    const beat = (): void => {
      if (unanswered >= MAX_UNANSWERED) return close(SOCKET_CLOSE.gone, "Pings were not answered.");
      unanswered += 1;
      ws.ping();
    };
    // A tenth earlier or later, so that connections which began together do not end together.
    const ageMs = Math.min(limits.maxStreamMs * (0.9 + Math.random() * 0.2), MAX_TIMER_MS);
    const age = setTimeout(() => close(SOCKET_CLOSE.restart, "This connection is old: come back with your cursors."), ageMs).unref();
    const leave = wheel.add(beat);
    open.set(ws, close);
    socket.on("data", (chunk: Buffer) => {
      if (incoming.read(chunk) || isClosing) return;
      close(SOCKET_CLOSE.tryLater, `Messages of ${limits.maxBufferedBytes} bytes are on their way to this server (maxBufferedBytes).`);
      // What it holds is held until it is gone.
      setTimeout(() => ws.terminate(), END_TIMEOUT_MS).unref();
    });
    ws.on("message", onMessage);
    ws.on("pong", () => {
      unanswered = 0;
    });
    // `close` follows, and says what there is to say.
    ws.on("error", () => {});
    ws.once("close", () => {
      isClosing = true;
      clearTimeout(age);
      leave();
      incoming.end();
      open.delete(ws);
      gone.abort();
      if (open.size === 0) emptied?.();
    });
    const connection: SocketConnection = {
      principal,
      url,
      header: (name) => headerOf(request, name),
      outbox,
      signal: gone.signal,
      receive(taker) {
        take = taker;
      },
      close,
    };
    endpoint.serve(connection);
  };

  const end = async (): Promise<void> => {
    if (open.size === 0) return;
    const all = Promise.withResolvers<void>();
    emptied = all.resolve;
    for (const close of open.values()) close(SOCKET_CLOSE.restart, "The server stops: come back with your cursors.");
    const cut = setTimeout(() => {
      for (const ws of open.keys()) ws.terminate();
    }, END_TIMEOUT_MS);
    await all.promise;
    clearTimeout(cut);
  };

  return {
    find(url) {
      for (const route of options.routes) {
        const endpoint = route(url);
        if (endpoint !== undefined) return endpoint;
      }
      return undefined;
    },
    accept(handshake) {
      if (ending !== undefined) throw new IasError("unavailable", "The server stops.", { retryable: true, retryAfterMs: 1000 });
      const { principal, request, socket } = handshake;
      const place = places.take(joinKey(principal.tenant, principal.user));
      const giveBack = (): void => place[Symbol.dispose]();
      socket.once("close", giveBack);
      try {
        handshake.endpoint.admit?.({ principal, address: request.socket.remoteAddress ?? "" });
        upgrade(handshake, (ws) => serve(ws, handshake));
      } catch (error) {
        giveBack();
        throw error;
      }
      if (socket.destroyed) giveBack();
    },
    turnAway(handshake, code, reason) {
      upgrade(handshake, (ws) => {
        ws.on("error", () => {});
        closeWithin(ws, code, reason);
      });
    },
    end: () => (ending ??= end()),
    get size() {
      return open.size;
    },
  };
}

/** A peer that does not answer the close is cut. */
function closeWithin(ws: WebSocket, code: number, reason: string): void {
  const cut = setTimeout(() => ws.terminate(), CLOSE_TIMEOUT_MS).unref();
  ws.once("close", () => clearTimeout(cut));
  ws.close(code, cutReason(reason));
}

/** What `ws` would refuse by itself, with our words. */
function checkHandshake(request: IncomingMessage, protocol: string): void {
  if (request.method !== "GET" || headerOf(request, "upgrade")?.toLowerCase() !== "websocket")
    throw new IasError("invalid-request", "This path takes WebSocket connections: GET with Upgrade: websocket.");
  const offered = headerOf(request, "sec-websocket-protocol");
  if (offered === undefined || offered.split(",").some((name) => name.trim() === protocol)) return;
  throw new IasError("invalid-request", `The subprotocol spoken here is ${protocol}.`);
}

function headerOf(request: IncomingMessage, name: string): string | undefined {
  const value = request.headers[name];
  return Array.isArray(value) ? value.join(", ") : value;
}

function cutReason(reason: string): string {
  let cut = reason.slice(0, MAX_REASON_BYTES).toWellFormed();
  while (Buffer.byteLength(cut) > MAX_REASON_BYTES) cut = cut.slice(0, -1).toWellFormed();
  return cut;
}

function tooMany(count: number, of: "all" | "owner"): IasError {
  const limit = of === "all" ? "maxSockets" : "of this user, maxSocketsPerUser";
  return new IasError("limit-reached", `${count} sockets are open (${limit}); try again in a moment.`, {
    reason: "TOO_MANY_SOCKETS",
    retryable: true,
    retryAfterMs: 1000,
  });
}
