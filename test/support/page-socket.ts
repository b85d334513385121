import type { Socket } from "node:net";
import { WebSocket } from "ws";
import type { SocketEvent, SocketRequest } from "../../src/lib/model/api.ts";

/** A page's end of `/api/ws`, with nothing between the test and the wire. */
export interface PageSocket extends AsyncDisposable {
  readonly ws: WebSocket;
  say(request: SocketRequest): void;
  /** Sends a text as it is. */
  raw(text: string | Buffer): void;
  /** The events that have come and were not taken yet, then those that come. */
  readonly events: AsyncIterableIterator<SocketEvent>;
  /** The next event that `wanted` accepts; what comes before it is dropped. Rejects when the connection ends first. */
  next<Event extends SocketEvent>(wanted: (event: SocketEvent) => event is Event): Promise<Event>;
  /** Bytes that came, from the handshake's answer on. */
  bytesRead(): number;
  /** How it ended. */
  readonly closed: Promise<{ readonly code: number; readonly reason: string }>;
}

/** Connects to the server at `url` (http:). Rejects with the status of a refused handshake. */
export async function openPageSocket(
  url: string,
  options: { readonly headers?: Readonly<Record<string, string>>; readonly path?: string; readonly compression?: boolean } = {},
): Promise<PageSocket> {
  const ws = new WebSocket(`${url.replace(/^http/, "ws")}${options.path ?? "/api/ws"}`, ["ias.api.v1"], {
    headers: options.headers ?? {},
    perMessageDeflate: options.compression ?? false,
  });
  const come: SocketEvent[] = [];
  let wake: (() => void) | undefined;
  let over = false;
  const closed = new Promise<{ code: number; reason: string }>((resolve) => {
    ws.once("close", (code, reason) => {
      over = true;
      wake?.();
      resolve({ code, reason: reason.toString() });
    });
  });
  ws.on("message", (data: Buffer) => {
    come.push(JSON.parse(data.toString()) as SocketEvent);
    wake?.();
  });
  async function* read(): AsyncGenerator<SocketEvent, void, undefined> {
    for (;;) {
      const event = come.shift();
      if (event !== undefined) yield event;
      else if (over) return;
      else
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
    }
  }
  const events = read();
  let tcp: Socket | undefined;
  ws.once("upgrade", ({ socket }) => {
    tcp = socket;
  });
  await new Promise<void>((resolve, reject) => {
    ws.once("open", resolve);
    ws.once("unexpected-response", (_, response) => reject(new Error(`HTTP ${response.statusCode}`)));
    ws.on("error", reject);
  });
  return {
    ws,
    closed,
    events,
    bytesRead: () => tcp?.bytesRead ?? 0,
    say: (request) => ws.send(JSON.stringify(request)),
    raw: (text) => ws.send(text),
    async next(wanted) {
      for (let result = await events.next(); result.done !== true; result = await events.next()) if (wanted(result.value)) return result.value;
      throw new Error(`The connection ended: ${JSON.stringify(await closed)}`);
    },
    async [Symbol.asyncDispose]() {
      ws.terminate();
      await closed;
    },
  };
}

/** A filter for `next`: events of one op, of one subscription if it is given. */
export function is<Op extends SocketEvent["op"]>(op: Op, sub?: number): (event: SocketEvent) => event is Extract<SocketEvent, { op: Op }> {
  return (event): event is Extract<SocketEvent, { op: Op }> => event.op === op && (sub === undefined || ("sub" in event && event.sub === sub));
}
