import {
  Server,
  ServerCredentials,
  type handleServerStreamingCall,
  type handleUnaryCall,
  type ServiceDefinition,
  type UntypedServiceImplementation,
} from "@grpc/grpc-js";
import type { Socket } from "node:net";
import { IasError } from "../../model/errors.ts";
import type { Operations } from "../operations.ts";
import { CODECS } from "./codec.ts";
import { createFrameEncoder } from "./frames.ts";
import type { GrpcOptions } from "./serve.ts";
import { type ActiveCalls, answer, type ServiceParts, stream } from "./service.ts";
import { toServiceError } from "./status.ts";

/** What speaks gRPC on connections that somebody else accepts. */
export interface GrpcHandler {
  /** Serves a connection, of which nothing was read yet. */
  take(socket: Socket): void;
  /** Refuses new calls and ends streams after what they have written, both with UNAVAILABLE (SEMANTICS 9). */
  drain(): void;
  /** Waits up to 2 s for calls to end, then closes connections. */
  close(): Promise<void>;
}

const CLOSE_WAIT_MS = 2000;

/** A handler of all operations as `lf.a2a.v1.A2AService` (specification 10). */
export function createGrpcHandler(options: GrpcOptions): GrpcHandler {
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
  const injector = server.createConnectionInjector(ServerCredentials.createInsecure());
  return {
    take(socket) {
      injector.injectConnection(socket);
      // The session reads from the handle, which a paused socket has not started.
      socket.resume();
    },
    drain() {
      draining = true;
      for (const controller of active) controller.abort(leaving());
    },
    close: () => shutdown(server),
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
