import { createServer } from "node:http";
import type { IncomingHttpHeaders } from "node:http";
import type { AddressInfo } from "node:net";
import type { Json } from "../../model/a2a.ts";
import { parseLeniently } from "./clients/http-stream.ts";

/** One notification, as it was received. */
export interface Notification {
  readonly method: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: Json;
}

/** A receiver of push notifications on loopback that answers 200 to all. */
export interface Webhook extends AsyncDisposable {
  /** Its address, by name (`localhost`), as most clients give theirs. It listens on IPv4 only. */
  readonly url: string;
  /** All that was received, in order. */
  readonly received: readonly Notification[];
  /** Waits until `done` holds of what was received, and returns it; throws when it does not within `timeoutMs`. */
  until(done: (received: readonly Notification[]) => boolean, timeoutMs: number): Promise<readonly Notification[]>;
}

/** Starts a receiver on a free port of 127.0.0.1. The caller disposes of it. */
export async function startWebhook(): Promise<Webhook> {
  const received: Notification[] = [];
  const waiting = new Set<() => void>();
  const server = createServer((request, response) => {
    let body = "";
    request.setEncoding("utf8");
    request.on("data", (chunk: string) => (body += chunk));
    request.on("end", () => {
      received.push({ method: request.method ?? "", headers: request.headers, body: parseLeniently(body) });
      response.writeHead(200).end();
      for (const wake of waiting) wake();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://localhost:${port}/webhook`,
    received,
    until: (done, timeoutMs) =>
      new Promise((resolve, reject) => {
        const check = (): void => {
          if (!done(received)) return;
          stop();
          resolve(received);
        };
        const fail = (): void => {
          stop();
          reject(new Error(`not notified as expected within ${timeoutMs} ms; received: ${JSON.stringify(received.map((item) => item.body))}`));
        };
        const timer = setTimeout(fail, timeoutMs);
        const stop = (): void => {
          clearTimeout(timer);
          waiting.delete(check);
        };
        waiting.add(check);
        check();
      }),
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
