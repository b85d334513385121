import { type ChannelOptions, Client, credentials, Metadata, type ServiceError } from "@grpc/grpc-js";
import { GRPC_METHODS, grpcDetails } from "../../src/lib/testing/a2a/clients/grpc-methods.ts";
import { type BindingClient, WireError } from "./wire.ts";

const METHODS = new Map(Object.entries(GRPC_METHODS));

/**
 * A gRPC client over grpc-js; `params` may be bytes as they are. It is another one than that of the suite we ship: it may send what no client should, and throws errors,
 * as the tests' clients of the other bindings do, where that one hands them out undecided. What goes over the wire is the same code.
 */
export function grpcClient(address: string, options: ChannelOptions = {}): BindingClient {
  const client = new Client(address, credentials.createInsecure(), { "grpc.max_receive_message_length": -1, ...options });
  const asIs = (bytes: Buffer): Buffer => bytes;
  const prepare = (operation: string, params: object) => {
    const method = METHODS.get(operation);
    if (method === undefined) throw new Error(`There is no operation ${operation}.`);
    return { ...method, bytes: Buffer.isBuffer(params) ? params : method.encode(JSON.parse(JSON.stringify(params))) };
  };
  return {
    name: "grpc",
    call(operation, params, headers) {
      const { path, decode, bytes } = prepare(operation, params);
      return new Promise((resolve, reject) => {
        client.makeUnaryRequest(path, asIs, decode, bytes, toMetadata(headers), (error, answer) => {
          if (error === null) resolve(answer);
          else reject(toWireError(error));
        });
      });
    },
    async *stream(operation, params, headers, signal) {
      const { path, decode, bytes } = prepare(operation, params);
      const call = client.makeServerStreamRequest(path, asIs, decode, bytes, toMetadata(headers));
      signal?.addEventListener("abort", () => call.cancel());
      try {
        for await (const event of call) yield { event };
      } catch (error) {
        throw toWireError(error as ServiceError);
      } finally {
        call.cancel();
      }
    },
    async [Symbol.asyncDispose]() {
      client.close();
    },
  };
}

function toMetadata(headers: Readonly<Record<string, string>> = {}): Metadata {
  const metadata = new Metadata();
  for (const [name, value] of Object.entries({ "a2a-version": "1.0", ...headers })) metadata.set(name === "last-event-id" ? "a2a-last-event-id" : name, value);
  return metadata;
}

function toWireError(error: ServiceError): WireError {
  return new WireError(error.code, error.details, grpcDetails(error) ?? []);
}
