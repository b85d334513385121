import type { SocketEvent, SocketRequest } from "../model/api.ts";
import type { ErrorCode } from "../model/errors.ts";
import { createInbox, type Inbox, orAborted } from "./inbox.ts";
import { ClientError, fromApiError, lost } from "./client-error.ts";
import { type Http, withQuery } from "./http.ts";
import type { Source, Subscription } from "./source.ts";

/** Streams by one WebSocket for all. */
export interface SocketSource {
  readonly source: Source;
  /** Lets the connection go; what is subscribed counts as lost. */
  drop(): void;
}

/** How a socket is used. */
export interface SocketOptions {
  /** The page has no cookie session: a one-time ticket goes with the handshake. */
  readonly usesTicket: boolean;
  /** Silence after which the server is asked for a sign of life, ms; as much again, and the connection counts as lost. Default 20 s. */
  readonly silenceMs?: number;
  /** How long a connection without streams is kept, ms. Default 1 s. */
  readonly lingerMs?: number;
}

/** Bytes that the server may send ahead of a stream's reader. */
const CREDIT = 256 * 1024;

/** How often the server is told what was dealt with, ms. */
const ACK_MS = 500;

/** Close codes after which coming back does not help, as errors; all others are lost connections. */
const FINAL: Readonly<Record<number, ErrorCode>> = { 4400: "invalid-request", 4401: "unauthenticated", 4403: "forbidden", 4413: "too-large" };

interface Link {
  subscribe(subscription: Subscription): Pick<Inbox, "next"> & { close(): void };
  drop(): void;
}

/** All streams over one WebSocket to `/api/ws`, opened with the first and closed after the last. */
export function createSocketSource(http: Http, options: SocketOptions): SocketSource {
  let link: Promise<Link> | undefined;

  const connect = (): Promise<Link> => {
    const dialed = dial(http, options, () => {
      if (link === dialed) link = undefined;
    });
    dialed.catch(() => {
      if (link === dialed) link = undefined;
    });
    return dialed;
  };

  return {
    async *source(subscription, signal) {
      const inbox = (await orAborted((link ??= connect()), signal)).subscribe(subscription);
      try {
        for (let piece = await inbox.next(signal); piece !== undefined; piece = await inbox.next(signal)) yield piece;
      } finally {
        inbox.close();
      }
    },
    drop() {
      link?.then(
        (open) => open.drop(),
        () => undefined,
      );
    },
  };
}

/** Opens a connection and waits for the server's hello. Throws why there is none, which a browser does not tell: HTTP is asked. */
async function dial(http: Http, options: SocketOptions, gone: () => void): Promise<Link> {
  const ticket = options.usesTicket ? (await http.json<{ readonly ticket: string }>("POST", "/api/tickets")).ticket : undefined;
  const page = (globalThis as { readonly location?: { readonly href: string } }).location?.href;
  const url = new URL(http.baseUrl + withQuery("/api/ws", { ticket }), page);
  url.protocol = url.protocol.replace("http", "ws");
  const socket = new WebSocket(url, ["ias.api.v1"]);
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const onHello = (): void => resolve();
  const onClose = (event: { readonly code: number; readonly reason: string }): void => reject(toError(event));
  const timer = setTimeout(() => reject(lost("The server did not answer the WebSocket handshake.")), 10_000);
  socket.addEventListener("message", onHello, { once: true });
  socket.addEventListener("close", onClose);
  try {
    await promise;
  } catch (error) {
    socket.close();
    if (error instanceof ClientError && !error.retryable) throw error;
    await http.json("GET", "/api/session", { tries: 1 });
    throw lost("The server is reached, but not by WebSocket.", { cause: error, reason: "SOCKET_BLOCKED" });
  } finally {
    clearTimeout(timer);
    socket.removeEventListener("message", onHello);
    socket.removeEventListener("close", onClose);
  }
  return createLink(socket, options, gone);
}

function createLink(socket: WebSocket, { silenceMs = 20_000, lingerMs = 1000 }: SocketOptions, gone: () => void): Link {
  const inboxes = new Map<number, Inbox>();
  /** By subscription, how far the page is and the server was not told yet. */
  const dealtWith = new Map<number, string>();
  let count = 0;
  let heard = false;
  let asked = false;
  let ended: ClientError | undefined;
  let watch: ReturnType<typeof setTimeout> | undefined;
  let linger: ReturnType<typeof setTimeout> | undefined;
  let acks: ReturnType<typeof setTimeout> | undefined;

  const say = (request: SocketRequest): void => {
    if (ended === undefined) socket.send(JSON.stringify(request));
  };

  const end = (error: ClientError): void => {
    if (ended !== undefined) return;
    ended = error;
    for (const timer of [watch, linger, acks]) clearTimeout(timer);
    gone();
    for (const inbox of inboxes.values()) inbox.fail(error);
    inboxes.clear();
    socket.close();
  };

  // A browser answers pings unseen: only a message shows that the server is there.
  const listen = (): void => {
    watch = setTimeout(() => {
      if (!heard && asked) return end(lost("The server is silent."));
      asked = !heard;
      if (asked) say({ op: "ping", ref: 0 });
      heard = false;
      listen();
    }, silenceMs);
  };

  const sendAcks = (): void => {
    acks = undefined;
    for (const [sub, cursor] of dealtWith) if (inboxes.has(sub)) say({ op: "ack", sub, cursor });
    dealtWith.clear();
  };

  /** Also one that is new: whoever asked for it may have left by now. */
  const rest = (): void => {
    if (inboxes.size === 0) linger = setTimeout(() => end(lost("The connection had nothing to do.")), lingerMs);
  };

  socket.addEventListener("close", (event) => end(toError(event)));
  socket.addEventListener("message", ({ data }: { readonly data: unknown }) => {
    if (typeof data !== "string" || ended !== undefined) return;
    heard = true;
    const event = JSON.parse(data) as SocketEvent;
    const inbox = "sub" in event && event.sub !== undefined ? inboxes.get(event.sub) : undefined;
    if (event.op === "opened") inbox?.take({ kind: "opened", opened: event.stream }, 0);
    else if (event.op === "entries") inbox?.take({ kind: "entries", cursor: event.cursor, entries: event.entries }, byteLength(data));
    else if (event.op === "feed") inbox?.take({ kind: "feed", cursor: event.cursor === "" ? undefined : event.cursor, frames: event.frames }, byteLength(data));
    else if (event.op === "end") inbox?.finish();
    else if (event.op === "error") inbox?.fail(fromApiError(event));
  });
  listen();
  rest();
  if (socket.readyState !== 1) end(lost("The WebSocket was closed at once."));

  return {
    subscribe(subscription) {
      if (ended !== undefined) throw ended;
      clearTimeout(linger);
      const sub = (count += 1);
      let owed = 0;
      const inbox = createInbox((piece, bytes) => {
        if (piece.kind === "entries" && piece.cursor !== undefined) {
          dealtWith.set(sub, piece.cursor);
          acks ??= setTimeout(sendAcks, ACK_MS);
        }
        owed += bytes;
        if (owed < CREDIT / 2) return;
        say({ op: "credit", sub, bytes: owed });
        owed = 0;
      });
      inboxes.set(sub, inbox);
      say(toRequest(sub, subscription));
      return {
        next: (signal) => inbox.next(signal),
        close() {
          if (!inboxes.delete(sub)) return;
          if (!inbox.isOver) say({ op: "unsubscribe", sub });
          rest();
        },
      };
    },
    drop: () => end(lost("The connection was let go.", { retryAfterMs: 0 })),
  };
}

function toRequest(sub: number, { kind, ...wanted }: Subscription): SocketRequest {
  // Members that are undefined are none in JSON.
  return { op: kind === "task" ? "subscribe" : "subscribe-feed", sub, credit: CREDIT, ...wanted } as unknown as SocketRequest;
}

/** Bytes of a text in UTF-8, as the server counts credit. */
function byteLength(text: string): number {
  let bytes = text.length;
  for (let at = 0; at < text.length; at += 1) {
    const unit = text.charCodeAt(at);
    if (unit > 0x7f) bytes += unit < 0x800 || (unit & 0xf800) === 0xd800 ? 1 : 2;
  }
  return bytes;
}

function toError({ code, reason }: { readonly code: number; readonly reason: string }): ClientError {
  const final = FINAL[code];
  const message = `The server closed the WebSocket: ${code}${reason === "" ? "" : ` ${reason}`}`;
  return final === undefined ? lost(message) : new ClientError(final, message);
}

/** A socket, or server-sent events for a minute wherever HTTP gets through and a WebSocket does not (some proxies). */
export function preferSocket(socket: Source, sse: Source): Source {
  let blockedUntil = 0;
  return async function* (subscription, signal) {
    if (performance.now() >= blockedUntil) {
      try {
        yield* socket(subscription, signal);
        return;
      } catch (error) {
        if (!(error instanceof ClientError) || error.reason !== "SOCKET_BLOCKED") throw error;
        blockedUntil = performance.now() + 60_000;
      }
    }
    yield* sse(subscription, signal);
  };
}
