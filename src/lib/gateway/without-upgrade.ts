import type { IncomingMessage, Server } from "node:http";
import type { Duplex } from "node:stream";

/** Headers that are about the upgrade alone. */
const OF_THE_UPGRADE: ReadonlySet<string> = new Set(["connection", "upgrade", "http2-settings"]);

/**
 * Answers a request that asked for another upgrade than WebSocket as if it had not, as HTTP has it (RFC 9110, 7.8): its head goes back before what follows it, without
 * the upgrade, and the connection begins anew. Node before 24.9 takes the upgrade of every request once there is a listener (`h2c`, as Java's client
 * asks for with every first request); later ones ask `shouldUpgradeCallback`, and nothing comes here.
 */
export function answerWithoutUpgrade(server: Server, request: IncomingMessage, socket: Duplex, head: Buffer): void {
  const { rawHeaders } = request;
  let text = `${request.method ?? "GET"} ${request.url ?? "/"} HTTP/1.1\r\n`;
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const name = rawHeaders[at] ?? "";
    if (!OF_THE_UPGRADE.has(name.toLowerCase())) text += `${name}: ${rawHeaders[at + 1] ?? ""}\r\n`;
  }
  socket.unshift(Buffer.concat([Buffer.from(`${text}\r\n`, "latin1"), head]));
  server.emit("connection", socket);
}
