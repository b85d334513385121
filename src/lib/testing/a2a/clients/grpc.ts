import {
  AgentCard,
  CancelTaskRequest,
  DeleteTaskPushNotificationConfigRequest,
  GetExtendedAgentCardRequest,
  GetTaskPushNotificationConfigRequest,
  GetTaskRequest,
  ListTaskPushNotificationConfigsRequest,
  ListTaskPushNotificationConfigsResponse,
  ListTasksRequest,
  ListTasksResponse,
  SendMessageRequest,
  SendMessageResponse,
  StreamResponse,
  SubscribeToTaskRequest,
  Task,
  TaskPushNotificationConfig,
} from "@a2a-js/sdk";
import { decodeErrorInfo, decodeStatus } from "@a2a-js/sdk/errors/grpc";
import { A2AService } from "@a2a-js/sdk/server/grpc";
import { Client, Metadata, credentials, status } from "@grpc/grpc-js";
import type { ClientReadableStream, ServiceError } from "@grpc/grpc-js";
import type { Json, JsonObject } from "../../../model/a2a.ts";
import { serviceHeaders } from "../wire-client.ts";
import type { CallOptions, Reply, StreamReply, WireClient, WireClientOptions, WireError } from "../wire-client.ts";

/** One method: its path, and how ProtoJSON becomes its request bytes and its response bytes become ProtoJSON. */
interface Method {
  readonly path: string;
  encode(request: JsonObject): Buffer;
  decode(bytes: Buffer): Json;
}

/** A2A over gRPC, plaintext. The official SDK gives the protobuf types and the service's definition; the calls are made here. */
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
        const method = METHODS[operation];
        const deadline = Date.now() + options.timeoutMs;
        client.makeUnaryRequest(method.path, method.encode, method.decode, request, metadata(call), { deadline }, (error, value) => {
          if (error === null) resolve({ ok: true, value: value ?? null, headers: new Headers(), http: 200 });
          else if (isLocal(error)) reject(error);
          else resolve({ ok: false, error: grpcError(error), headers: new Headers() });
        });
      }),
    open(operation, request, call) {
      const method = METHODS[operation];
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
  const bin = error.metadata.get("grpc-status-details-bin")[0];
  const details = bin instanceof Buffer ? decodeStatus(bin).details.map(anyToJson) : undefined;
  return { binding: "grpc", code: error.code, status: "", message: error.details, details, http: 200, received: `${error.message} ${JSON.stringify(details)}` };
}

function anyToJson(any: { readonly typeUrl: string; readonly value: Uint8Array }): Json {
  if (any.typeUrl !== "type.googleapis.com/google.rpc.ErrorInfo") return { "@type": any.typeUrl };
  const { reason, domain, metadata } = decodeErrorInfo(Buffer.from(any.value));
  return { "@type": any.typeUrl, reason, domain, metadata };
}

function method<Q, A>(
  rpc: { path: string; requestSerialize(value: Q): Buffer; responseDeserialize(bytes: Buffer): A },
  request: { fromJSON(json: JsonObject): Q },
  response: { toJSON(value: A): unknown },
): Method {
  return {
    path: rpc.path,
    encode: (json) => rpc.requestSerialize(request.fromJSON(json)),
    decode: (bytes) => response.toJSON(rpc.responseDeserialize(bytes)) as Json,
  };
}

/** Protobuf does not tell an empty list or token from an absent one. */
const EMPTY_PAGE = { tasks: [], nextPageToken: "", totalSize: 0 };

const NOTHING = { toJSON: (): Json => ({}) };

const METHODS = {
  SendMessage: method(A2AService.sendMessage, SendMessageRequest, SendMessageResponse),
  SendStreamingMessage: method(A2AService.sendStreamingMessage, SendMessageRequest, StreamResponse),
  GetTask: method(A2AService.getTask, GetTaskRequest, Task),
  ListTasks: method(A2AService.listTasks, ListTasksRequest, {
    toJSON: (page: ListTasksResponse) => ({ ...EMPTY_PAGE, ...Object(ListTasksResponse.toJSON(page)) }),
  }),
  CancelTask: method(A2AService.cancelTask, CancelTaskRequest, Task),
  SubscribeToTask: method(A2AService.subscribeToTask, SubscribeToTaskRequest, StreamResponse),
  CreateTaskPushNotificationConfig: method(A2AService.createTaskPushNotificationConfig, TaskPushNotificationConfig, TaskPushNotificationConfig),
  GetTaskPushNotificationConfig: method(A2AService.getTaskPushNotificationConfig, GetTaskPushNotificationConfigRequest, TaskPushNotificationConfig),
  ListTaskPushNotificationConfigs: method(
    A2AService.listTaskPushNotificationConfigs,
    ListTaskPushNotificationConfigsRequest,
    ListTaskPushNotificationConfigsResponse,
  ),
  DeleteTaskPushNotificationConfig: method(A2AService.deleteTaskPushNotificationConfig, DeleteTaskPushNotificationConfigRequest, NOTHING),
  GetExtendedAgentCard: method(A2AService.getExtendedAgentCard, GetExtendedAgentCardRequest, AgentCard),
} satisfies Record<string, Method>;
