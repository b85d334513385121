import { type HttpBinding, type JsonLimits, parseJsonBody, type Reply } from "../a2a/binding.ts";
import { toJsonRpcError } from "../a2a/errors.ts";
import type { Operations } from "../a2a/operations.ts";
import type { Agent } from "../engine/agent.ts";
import { SOCKET_CLOSE } from "../model/api.ts";
import { toCursor } from "../model/cursor.ts";
import { IasError } from "../model/errors.ts";
import { decodeSegment } from "../model/key.ts";
import type { Limits } from "../model/limits.ts";
import { A2A_SOCKET_PROTOCOL } from "../model/websocket-binding.ts";
import { type RpcId, readSocketMessage, type SocketCall } from "./a2a-message.ts";
import type { Lane } from "./outbox.ts";
import type { SocketConnection, SocketEndpoint, SocketRoute } from "./socket.ts";

/** What A2A over WebSocket stands on. */
export interface A2ASocketOptions {
  readonly operations: Operations;
  readonly agents: ReadonlyMap<string, Agent>;
  /** The JSON-RPC binding of 1.0: a message is answered as the body of a POST would be. */
  readonly binding: HttpBinding;
  readonly logId: string;
  readonly limits: JsonLimits & Pick<Limits, "maxSocketStreams">;
  readonly report: (error: IasError) => void;
}

const PATH = /^\/a2a\/([^/]+)\/ws$/;

/** A2A over WebSocket (PROTOCOL.md, section 9) at `/a2a/{agent}/ws`: JSON-RPC 2.0, many requests and streams at once on one connection. */
export function createA2ASocket(options: A2ASocketOptions): SocketRoute {
  const endpoints = new WeakMap<Agent, SocketEndpoint>();
  return ({ pathname }) => {
    const id = PATH.exec(pathname)?.[1];
    const agent = id === undefined ? undefined : options.agents.get(decodeSegment(id));
    if (agent === undefined) return undefined;
    const endpoint = endpoints.get(agent) ?? { protocol: A2A_SOCKET_PROTOCOL, serve: (connection) => serve(connection, agent, options) };
    endpoints.set(agent, endpoint);
    return endpoint;
  };
}

interface Open {
  readonly lane: Lane;
  readonly stop: () => void;
}

function serve(connection: SocketConnection, agent: Agent, options: A2ASocketOptions): void {
  const { outbox, signal } = connection;
  const open = new Map<RpcId, Open>();

  const fail = (id: RpcId | null, error: unknown): void => outbox.say(JSON.stringify({ jsonrpc: "2.0", id, error: toJsonRpcError(error) }));

  const notify = (method: string, params: object): void => outbox.say(JSON.stringify({ jsonrpc: "2.0", method, params }));

  const run = async (call: SocketCall, body: Buffer): Promise<void> => {
    const stopped = new AbortController();
    const lane = outbox.lane(call.credit ?? Number.POSITIVE_INFINITY, (missing) => notify("$/blocked", { id: call.id, missing }));
    const stop = (): void => {
      stopped.abort();
      lane.close();
    };
    open.set(call.id, { lane, stop });
    try {
      const reply = await options.binding(options.operations, {
        method: "POST",
        path: "",
        query: new URLSearchParams(),
        header: (name) => headerOf(call, connection, name),
        body,
        principal: connection.principal,
        agent,
        signal: stopped.signal,
      });
      if (reply.kind === "whole") outbox.say(withHeaders(reply.body, reply.headers));
      else await send(call.id, reply, lane, stopped.signal);
    } catch (error) {
      const known = IasError.from(error);
      if (known.code === "internal") options.report(known);
      fail(call.id, known);
    } finally {
      open.delete(call.id);
      lane.close();
    }
  };

  const send = async (id: RpcId, { stream, framing }: Reply & { kind: "stream" }, lane: Lane, stopped: AbortSignal): Promise<void> => {
    const { prefix, suffix, headers } = framing;
    // A message-only reply has no place in a stream.
    const cursor = stream.opening === "message" ? undefined : toCursor(options.logId, 0).slice(0, -1);
    notify("$/opened", { id, headers });
    try {
      for await (const frames of stream.frames) {
        for (const frame of frames) {
          // Nothing is awaited between the turn and the sending: else all lanes would see the same room.
          for (let wait = lane.credit() ?? lane.turn(); wait !== undefined; wait = lane.credit() ?? lane.turn()) await wait;
          if (stopped.aborted) break;
          lane.send(cursor === undefined ? `${prefix}${frame.event}${suffix}` : `${prefix}${frame.event},"cursor":"${cursor}${frame.seq}"${suffix}`);
        }
        if (stopped.aborted) break;
      }
    } catch (error) {
      const known = IasError.from(error);
      if (known.code !== "aborted") {
        options.report(known);
        return outbox.say(framing.error(known));
      }
    }
    outbox.say(JSON.stringify({ jsonrpc: "2.0", id, result: null, end: true }));
  };

  const receive = (message: Buffer): void => {
    let said: ReturnType<typeof readSocketMessage>;
    try {
      said = readSocketMessage(parseJsonBody(message, options.limits));
    } catch (error) {
      return fail(null, error);
    }
    switch (said.kind) {
      case "credit":
        return open.get(said.id)?.lane.grant(said.bytes);
      case "stop":
        return open.get(said.id)?.stop();
      case "ping":
        return outbox.say(JSON.stringify({ jsonrpc: "2.0", id: said.id, result: {} }));
      case "unknown":
        return;
      case "broken":
        return connection.close(SOCKET_CLOSE.badMessage, said.why);
      case "call":
        if (open.has(said.id)) return fail(said.id, new IasError("invalid-request", "The id is that of a request that is under way; take another."));
        if (open.size >= options.limits.maxSocketStreams) return fail(said.id, tooMany(open.size));
        return void run(said, message);
    }
  };

  signal.addEventListener("abort", () => {
    for (const { stop } of open.values()) stop();
  });
  connection.receive(receive);
}

/** Service parameters that may be given once, with the handshake. */
const OF_THE_HANDSHAKE: ReadonlySet<string> = new Set(["a2a-version", "a2a-extensions"]);

/** A service parameter of a call; where it names none, the handshake's. The version is 1.0 where neither says one: 0.3 has no such binding. */
function headerOf({ headers }: SocketCall, connection: SocketConnection, name: string): string | undefined {
  if (name === "content-type") return "application/json";
  const own = headers.get(name);
  if (own !== undefined || !OF_THE_HANDSHAKE.has(name)) return own;
  return connection.header(name) ?? (name === "a2a-version" ? "1.0" : undefined);
}

/** A response with what HTTP would say in headers. */
function withHeaders(body: string, headers: Readonly<Record<string, string>>): string {
  const { "content-type": _, ...rest } = headers;
  return Object.keys(rest).length === 0 ? body : `${body.slice(0, -1)},"headers":${JSON.stringify(rest)}}`;
}

function tooMany(count: number): IasError {
  return new IasError("limit-reached", `${count} requests are under way on this connection (maxSocketStreams); end one, or open another connection.`, {
    reason: "TOO_MANY_STREAMS",
    retryable: true,
    retryAfterMs: 1000,
  });
}
