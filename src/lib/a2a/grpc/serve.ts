import {
  Server,
  ServerCredentials,
  type handleServerStreamingCall,
  type handleUnaryCall,
  type ServiceDefinition,
  type UntypedServiceImplementation,
} from "@grpc/grpc-js";
import { IasError } from "../../model/errors.ts";
import type { Limits } from "../../model/limits.ts";
import type { Operations } from "../operations.ts";
import { CODECS } from "./codec.ts";
import { createFrameEncoder } from "./frames.ts";
import { type ActiveCalls, answer, type ServiceParts, stream } from "./service.ts";
import { toServiceError } from "./status.ts";

/** Where and what to serve: plaintext HTTP/2, as behind a proxy or on loopback. */
export interface GrpcOptions extends Omit<ServiceParts, "encodeFrame" | "limits"> {
  /** A name or address; plain `127.0.0.1` and `::1` for one's own machine. */
  readonly host: string;
  /** 0 takes a free one. */
  readonly port: number;
  /** The log whose cursors events carry. */
  readonly logId: string;
  readonly limits: Pick<Limits, "maxBodyBytes" | "maxJsonDepth" | "maxStreamMs" | "heartbeatMs">;
}

/** A running gRPC binding. Disposing drains it, waits up to 2 s for calls to end, then closes connections. */
export interface GrpcServer extends AsyncDisposable {
  readonly port: number;
  /** Refuses new calls and ends streams after what they have written, both with UNAVAILABLE (SEMANTICS 9). */
  drain(): void;
}

const CLOSE_WAIT_MS = 2000;

/**
 * Serves all operations as `lf.a2a.v1.A2AService` (specification 10). Throws `configuration` when the address cannot be had.
 */
export async function startGrpc(options: GrpcOptions): Promise<GrpcServer> {
  const parts: ServiceParts = { ...options, encodeFrame: createFrameEncoder(options.logId) };
  const active: ActiveCalls = new Set();
  let draining = false;
  const server = new Server({
    "grpc.max_receive_message_length": options.limits.maxBodyBytes,
    "grpc.max_send_message_length": -1,
    // The heartbeat of this binding: HTTP/2 pings find clients that are gone.
    "grpc.keepalive_time_ms": options.limits.heartbeatMs,
    "grpc.keepalive_timeout_ms": options.limits.heartbeatMs,
  });
  const implementation = Object.fromEntries(
    (Object.keys(CODECS) as (keyof Operations)[]).map((name): [string, UntypedServiceImplementation[string]] => {
      if (name === "sendStreamingMessage" || name === "subscribeToTask") {
        const handle: handleServerStreamingCall<Buffer, Buffer> = (call) => {
          if (draining) call.emit("error", toServiceError(leaving()));
          else void stream(parts, active, name, call);
        };
        return [name, handle];
      }
      const handle: handleUnaryCall<Buffer, Buffer> = (call, callback) => {
        if (draining) callback(toServiceError(leaving()));
        else void answer(parts, active, name, call, callback);
      };
      return [name, handle];
    }),
  );
  server.addService(definition(), implementation);
  const port = await bind(server, options);
  const drain = (): void => {
    draining = true;
    for (const controller of active) controller.abort(leaving());
  };
  return {
    port,
    drain,
    async [Symbol.asyncDispose]() {
      drain();
      await shutdown(server);
    },
  };
}

/** Bytes go in and out as they are: requests are decoded where errors can be told, frames are encoded once for all readers. */
function definition(): ServiceDefinition {
  const asIs = (bytes: Buffer): Buffer => bytes;
  return Object.fromEntries(
    Object.entries(CODECS).map(([name, { path, stream }]) => [
      name,
      {
        path,
        requestStream: false,
        responseStream: stream,
        requestSerialize: asIs,
        requestDeserialize: asIs,
        responseSerialize: asIs,
        responseDeserialize: asIs,
      },
    ]),
  );
}

function bind(server: Server, { host, port }: GrpcOptions): Promise<number> {
  const address = `${host.includes(":") ? `[${host}]` : host}:${port}`;
  return new Promise((resolve, reject) => {
    server.bindAsync(address, ServerCredentials.createInsecure(), (error, bound) => {
      if (error === null) resolve(bound);
      else {
        // The library tells why in words only.
        const taken = !/EACCES|EADDRNOTAVAIL|ENOTFOUND/.test(error.message);
        const message = `gRPC cannot listen on ${address}: ${error.message}. Choose another port (GRPC_PORT), or GRPC_PORT=off.`;
        reject(new IasError("configuration", message, { cause: error, ...(taken && { reason: "PORT_TAKEN" }) }));
      }
    });
  });
}

function shutdown(server: Server): Promise<void> {
  return new Promise((resolve) => {
    const force = setTimeout(() => {
      server.forceShutdown();
      resolve();
    }, CLOSE_WAIT_MS);
    server.tryShutdown(() => {
      clearTimeout(force);
      resolve();
    });
  });
}

function leaving(): IasError {
  return new IasError("unavailable", "The server is shutting down; connect again in a moment, streams with their last cursor.", {
    reason: "DRAINING",
    retryable: true,
    retryAfterMs: 1000,
  });
}
