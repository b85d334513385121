import { once } from "node:events";
import { createServer, request as forward, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

/** One exchange that went through. */
export interface Recorded {
  readonly path: string;
  /** What the client sent. */
  readonly request: string;
  /** The `data:` payloads of the answer's event stream, in order, as the server sent them. */
  readonly data: readonly string[];
  /** Resolves when the exchange is over: `true` if the client closed it before the answer's end. */
  readonly cut: Promise<boolean>;
}

export interface RecordingProxy extends AsyncDisposable {
  readonly url: string;
  readonly exchanges: readonly Recorded[];
}

/** An HTTP proxy on loopback that hands every byte on as it comes, and writes down the event streams that pass. */
export async function startRecordingProxy(target: string): Promise<RecordingProxy> {
  const exchanges: Recorded[] = [];
  const server = createServer((request, response) => {
    exchanges.push(relay(target, request, response));
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    exchanges,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function relay(target: string, request: IncomingMessage, response: ServerResponse): Recorded {
  const data: string[] = [];
  const over = Promise.withResolvers<boolean>();
  const recorded = { path: request.url ?? "", request: "", data, cut: over.promise };
  const upstream = forward(new URL(request.url ?? "/", target), { method: request.method, headers: { ...request.headers, host: new URL(target).host } });
  request.setEncoding("utf8").on("data", (text: string) => {
    recorded.request += text;
    upstream.write(text);
  });
  request.on("end", () => upstream.end());
  upstream.on("response", (answer) => {
    response.writeHead(answer.statusCode ?? 502, answer.headers);
    let rest = "";
    const decoder = new TextDecoder();
    answer.on("data", (bytes: Buffer) => {
      const lines = (rest + decoder.decode(bytes, { stream: true })).split("\n");
      rest = lines.pop() ?? "";
      for (const line of lines) if (line.startsWith("data:")) data.push(line.slice(5).trim());
      if (!response.write(bytes)) {
        answer.pause();
        response.once("drain", () => answer.resume());
      }
    });
    answer.on("end", () => response.end());
  });
  upstream.on("error", () => response.destroy());
  response.on("close", () => {
    over.resolve(!response.writableFinished);
    upstream.destroy();
  });
  return recorded;
}
