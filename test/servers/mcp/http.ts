import { createServer as createHttpServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { Readable } from "node:stream";
import { createMcpHandler } from "@modelcontextprotocol/server";
import { createServer } from "./tools.ts";

/** The same server over streamable HTTP, as a `node:http` server that is not yet listening. `seen` gets each request's headers. */
export function createMcpHttpServer(seen: (headers: Headers) => void): Server {
  const handler = createMcpHandler(() => createServer());
  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const headers = new Headers(Object.entries(request.headers).flatMap(([name, value]) => (typeof value === "string" ? [[name, value]] : [])));
    seen(headers);
    const method = request.method ?? "GET";
    const body = method === "POST" ? { body: Readable.toWeb(request) as ReadableStream, duplex: "half" as const } : {};
    const result = await handler.fetch(new Request(`http://${request.headers.host}${request.url}`, { method, headers, ...body }));
    response.writeHead(result.status, Object.fromEntries(result.headers));
    if (result.body === null) response.end();
    else Readable.fromWeb(result.body).pipe(response);
  };
  return createHttpServer((request, response) => void answer(request, response).catch(() => response.destroy()));
}
