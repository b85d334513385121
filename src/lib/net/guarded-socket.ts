import type * as undici from "undici";
import type { Agent } from "undici";
import { IasError } from "../model/errors.ts";

/** An open WebSocket to an address that was judged. Messages and the end are told to the handlers it was opened with. */
export interface GuardedSocket {
  send(text: string): void;
  /** 1000, or 3000 to 4999. */
  close(code: number, reason?: string): void;
}

/** How a WebSocket is opened, and what hears of it. */
export interface GuardedSocketOptions {
  /** Subprotocols; the server must choose one of them. */
  readonly protocols: readonly string[];
  /** Of the handshake, credentials among them. */
  readonly headers: Readonly<Record<string, string>>;
  /** Ends the opening; after it, `close` does. */
  readonly signal?: AbortSignal;
  /** A text message. */
  readonly onMessage: (text: string) => void;
  /** Once, after the opening: how the connection ended. */
  readonly onClose: (code: number, reason: string) => void;
}

/** Opens a WebSocket (`ws:` or `wss:`) over connections of `dispatcher`. Throws `unavailable` (retryable) when there is none, `aborted`. */
export async function openSocket({ WebSocket }: typeof undici, dispatcher: Agent, url: URL, options: GuardedSocketOptions): Promise<GuardedSocket> {
  options.signal?.throwIfAborted();
  const socket = new WebSocket(url, { protocols: [...options.protocols], headers: { ...options.headers }, dispatcher });
  let isOpen = false;
  const opened = Promise.withResolvers<void>();
  const abort = (): void => {
    opened.reject(new IasError("aborted", "The opening of the connection was aborted.", { cause: options.signal?.reason }));
    socket.close();
  };
  options.signal?.addEventListener("abort", abort);
  let cause: unknown;
  socket.addEventListener("open", () => opened.resolve());
  socket.addEventListener("error", ({ error }) => {
    cause = error;
  });
  socket.addEventListener("message", ({ data }) => {
    if (typeof data === "string") options.onMessage(data);
    else socket.close(4400, "Messages are text, not binary.");
  });
  socket.addEventListener("close", ({ code, reason }) => {
    if (isOpen) return options.onClose(code, reason);
    const judged = causeOf(cause);
    opened.reject(judged ?? new IasError("unavailable", `No WebSocket connection to ${url.host}.`, { cause, retryable: true, reason: "CONNECT_FAILED" }));
  });
  try {
    await opened.promise;
    isOpen = true;
  } finally {
    options.signal?.removeEventListener("abort", abort);
  }
  return { send: (text) => socket.send(text), close: (code, reason) => socket.close(code, reason) };
}

/** What the guard said of the address; undici wraps it. */
function causeOf(error: unknown): IasError | undefined {
  for (let cause = error; cause instanceof Error; cause = cause.cause) if (cause instanceof IasError) return cause;
  return undefined;
}
