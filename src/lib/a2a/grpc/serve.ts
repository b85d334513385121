import { createServer, type AddressInfo, type Server, type Socket } from "node:net";
import { IasError } from "../../model/errors.ts";
import type { Limits } from "../../model/limits.ts";
import type { GrpcHandler } from "./handler.ts";
import type { ServiceParts } from "./service.ts";

/** Where and what to serve: plaintext HTTP/2, as behind a proxy or on loopback. */
export interface GrpcOptions extends Omit<ServiceParts, "encodeFrame" | "limits"> {
  /** A name or address; plain `127.0.0.1` and `::1` for one's own machine. */
  readonly host: string;
  /** 0 takes a free one. */
  readonly port: number;
  /** The log whose cursors events carry. */
  readonly logId: string;
  readonly limits: Pick<Limits, "maxBodyBytes" | "maxJsonDepth" | "maxJsonValues" | "maxStreamMs" | "heartbeatMs">;
}

/** A running gRPC binding. Disposing drains it, waits up to 2 s for calls to end, then closes connections. */
export interface GrpcServer extends AsyncDisposable {
  readonly port: number;
  /** Refuses new calls and ends streams after what they have written, both with UNAVAILABLE (SEMANTICS 9). */
  drain(): void;
}

/**
 * Serves all operations as `lf.a2a.v1.A2AService` (specification 10). Throws `configuration` when the address cannot be had, with reason PORT_TAKEN where
 * somebody else has it. What speaks gRPC is loaded with the first connection: a server that nobody asks so is about 5 MB smaller.
 */
export async function startGrpc(options: GrpcOptions): Promise<GrpcServer> {
  const sockets = new Set<Socket>();
  let handler: Promise<GrpcHandler> | undefined;
  let draining = false;

  const open = async (): Promise<GrpcHandler> => {
    const { createGrpcHandler } = await import("./handler.ts");
    const made = createGrpcHandler(options);
    if (draining) made.drain();
    return made;
  };
  const accept = async (socket: Socket): Promise<void> => {
    try {
      const { take } = await (handler ??= open());
      if (!socket.destroyed) take(socket);
    } catch (error) {
      options.report(IasError.from(error));
      socket.destroy();
    }
  };
  // Nothing is read before there is somebody to read it.
  const listener = createServer({ pauseOnConnect: true, noDelay: true }, (socket) => {
    sockets.add(socket);
    socket.on("error", () => socket.destroy());
    socket.once("close", () => sockets.delete(socket));
    void accept(socket);
  });
  const port = await listen(listener, options);
  const drain = (): void => {
    draining = true;
    handler?.then(
      (made) => made.drain(),
      () => undefined,
    );
  };
  return {
    port,
    drain,
    async [Symbol.asyncDispose]() {
      drain();
      const closed = new Promise((resolve) => listener.close(resolve));
      const made = await handler?.catch(() => undefined);
      await made?.close();
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}

function listen(server: Server, { host, port }: GrpcOptions): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once("error", (error: NodeJS.ErrnoException) => {
      const message = `gRPC cannot listen on ${host}:${port}: ${error.message}. Choose another port (GRPC_PORT), or GRPC_PORT=off.`;
      reject(new IasError("configuration", message, { cause: error, ...(error.code === "EADDRINUSE" && { reason: "PORT_TAKEN" }) }));
    });
    server.listen(port, host, () => {
      server.removeAllListeners("error");
      resolve((server.address() as AddressInfo).port);
    });
  });
}
