import { once } from "node:events";
import net, { type AddressInfo } from "node:net";

/** A TCP proxy that cuts connections at given numbers of bytes from the server, half of them with a reset. */
export interface CuttingProxy extends AsyncDisposable {
  readonly port: number;
  /** How many connections were cut. */
  readonly cuts: number;
  /** Connections that are open now. */
  readonly open: number;
  /** Where to connect; set before the first connection. */
  target: number;
}

/** `cutAfter` gives, for each connection in turn, after how many bytes of answer it is cut; undefined lets it live. */
export async function startCuttingProxy(cutAfter: (connection: number) => number | undefined): Promise<CuttingProxy> {
  const sockets = new Set<net.Socket>();
  let connections = 0;
  let cuts = 0;
  let open = 0;
  const server = net.createServer((client) => {
    const connection = connections;
    connections += 1;
    open += 1;
    let left = cutAfter(connection);
    const upstream = net.connect(proxy.target, "127.0.0.1");
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      socket.on("close", () => sockets.delete(socket));
      socket.on("error", () => {
        client.destroy();
        upstream.destroy();
      });
    }
    client.pipe(upstream);
    upstream.on("data", (chunk: Buffer) => {
      if (left === undefined || chunk.length < left) {
        if (left !== undefined) left -= chunk.length;
        if (!client.write(chunk)) {
          upstream.pause();
          client.once("drain", () => upstream.resume());
        }
        return;
      }
      cuts += 1;
      const last = chunk.subarray(0, left);
      left = 0;
      upstream.destroy();
      client.write(last, () => (connection % 2 === 1 ? client.resetAndDestroy() : client.destroy()));
    });
    upstream.on("end", () => client.end());
    client.on("close", () => {
      open -= 1;
      upstream.destroy();
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const proxy = {
    port: (server.address() as AddressInfo).port,
    target: 0,
    get cuts() {
      return cuts;
    },
    get open() {
      return open;
    },
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, "close");
    },
  };
  return proxy;
}
