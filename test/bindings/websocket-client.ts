import { once } from "node:events";
import { WebSocket } from "ws";
import { type BindingClient, type Wire, WireError } from "./wire.ts";

/** A2A over WebSocket with nothing between the test and the wire: one connection for all that a client asks. `url` is ws: or http:. */
export function websocketClient(url: string): BindingClient & { readonly connection: () => Promise<A2AConnection> } {
  let open: Promise<A2AConnection> | undefined;
  const connection = (): Promise<A2AConnection> => (open ??= connectA2ASocket(url));
  let lastId = 0;

  /** The messages of one request, its answer or error the last of them. */
  async function* ask(method: string, params: object, headers: object, signal?: AbortSignal): AsyncGenerator<Wire, void, undefined> {
    const { say, hear } = await connection();
    lastId += 1;
    const id = lastId;
    const messages = hear(id);
    say({ jsonrpc: "2.0", id, method, params, headers: { "A2A-Version": "1.0", ...headers } });
    const stop = (): void => say({ jsonrpc: "2.0", method: "$/stop", params: { id } });
    signal?.addEventListener("abort", stop);
    let over = false;
    try {
      for await (const message of messages) {
        if (message.error !== undefined) throw new WireError(message.error.code, message.error.message, message.error.data);
        over = message.end === true;
        if (over) return;
        yield message;
      }
      throw new Error("The connection was lost.");
    } finally {
      signal?.removeEventListener("abort", stop);
      if (!over) stop();
    }
  }

  return {
    name: "websocket",
    connection,
    async call(method, params, headers = {}) {
      for await (const { result } of ask(method, params, headers)) return result;
    },
    async *stream(method, params, headers = {}, signal) {
      for await (const message of ask(method, params, headers, signal)) {
        if (message.method === undefined) yield { ...(message.cursor !== undefined && { id: message.cursor }), event: message.result };
      }
    },
    async [Symbol.asyncDispose]() {
      (await open?.catch(() => undefined))?.ws.terminate();
    },
  };
}

/** One connection. */
export interface A2AConnection {
  readonly ws: WebSocket;
  say(message: object): void;
  /** All messages about the request `id` from now on, `$/opened` among them; ends with the connection. `null`: those about none. */
  hear(id: string | number | null): AsyncIterable<Wire>;
}

/** Opens one, with headers of the handshake if need be. */
export async function connectA2ASocket(url: string, headers: Readonly<Record<string, string>> = {}): Promise<A2AConnection> {
  const ws = new WebSocket(url.replace(/^http/, "ws"), ["a2a.jsonrpc.v1"], { headers });
  const inboxes = new Map<string | number | null, { readonly come: Wire[]; wake: () => void }>();
  let closed = false;
  ws.on("message", (data: Buffer) => {
    const message: Wire = JSON.parse(data.toString());
    const inbox = inboxes.get(message.params?.id ?? message.id);
    inbox?.come.push(message);
    inbox?.wake();
  });
  ws.once("close", () => {
    closed = true;
    for (const inbox of inboxes.values()) inbox.wake();
  });
  await once(ws, "open");
  // `close` tells.
  ws.on("error", () => {});
  return {
    ws,
    say(message) {
      if (ws.readyState === WebSocket.OPEN) ws.send(JSON.stringify(message));
    },
    hear(id) {
      const inbox = { come: [] as Wire[], wake: (): void => {} };
      inboxes.set(id, inbox);
      return read(inbox);
    },
  };

  async function* read(inbox: { readonly come: Wire[]; wake: () => void }): AsyncGenerator<Wire, void, undefined> {
    for (;;) {
      const message = inbox.come.shift();
      if (message !== undefined) yield message;
      else if (closed) return;
      else {
        await new Promise<void>((resolve) => {
          inbox.wake = resolve;
        });
      }
    }
  }
}
