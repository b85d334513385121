import type { Json, JsonObject } from "../model/a2a.ts";
import { SOCKET_CLOSE } from "../model/api.ts";
import { EXTENSION_URI } from "../model/entry.ts";
import { type ErrorCode, IasError } from "../model/errors.ts";
import { A2A_SOCKET_PROTOCOL } from "../model/websocket-binding.ts";
import type { GuardedSocket } from "../net/guarded-socket.ts";
import type { HttpWireOptions } from "./http.ts";
import { createInbox, type Inbox } from "./inbox.ts";
import { asObject, asText } from "./json.ts";
import { fromHttpError, fromRpcError } from "./remote-error.ts";
import type { Operation, Wire, WireFrame, WireOptions, WireStreamOptions } from "./wire.ts";

/** Bytes that a stream may send ahead of its reader; half of it used up is granted anew. */
const CREDIT = 256 * 1024;

/** Silence of the connection after which it is asked whether it lives, ms, and after which it is given up. A stream may ask for less. */
const PING_MS = 15_000;
const DEAD_MS = 45_000;

/** One connection, and what waits on it by request id. */
interface Link {
  readonly socket: GuardedSocket;
  readonly inboxes: Map<number, Inbox>;
  heardAt: number;
  isLost: boolean;
}

/**
 * A2A over WebSocket (PROTOCOL.md, section 9): all calls and streams share a connection, which opens with the first of them and, if it was lost, again with the
 * next. A lost connection throws `unavailable` or `timeout`, both retryable, into all that waited on it.
 */
export function createWebSocketWire(options: HttpWireOptions): Wire {
  let link: Promise<Link> | undefined;
  let lastId = 0;
  let closed = false;

  async function connect(): Promise<Link> {
    if (closed) throw new IasError("unavailable", "The client is closed.");
    const inboxes = new Map<number, Inbox>();
    const made: { link?: Link } = {};
    const end = (error: IasError): void => {
      link = undefined;
      if (made.link !== undefined) made.link.isLost = true;
      clearInterval(timer);
      for (const inbox of inboxes.values()) inbox.fail(error);
    };
    const timer = setInterval(() => {
      if (made.link !== undefined) watch(made.link, end);
    }, PING_MS / 3).unref();
    try {
      const socket = await options.fetch.socket(options.url, {
        protocols: [A2A_SOCKET_PROTOCOL],
        headers: options.headers,
        onMessage(text) {
          if (made.link !== undefined) made.link.heardAt = Date.now();
          deliver(inboxes, text, options.maxResponseBytes);
        },
        onClose: (code, reason) => end(toCloseError(code, reason)),
      });
      made.link = { socket, inboxes, heardAt: Date.now(), isLost: false };
      return made.link;
    } catch (error) {
      clearInterval(timer);
      link = undefined;
      throw await explain(error);
    }
  }

  /** A handshake that was refused shows no status; a plain request at the same place does. */
  async function explain(error: unknown): Promise<unknown> {
    if (!(error instanceof IasError) || error.reason !== "CONNECT_FAILED") return error;
    try {
      const response = await options.fetch(options.url.replace(/^ws/i, "http"), {
        headers: options.headers,
        limits: { maxRedirects: 0, totalTimeoutMs: 10_000 },
      });
      const text = await response.text();
      return [401, 403, 404, 429, 503].includes(response.status) ? fromHttpError(response.status, text, response.headers) : error;
    } catch {
      return error;
    }
  }

  /** Sends a request and gives what comes for it. `leave` says that nothing more is wanted. */
  async function ask(method: Operation, params: JsonObject, call: WireOptions & { readonly lastEventId?: string }, credit?: number) {
    const used = await (link ??= connect());
    if (call.signal?.aborted === true) throw aborted(call.signal);
    const { socket, inboxes } = used;
    lastId += 1;
    const id = lastId;
    const inbox = createInbox();
    const onAbort = (): void => inbox.fail(aborted(call.signal));
    call.signal?.addEventListener("abort", onAbort);
    inboxes.set(id, inbox);
    const tenant = options.tenant === undefined ? {} : { tenant: options.tenant };
    const request = { jsonrpc: "2.0", id, method, params: { ...tenant, ...params }, headers: headersOf(options, call) };
    socket.send(JSON.stringify(credit === undefined ? request : { ...request, credit }));
    const notify = (name: string, more: JsonObject): void => socket.send(JSON.stringify({ jsonrpc: "2.0", method: name, params: { id, ...more } }));
    return {
      inbox,
      grant: (bytes: number) => notify("$/credit", { bytes }),
      leave(isOver: boolean) {
        call.signal?.removeEventListener("abort", onAbort);
        if (inboxes.delete(id) && !isOver && !used.isLost) notify("$/stop", {});
      },
    };
  }

  return {
    version: "1.0",
    async call(operation, params, callOptions) {
      const { inbox, leave } = await ask(operation, params, callOptions);
      let isOver = false;
      const late = setTimeout(
        () => inbox.fail(new IasError("timeout", `The agent did not answer in ${options.callTimeoutMs} ms.`, { retryable: true })),
        Math.min(options.callTimeoutMs, 2 ** 31 - 1),
      );
      try {
        const { message } = await inbox.next();
        isOver = true;
        return toResult(message);
      } finally {
        clearTimeout(late);
        leave(isOver);
      }
    },
    stream: (operation, params, streamOptions) => stream(operation, params, streamOptions),
    async [Symbol.asyncDispose]() {
      closed = true;
      (await link?.catch(() => undefined))?.socket.close(1000);
    },
  };

  async function* stream(operation: Operation, params: JsonObject, streamOptions: WireStreamOptions): AsyncGenerator<WireFrame, void, undefined> {
    const { inbox, grant, leave } = await ask(operation, params, streamOptions, CREDIT);
    let isOver = false;
    let used = 0;
    try {
      for (;;) {
        const { message, size } = await inbox.next();
        if (message["method"] !== undefined) continue;
        isOver = message["end"] === true || message["error"] !== undefined;
        if (message["end"] === true) return;
        const cursor = asText(message["cursor"]);
        yield { payload: toResult(message), ...(cursor !== undefined && { cursor }) };
        used += size;
        if (used < CREDIT / 2) continue;
        grant(used);
        used = 0;
      }
    } finally {
      leave(isOver);
    }
  }
}

function headersOf(options: HttpWireOptions, call: WireOptions & { readonly lastEventId?: string }): JsonObject {
  return {
    "A2A-Version": "1.0",
    "A2A-Extensions": [...new Set([EXTENSION_URI, ...options.extensions])].join(","),
    ...(call.idempotencyKey !== undefined && { "Idempotency-Key": call.idempotencyKey }),
    ...(call.lastEventId !== undefined && { "Last-Event-ID": call.lastEventId }),
  };
}

/** Gives a message to whom it is for; what nobody waits for any more is dropped. */
function deliver(inboxes: ReadonlyMap<number, Inbox>, text: string, maxBytes: number): void {
  const message = parse(text);
  const id = message["method"] === "$/opened" ? asObject(message["params"])?.["id"] : message["id"];
  const inbox = inboxes.get(Number(id));
  const size = Buffer.byteLength(text);
  if (size > maxBytes) inbox?.fail(new IasError("too-large", `The agent's answer is larger than ${maxBytes} bytes.`, { reason: "RESPONSE_TOO_LARGE" }));
  else inbox?.push({ message, size });
}

function parse(text: string): JsonObject {
  try {
    return asObject(JSON.parse(text) as Json) ?? {};
  } catch {
    return {};
  }
}

/** A quiet connection is asked whether it lives; one that stays quiet is lost. Pings of the server are not seen here. */
function watch({ socket, heardAt }: Link, end: (error: IasError) => void): void {
  const quietMs = Date.now() - heardAt;
  if (quietMs >= DEAD_MS) {
    socket.close(SOCKET_CLOSE.gone, "No answer to a ping.");
    end(new IasError("timeout", `The agent was silent for ${quietMs} ms.`, { retryable: true, reason: "IDLE_TIMEOUT" }));
  } else if (quietMs >= PING_MS) socket.send(JSON.stringify({ jsonrpc: "2.0", id: "ping", method: "$/ping" }));
}

const BY_CLOSE: Readonly<Record<number, ErrorCode>> = {
  1009: "too-large",
  [SOCKET_CLOSE.badMessage]: "invalid-request",
  [SOCKET_CLOSE.unauthenticated]: "unauthenticated",
  [SOCKET_CLOSE.forbidden]: "forbidden",
  [SOCKET_CLOSE.tooLarge]: "too-large",
};

function toCloseError(code: number, reason: string): IasError {
  const known = BY_CLOSE[code];
  const said = reason === "" ? "" : `: ${reason}`;
  return new IasError(known ?? "unavailable", `The agent's connection ended (${code}${said}).`, { retryable: known === undefined });
}

function toResult(message: JsonObject): Json {
  if (message["error"] !== undefined && message["error"] !== null) throw fromRpcError(message["error"]);
  return message["result"] ?? null;
}

function aborted(signal: AbortSignal | undefined): IasError {
  return new IasError("aborted", "The request was aborted.", { cause: signal?.reason });
}
