import { once } from "node:events";
import http from "node:http";
import type { AddressInfo } from "node:net";

/** A webhook receiver on loopback that writes down what it gets and answers 200 unless told otherwise. */
export interface Receiver extends AsyncDisposable {
  readonly url: string;
  readonly requests: readonly { readonly headers: http.IncomingHttpHeaders; readonly body: string }[];
  /** The answer to the next request that has none yet; `die` breaks the connection. */
  answer(status: number | "die", headers?: Record<string, string>): void;
  /** Answers nothing until the returned function is called. */
  hold(): () => void;
  /** Resolves once `count` requests have come. */
  received(count: number): Promise<void>;
}

/** Starts a receiver on a free port of 127.0.0.1; dispose of it. */
export async function receiver(): Promise<Receiver> {
  const requests: { headers: http.IncomingHttpHeaders; body: string }[] = [];
  const answers: { status: number | "die"; headers: Record<string, string> }[] = [];
  let gate: Promise<void> = Promise.resolve();
  let waiting: { count: number; resolve: () => void }[] = [];
  const server = http.createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      requests.push({ headers: request.headers, body: Buffer.concat(chunks).toString() });
      const told = waiting.filter(({ count }) => requests.length >= count);
      waiting = waiting.filter(({ count }) => requests.length < count);
      for (const { resolve } of told) resolve();
      const { status, headers } = answers.shift() ?? { status: 200, headers: {} };
      void gate.then(() => (status === "die" ? request.socket.destroy() : response.writeHead(status, headers).end()));
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`,
    requests,
    answer: (status, headers = {}) => void answers.push({ status, headers }),
    hold() {
      let release = (): void => undefined;
      gate = new Promise((resolve) => (release = resolve));
      return release;
    },
    received: (count) => (requests.length >= count ? Promise.resolve() : new Promise((resolve) => waiting.push({ count, resolve }))),
    async [Symbol.asyncDispose]() {
      server.close();
      server.closeAllConnections();
      await once(server, "close");
    },
  };
}
