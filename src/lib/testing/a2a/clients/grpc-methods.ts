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
import type { ServiceError } from "@grpc/grpc-js";
import type { Json, JsonObject } from "../../../model/a2a.ts";
import { at, itemsAt } from "../json.ts";
import type { StreamOperation, UnaryOperation } from "../wire-client.ts";

/** One method: its path, and how ProtoJSON becomes its request bytes and its response bytes become ProtoJSON. */
export interface GrpcMethod {
  readonly path: string;
  encode(request: JsonObject): Buffer;
  decode(bytes: Buffer): Json;
}

/** The details of an error in ProtoJSON, each with its `@type`; of others than ErrorInfo only that. Undefined: it has none. */
export function grpcDetails(error: ServiceError): readonly Json[] | undefined {
  const [bytes] = error.metadata.get("grpc-status-details-bin");
  return bytes instanceof Buffer ? decodeStatus(bytes).details.map(toJson) : undefined;
}

function toJson(any: { readonly typeUrl: string; readonly value: Uint8Array }): Json {
  if (any.typeUrl !== "type.googleapis.com/google.rpc.ErrorInfo") return { "@type": any.typeUrl };
  const { reason, domain, metadata } = decodeErrorInfo(Buffer.from(any.value));
  return { "@type": any.typeUrl, reason, domain, metadata };
}

/** The SDK's `fromJSON` drops a part's `data: null`, which is a value like any other (`google.protobuf.Value`). */
function keepNulls(request: JsonObject, sent: { message?: { parts: { content?: unknown }[] } | undefined }): void {
  const parts = itemsAt(request, "message", "parts");
  for (const [index, part] of (sent.message?.parts ?? []).entries()) if (at(parts[index], "data") === null) part.content ??= { $case: "data", value: null };
}

function method<Q extends object, A>(
  rpc: { path: string; requestSerialize(value: Q): Buffer; responseDeserialize(bytes: Buffer): A },
  request: { fromJSON(json: JsonObject): Q },
  response: { toJSON(value: A): unknown },
): GrpcMethod {
  return {
    path: rpc.path,
    encode(json) {
      const sent = request.fromJSON(json);
      keepNulls(json, sent);
      return rpc.requestSerialize(sent);
    },
    decode: (bytes) => response.toJSON(rpc.responseDeserialize(bytes)) as Json,
  };
}

/** Protobuf does not tell an empty list or token from an absent one. */
const EMPTY_PAGE = { tasks: [], nextPageToken: "", totalSize: 0 };

const NOTHING = { toJSON: (): Json => ({}) };

/** The operations of `lf.a2a.v1.A2AService` by their names in the specification. The official SDK gives the protobuf types. */
export const GRPC_METHODS: Readonly<Record<UnaryOperation | StreamOperation, GrpcMethod>> = {
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
};
