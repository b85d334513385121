import type { Api, Caller } from "../api/api.ts";
import { toApiError } from "../api/errors.ts";
import { SOCKET_CLOSE, type SocketEvent, type SocketRequest } from "../model/api.ts";
import { assertNever, IasError } from "../model/errors.ts";
import type { Principal } from "../model/key.ts";
import type { Limits } from "../model/limits.ts";
import { createRequestReader } from "./read-request.ts";
import type { SocketConnection, SocketEndpoint, SocketRoute } from "./socket.ts";
import { type Subscription, subscribe } from "./subscription.ts";

/** What `/api/ws` stands on. */
export interface ApiSocketOptions {
  readonly api: Api;
  readonly logId: string;
  readonly limits: Pick<Limits, "maxIdLength" | "maxJsonDepth" | "maxJsonValues" | "maxSocketStreams" | "maxSocketCalls" | "socketCreditBytes">;
  readonly report: (error: IasError) => void;
  /** Throws `limit-reached` for a caller that asks too often, and for an address, where it is given, from which too much is asked. */
  readonly admit?: (principal: Principal, address?: string) => void;
}

/** `/api/ws`: many streams of one caller on one connection; `docs/websocket.md` has its messages. */
export function createApiSocket(options: ApiSocketOptions): SocketRoute {
  const read = createRequestReader(options.limits);
  const endpoint: SocketEndpoint = {
    protocol: "ias.api.v1",
    admit: ({ principal, address }) => options.admit?.(principal, address),
    serve: (connection) => serve(connection, options, read),
  };
  return ({ pathname }) => (pathname === "/api/ws" ? endpoint : undefined);
}

function serve(connection: SocketConnection, options: ApiSocketOptions, read: (message: Buffer) => SocketRequest): void {
  const { api, limits } = options;
  const { principal, outbox, signal } = connection;
  const subscriptions = new Map<number, Subscription>();
  let calls = 0;

  const say = (event: SocketEvent): void => outbox.say(JSON.stringify(event));

  const fail = (error: unknown, about: { readonly ref: number } | { readonly sub: number }): void => {
    const known = IasError.from(error);
    if (known.code === "internal") options.report(known);
    if (!signal.aborted) say({ op: "error", ...about, ...toApiError(known) });
  };

  const call = async (ref: number, work: (caller: Caller) => Promise<unknown>): Promise<void> => {
    if (calls >= limits.maxSocketCalls) return fail(tooManyCalls(calls), { ref });
    calls += 1;
    try {
      options.admit?.(principal);
      const result = await work({ principal, signal });
      if (!signal.aborted) say({ op: "reply", ref, result });
    } catch (error) {
      fail(error, { ref });
    } finally {
      calls -= 1;
    }
  };

  const open = async (request: SocketRequest & { readonly op: "subscribe" | "subscribe-feed" }): Promise<void> => {
    const { sub } = request;
    if (subscriptions.has(sub)) return fail(isOpen(sub), { sub });
    if (subscriptions.size >= limits.maxSocketStreams) return fail(tooManyStreams(limits.maxSocketStreams), { sub });
    const subscription = subscribe(request, { api, principal, outbox, credit: request.credit ?? limits.socketCreditBytes });
    subscriptions.set(sub, subscription);
    try {
      await subscription.done;
      subscriptions.delete(sub);
      if (!signal.aborted) say({ op: "end", sub });
    } catch (error) {
      subscriptions.delete(sub);
      fail(error, { sub });
    }
  };

  const take = (request: SocketRequest): void => {
    switch (request.op) {
      case "subscribe":
      case "subscribe-feed":
        return void open(request);
      // The next three may cross the end of their subscription on the way: then there is nothing to do.
      case "credit":
        return subscriptions.get(request.sub)?.grant(request.bytes);
      case "ack":
        return subscriptions.get(request.sub)?.acknowledge(request.cursor);
      case "unsubscribe":
        return subscriptions.get(request.sub)?.stop();
      case "send":
        return void call(request.ref, (caller) => api.send(caller, request.agent, request.body));
      case "cancel":
        return void call(request.ref, (caller) => api.cancel(caller, request));
      case "ping":
        return say({ op: "pong", ref: request.ref });
      default:
        return assertNever(request);
    }
  };

  signal.addEventListener("abort", () => {
    for (const subscription of subscriptions.values()) subscription.stop();
  });
  connection.receive((message) => {
    let request: SocketRequest;
    try {
      request = read(message);
    } catch (error) {
      return connection.close(SOCKET_CLOSE.badMessage, IasError.from(error).message);
    }
    take(request);
  });
  say({ op: "hello", logId: options.logId, maxSubscriptions: limits.maxSocketStreams, defaultCredit: limits.socketCreditBytes });
}

function isOpen(sub: number): IasError {
  return new IasError("invalid-params", `The subscription ${sub} is open; end it first, or take another number.`, { reason: "SUBSCRIPTION_OPEN" });
}

function tooManyCalls(count: number): IasError {
  return new IasError("limit-reached", `${count} requests are under way on this connection (maxSocketCalls); wait for a reply.`, {
    reason: "TOO_MANY_CALLS",
    retryable: true,
    retryAfterMs: 100,
  });
}

function tooManyStreams(count: number): IasError {
  return new IasError("limit-reached", `${count} subscriptions are open on this connection (maxSocketStreams); end one, or open another connection.`, {
    reason: "TOO_MANY_STREAMS",
  });
}
