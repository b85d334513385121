import type { Json, JsonObject } from "../../../model/a2a.ts";
import { A2A_SOCKET_PROTOCOL } from "../../../model/websocket-binding.ts";
import { isObject } from "../../../model/json.ts";
import { inTime } from "../../in-time.ts";
import { serviceHeaders } from "../wire-client.ts";
import type { CallOptions, Reply, StreamReply, WireClient, WireClientOptions } from "../wire-client.ts";
import { checkEnvelope, jsonRpcError } from "./jsonrpc.ts";

/** A2A over WebSocket: JSON-RPC messages on one connection for all calls. The envelope of every message is checked here. */
export function createWebSocketClient(options: WireClientOptions): WireClient {
  let lastId = 0;
  let connection: Promise<Connection> | undefined;

  async function ask(method: string, params: JsonObject, call: CallOptions | undefined) {
    const { socket, inboxes } = await (connection ??= connect(options.url));
    const id = ++lastId;
    const inbox = createInbox();
    inboxes.set(id, inbox);
    socket.send(JSON.stringify({ jsonrpc: "2.0", id, method, params, headers: serviceHeaders(options, call) }));
    const first = await inTime(inbox.next(), options.timeoutMs, `no answer to ${method} within ${options.timeoutMs} ms`);
    if (first === undefined) throw new Error(`the connection ended before ${method} was answered`);
    const leave = (): void => {
      if (inboxes.delete(id)) socket.send(JSON.stringify({ jsonrpc: "2.0", method: "$/stop", params: { id } }));
    };
    return { id, inbox, first, leave, forget: () => inboxes.delete(id) };
  }

  return {
    binding: "websocket",
    async call(operation, request, call): Promise<Reply> {
      const { id, first, forget } = await ask(operation, request, call);
      forget();
      return toReply(first, id);
    },
    async open(operation, request, call): Promise<StreamReply> {
      const { id, inbox, first, leave, forget } = await ask(operation, request, call);
      if (first["method"] !== "$/opened") {
        forget();
        const reply = toReply(first, id);
        if (!reply.ok) return reply;
        throw new Error(`${operation} was answered with one result instead of a stream: ${JSON.stringify(reply.value)}`);
      }
      return {
        ok: true,
        headers: headersOf(isObject(first["params"]) ? first["params"] : {}),
        events: events(inbox, id, forget),
        [Symbol.asyncDispose]: async () => leave(),
      };
    },
    async [Symbol.asyncDispose]() {
      const open = await connection?.catch(() => undefined);
      open?.socket.close();
    },
  };
}

interface Connection {
  readonly socket: WebSocket;
  readonly inboxes: Map<number, Inbox>;
}

/** What has come for one request. `next` gives undefined once the connection has ended. */
interface Inbox {
  push(message: JsonObject | undefined): void;
  next(): Promise<JsonObject | undefined>;
}

function createInbox(): Inbox {
  const come: (JsonObject | undefined)[] = [];
  let wake: (() => void) | undefined;
  return {
    push(message) {
      come.push(message);
      wake?.();
    },
    async next() {
      if (come.length === 0) {
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
      return come.shift();
    },
  };
}

async function connect(url: string): Promise<Connection> {
  const socket = new WebSocket(url, A2A_SOCKET_PROTOCOL);
  const inboxes = new Map<number, Inbox>();
  await new Promise<void>((resolve, reject) => {
    socket.addEventListener("open", () => resolve());
    socket.addEventListener("error", () => reject(new Error(`no WebSocket connection to ${url}`)));
  });
  socket.addEventListener("message", ({ data }) => {
    const message = JSON.parse(String(data)) as Json;
    if (!isObject(message)) return;
    const params = message["params"];
    const id = message["method"] === "$/opened" && isObject(params) ? params["id"] : message["id"];
    inboxes.get(Number(id))?.push(message);
  });
  socket.addEventListener("close", () => {
    for (const inbox of inboxes.values()) inbox.push(undefined);
  });
  return { socket, inboxes };
}

async function* events(inbox: Inbox, id: number, ended: () => void): AsyncGenerator<Json, void, undefined> {
  for (;;) {
    const message = await inbox.next();
    if (message === undefined) throw new Error("the connection ended before the stream");
    checkEnvelope(message, id);
    if (isObject(message["error"])) throw new Error(`an error inside an opened stream: ${JSON.stringify(message["error"])}`);
    if (message["end"] === true) return ended();
    yield message["result"] ?? null;
  }
}

function toReply(message: JsonObject, id: number): Reply {
  checkEnvelope(message, id);
  const headers = headersOf(message);
  const error = message["error"];
  if (isObject(error)) return { ok: false, error: { ...jsonRpcError(error, 200), binding: "websocket" }, headers };
  return { ok: true, value: message["result"] ?? null, headers, http: 200 };
}

function headersOf({ headers }: JsonObject): Headers {
  return new Headers(isObject(headers) ? Object.entries(headers).map(([name, value]): [string, string] => [name, typeof value === "string" ? value : ""]) : []);
}
