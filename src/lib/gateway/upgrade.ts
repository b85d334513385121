import { type IncomingMessage, STATUS_CODES } from "node:http";
import type { Duplex } from "node:stream";
import { toRestError } from "../a2a/errors.ts";
import { SOCKET_CLOSE } from "../model/api.ts";
import { IasError } from "../model/errors.ts";
import type { SocketEndpoint } from "../socket/socket.ts";
import type { GatewayParts, Gateway } from "./gateway.ts";
import { checkRequest } from "./guards.ts";
import { headerReader, hostOf, readUrl } from "./request.ts";

/** Whether a request asks for WebSocket. Others that would upgrade (`h2c`, as Java's client asks for with every first request) are answered as if they had not. */
export function isWebSocketUpgrade(request: IncomingMessage): boolean {
  return request.headers.upgrade?.toLowerCase() === "websocket";
}

/**
 * Lets connections in: Host and Origin first, which are refused with an HTTP status before any handshake; then the path, then the caller. A caller without
 * credentials gets 401, or the close code 4401 if it is a browser, whose page could not see the status; the same with 429 or 503 and 1013.
 */
export function createUpgrade(parts: Pick<GatewayParts, "authenticate" | "guards" | "sockets" | "report">): Gateway["upgrade"] {
  const { sockets } = parts;

  const upgrade = async (request: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> => {
    const header = headerReader(request);
    const onError = (): void => void socket.destroy();
    socket.on("error", onError);
    let found: { readonly url: URL; readonly endpoint: SocketEndpoint } | undefined;
    try {
      checkRequest(parts.guards, { host: hostOf(request), origin: header("origin") });
      const url = readUrl(request.url);
      const endpoint = sockets.find(url);
      if (endpoint === undefined) throw new IasError("not-found", `There is no WebSocket endpoint at ${url.pathname.slice(0, 100)}.`);
      found = { url, endpoint };
      const principal = await parts.authenticate({ header, frontend: { method: request.method ?? "GET", url } });
      if (socket.destroyed) return;
      socket.off("error", onError);
      sockets.accept({ request, socket, head, url, endpoint, principal });
    } catch (error) {
      const known = IasError.from(error);
      if (known.code === "internal") parts.report(known);
      const code = closeCodeOf(known);
      if (found === undefined || code === undefined || header("origin") === undefined) return refuse(socket, known);
      try {
        sockets.turnAway({ request, socket, head, ...found }, code, known.message);
      } catch (twice) {
        refuse(socket, IasError.from(twice));
      }
    }
  };
  return (request, socket, head) => void upgrade(request, socket, head);
}

/** What a browser is told after the handshake; undefined: it is told nothing. */
function closeCodeOf({ code }: IasError): number | undefined {
  if (code === "unauthenticated") return SOCKET_CLOSE.unauthenticated;
  if (code === "forbidden") return SOCKET_CLOSE.forbidden;
  return code === "limit-reached" || code === "unavailable" ? SOCKET_CLOSE.tryLater : undefined;
}

function refuse(socket: Duplex, error: IasError): void {
  if (socket.destroyed) return;
  const { status, headers, body } = toRestError(error);
  const text = JSON.stringify(body);
  const lines = Object.entries({ ...headers, "content-type": "application/json", "content-length": String(Buffer.byteLength(text)), connection: "close" });
  // Whoever does not close their side must not keep ours: after an upgrade no time-out of HTTP looks at the connection.
  socket.once("finish", () => socket.destroy());
  socket.end(`HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ""}\r\n${lines.map(([name, value]) => `${name}: ${value}\r\n`).join("")}\r\n${text}`);
}
