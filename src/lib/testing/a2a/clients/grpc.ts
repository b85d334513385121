import { Client, Metadata, credentials, status } from "@grpc/grpc-js";
import type { ClientReadableStream, ServiceError } from "@grpc/grpc-js";
import type { Json } from "../../../model/a2a.ts";
import { serviceHeaders } from "../wire-client.ts";
import { GRPC_METHODS, grpcDetails } from "./grpc-methods.ts";
import type { CallOptions, Reply, StreamReply, WireClient, WireClientOptions, WireError } from "../wire-client.ts";

/** A2A over gRPC, plaintext. The calls are made here; what goes over the wire is in `grpc-methods.ts`. */
export function createGrpcClient(options: WireClientOptions): WireClient {
  const client = new Client(options.url, credentials.createInsecure());
  const metadata = (call?: CallOptions): Metadata => {
    const result = new Metadata();
    for (const [name, value] of Object.entries(serviceHeaders(options, call))) result.set(name, value);
    return result;
  };
  return {
    binding: "grpc",
    call: (operation, request, call) =>
      new Promise<Reply>((resolve, reject) => {
        const method = GRPC_METHODS[operation];
        const deadline = Date.now() + options.timeoutMs;
        client.makeUnaryRequest(method.path, method.encode, method.decode, request, metadata(call), { deadline }, (error, value) => {
          if (error === null) resolve({ ok: true, value: value ?? null, headers: new Headers(), http: 200 });
          else if (isLocal(error)) reject(error);
          else resolve({ ok: false, error: grpcError(error), headers: new Headers() });
        });
      }),
    open(operation, request, call) {
      const method = GRPC_METHODS[operation];
      return openStream(client.makeServerStreamRequest(method.path, method.encode, method.decode, request, metadata(call)), options.timeoutMs);
    },
    [Symbol.asyncDispose]: async () => client.close(),
  };
}

/** Resolves with the first message, the end, or the error status: gRPC tells only then whether a stream was opened. */
function openStream(stream: ClientReadableStream<Json>, timeoutMs: number): Promise<StreamReply> {
  let failure: ServiceError | undefined;
  let settled = false;
  let closed = false;
  async function* events(): AsyncGenerator<Json, void, undefined> {
    for await (const value of stream) yield value as Json;
    if (failure !== undefined && !closed) throw failure;
  }
  const dispose = async (): Promise<void> => {
    closed = true;
    stream.cancel();
  };
  return new Promise<StreamReply>((resolve, reject) => {
    const timer = setTimeout(() => {
      void dispose();
      reject(new Error(`no first message of ${stream.getPeer()} within ${timeoutMs} ms`));
    }, timeoutMs);
    const open = (): void => {
      settled = true;
      clearTimeout(timer);
      stream.off("readable", readable);
      resolve({ ok: true, headers: new Headers(), events: events(), [Symbol.asyncDispose]: dispose });
    };
    const readable = (): void => {
      const first: Json = stream.read();
      if (first === null) return; // the end: its status follows
      stream.unshift(first);
      open();
    };
    stream.on("readable", readable);
    stream.on("status", open);
    stream.on("error", (error: ServiceError) => {
      failure = error;
      clearTimeout(timer);
      if (settled) return; // its reader hears of it
      settled = true;
      if (isLocal(error)) reject(error);
      else resolve({ ok: false, error: grpcError(error), headers: new Headers() });
    });
  });
}

/** The errors that our side makes: no connection, deadline. */
function isLocal(error: ServiceError): boolean {
  return error.code === status.UNAVAILABLE || error.code === status.DEADLINE_EXCEEDED;
}

function grpcError(error: ServiceError): WireError {
  const details = grpcDetails(error);
  return { binding: "grpc", code: error.code, status: "", message: error.details, details, http: 200, received: `${error.message} ${JSON.stringify(details)}` };
}
