import type { IncomingMessage, ServerResponse } from "node:http";
import type { Duplex } from "node:stream";
import type { BindingRequest, HttpBinding, Reply } from "../a2a/binding.ts";
import { toJsonRpcError, toRestError } from "../a2a/errors.ts";
import type { Operations } from "../a2a/operations.ts";
import { JSON_HEADERS, toApiError } from "../api/errors.ts";
import type { Agent } from "../engine/agent.ts";
import { agentsFor } from "../engine/agents.ts";
import { IasError } from "../model/errors.ts";
import { decodeSegment, type Principal } from "../model/key.ts";
import type { Limits } from "../model/limits.ts";
import type { Page, PageReply } from "../net/page.ts";
import type { Route, RouteReply } from "../net/route.ts";
import { MAX_TIMER_MS } from "../stream/clock.ts";
import type { HeartbeatWheel } from "../stream/heartbeat.ts";
import { withinMs } from "../stream/within.ts";
import type { Sockets } from "../socket/socket.ts";
import { createBodyReader } from "./body.ts";
import { checkRequest, type Guards } from "./guards.ts";
import { headerReader, hostOf, readUrl } from "./request.ts";
import { writeEvents, writeSse } from "./sse.ts";
import { drained } from "./text-body.ts";
import { createUpgrade } from "./upgrade.ts";

/** What a gateway is made of. */
export interface GatewayParts {
  readonly operations: Operations;
  readonly agents: ReadonlyMap<string, Agent>;
  readonly jsonRpc: HttpBinding;
  readonly rest: HttpBinding;
  /** Who sends a request. `frontend`: to a route or a WebSocket, where a session's cookie and tickets count too. Throws `unauthenticated`. */
  readonly authenticate: (request: {
    header(name: string): string | undefined;
    readonly frontend?: { readonly method: string; readonly url: URL };
  }) => Promise<Principal>;
  /** Paths that are not A2A's: cards, health, pages, blobs. Asked first; undefined goes on. */
  readonly pages: Page;
  /** Paths of callers that are not A2A's: the API, bridges. Asked after pages. */
  readonly routes: Route;
  /** What is shown to a person where nothing is; asked last, undefined is an error in JSON. Default: always that. */
  readonly lost?: Page;
  /** WebSocket endpoints. */
  readonly sockets: Sockets;
  readonly limits: Pick<Limits, "maxBodyBytes" | "maxBufferedBytes" | "maxStreamMs">;
  readonly guards: Guards;
  readonly logId: string;
  readonly wheel: HeartbeatWheel;
  readonly report: (error: IasError) => void;
}

/** The HTTP side of a server, as a request listener. */
export interface Gateway {
  readonly handle: (request: IncomingMessage, response: ServerResponse) => void;
  /** For requests to upgrade to WebSocket, and only for those: `isWebSocketUpgrade` tells them. */
  readonly upgrade: (request: IncomingMessage, socket: Duplex, head: Buffer) => void;
  /**
   * Ends every stream after the last frame that was written, without an error frame (SEMANTICS 9), and every WebSocket with 1012. Resolves when the sockets are
   * gone and every request has its answer, or some moments later: one that waits for a turn which goes on after the next start gets none.
   */
  endStreams(): Promise<void>;
}

const A2A_PATH = /^\/a2a\/([^/]+)(?:\/rest(\/.*)?|(\/?))$/;

/** Where every error has the form of the API, also one that comes before its routes are asked. */
const API_PATH = /^\/(?:api|agui|ai)(?:[/?]|$)/;

/** How long a reader gets to take the end of a stream that is too old, ms. */
const END_WAIT_MS = 30_000;

/** How long requests under way get when the server ends, ms. */
const ANSWER_WAIT_MS = 500;

/** A gateway over operations. It opens no socket. */
export function createGateway(parts: GatewayParts): Gateway {
  const streams = new Set<AbortController>();
  const underWay = new Set<Promise<void>>();
  const readBody = createBodyReader(parts.limits);

  const handle = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const header = headerReader(request);
    let url: URL | undefined;
    try {
      checkRequest(parts.guards, { host: hostOf(request), origin: header("origin") });
      url = readUrl(request.url);
      allowOrigin(response, header("origin"));
      if (request.method === "OPTIONS") return preflight(response, header);
      const page = await parts.pages({ method: request.method ?? "GET", url, header });
      if (page !== undefined) return await writePage(request, response, page);
      const gone = new AbortController();
      response.once("close", () => gone.abort());
      const target = { method: request.method ?? "GET", url };
      if (parts.sockets.find(url) !== undefined) {
        // A program whose handshake was refused may ask here why.
        await parts.authenticate({ header, frontend: target });
        throw new IasError("invalid-request", `${url.pathname} takes WebSocket connections: connect with ws: or wss:.`);
      }
      const routed = await parts.routes({
        ...target,
        header,
        address: request.socket.remoteAddress ?? "",
        principal: () => parts.authenticate({ header, frontend: target }),
        body: () => readBody(request),
        chunks: request,
        signal: gone.signal,
      });
      if (routed !== undefined) return await writeRouted(request, response, routed, gone);
      const match = A2A_PATH.exec(url.pathname);
      const agent = match?.[1] === undefined ? undefined : parts.agents.get(decodeSegment(match[1]));
      if (match === null || agent === undefined) {
        response.setHeader("vary", "origin, accept");
        const lost = await parts.lost?.({ ...target, header });
        if (lost !== undefined) return await writePage(request, response, lost);
        throw notFound(url.pathname, parts.agents);
      }
      const rest = match[3] === undefined;
      if (!rest && request.method !== "POST") throw new IasError("method-not-found", `${url.pathname} is the JSON-RPC endpoint of ${agent.id}: POST to it.`);
      const principal = await parts.authenticate({ header });
      const body = await readBody(request);
      const call: BindingRequest = {
        method: request.method ?? "GET",
        path: match[2] ?? "",
        query: url.searchParams,
        header,
        body,
        principal,
        agent,
        signal: gone.signal,
      };
      const reply = await (rest ? parts.rest : parts.jsonRpc)(parts.operations, call);
      await send(response, reply, gone);
    } catch (error) {
      const known = IasError.from(error);
      if (known.code === "internal") parts.report(known);
      if (response.headersSent) response.destroy();
      else if (API_PATH.test(request.url ?? "")) writeWhole(response, fromApi(known));
      else writeWhole(response, url !== undefined && A2A_PATH.exec(url.pathname)?.[3] !== undefined ? withStatus(known) : fromRest(known));
    }
  };

  const send = async (response: ServerResponse, reply: Reply, gone: AbortController): Promise<void> => {
    if (reply.kind === "whole") return writeWhole(response, reply);
    await untilOld(response, gone, () => writeSse(response, reply.stream, reply.framing, { logId: parts.logId, wheel: parts.wheel, report: parts.report }));
  };

  const writeRouted = async (request: IncomingMessage, response: ServerResponse, reply: RouteReply, gone: AbortController): Promise<void> => {
    if (reply.kind === "whole") return writePage(request, response, reply);
    await untilOld(response, gone, () => writeEvents(response, reply, { wheel: parts.wheel, report: parts.report }));
  };

  /** Ends a stream that is too old, and with the server. */
  const untilOld = async (response: ServerResponse, gone: AbortController, write: () => Promise<void>): Promise<void> => {
    const { maxStreamMs } = parts.limits;
    streams.add(gone);
    const end = (): void => {
      gone.abort();
      // A reader that takes nothing would not notice that its stream has ended.
      age = setTimeout(() => response.destroy(), Math.min(maxStreamMs, END_WAIT_MS)).unref();
    };
    // A tenth earlier or later, so that streams which began together do not end together.
    let age = setTimeout(end, Math.min(maxStreamMs * (0.9 + Math.random() * 0.2), MAX_TIMER_MS)).unref();
    try {
      await write();
    } finally {
      clearTimeout(age);
      streams.delete(gone);
    }
  };

  return {
    handle(request, response) {
      const work: Promise<void> = handle(request, response).finally(() => underWay.delete(work));
      underWay.add(work);
    },
    upgrade: createUpgrade(parts),
    async endStreams() {
      for (const stream of streams) stream.abort();
      await parts.sockets.end();
      await withinMs(Promise.allSettled(underWay), ANSWER_WAIT_MS);
    },
  };
}

function notFound(path: string, agents: ReadonlyMap<string, Agent>): IasError {
  return new IasError(
    "not-found",
    `There is nothing at ${path.slice(0, 100)}. Agents are at ${agentsFor(agents, undefined)
      .slice(0, 10)
      .map(({ id }) => `/a2a/${id}`)
      .join(", ")}.`,
  );
}

/** An origin that passed the guard may read the answers. */
function allowOrigin(response: ServerResponse, origin: string | undefined): void {
  response.setHeader("x-content-type-options", "nosniff");
  // Also without an origin: a cache must not give that answer, which no page may read, to one that has one.
  response.setHeader("vary", "origin");
  if (origin === undefined) return;
  response.setHeader("access-control-allow-origin", origin);
  response.setHeader("access-control-expose-headers", "a2a-extensions, retry-after, www-authenticate");
}

function preflight(response: ServerResponse, header: (name: string) => string | undefined): void {
  const asked = header("access-control-request-headers");
  response.writeHead(204, {
    "access-control-allow-methods": "GET, POST, DELETE, OPTIONS",
    "access-control-max-age": "600",
    ...(asked !== undefined && { "access-control-allow-headers": asked }),
  });
  response.end();
}

function withStatus(error: IasError): Reply & { kind: "whole" } {
  const { status, headers } = toRestError(error, error.code === "method-not-found" ? { status: 405, headers: { allow: "POST" } } : {});
  const body = JSON.stringify({ jsonrpc: "2.0", id: null, error: toJsonRpcError(error) });
  return { kind: "whole", status, headers: { "content-type": "application/json", ...headers }, body };
}

function fromApi(error: IasError): Reply & { kind: "whole" } {
  const { status, headers } = toRestError(error);
  return { kind: "whole", status, headers: { ...JSON_HEADERS, ...headers }, body: JSON.stringify(toApiError(error)) };
}

function fromRest(error: IasError): Reply & { kind: "whole" } {
  const { status, headers, body } = toRestError(error);
  return { kind: "whole", status, headers: { "content-type": "application/json", ...headers }, body: JSON.stringify(body) };
}

function writeWhole(response: ServerResponse, reply: Reply & { kind: "whole" }): void {
  if (response.destroyed) return;
  // A body that was refused unread would block the connection.
  if (!response.req.complete) response.setHeader("connection", "close");
  response.writeHead(reply.status, { ...reply.headers, "content-length": Buffer.byteLength(reply.body) });
  response.end(reply.body);
}

async function writePage(request: IncomingMessage, response: ServerResponse, page: PageReply): Promise<void> {
  const { body } = page;
  const whole = typeof body === "string" || body instanceof Uint8Array;
  response.writeHead(page.status, {
    ...page.headers,
    ...(page.headers["vary"] !== undefined && { vary: `${page.headers["vary"]}, origin` }),
    ...(whole && page.status !== 204 && page.status !== 304 && { "content-length": Buffer.byteLength(body) }),
  });
  if (request.method === "HEAD" || whole) {
    response.end(request.method === "HEAD" ? undefined : body);
    return;
  }
  for await (const chunk of body) {
    if (response.destroyed) return;
    if (!response.write(chunk)) await drained(response, response);
  }
  response.end();
}
