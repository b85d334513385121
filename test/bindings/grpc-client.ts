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
import { type ChannelOptions, Client, credentials, Metadata, type ServiceError } from "@grpc/grpc-js";
import { restoreNulls } from "../../src/lib/a2a/grpc/nulls.ts";
import { type BindingClient, type Wire, WireError } from "./wire.ts";

/** Request and answer of each operation: the SDK's wire form, and its JSON form. */
const METHODS: Readonly<Record<string, readonly [method: Wire, request: Wire, response: Wire]>> = {
  SendMessage: [A2AService.sendMessage, SendMessageRequest, SendMessageResponse],
  SendStreamingMessage: [A2AService.sendStreamingMessage, SendMessageRequest, StreamResponse],
  GetTask: [A2AService.getTask, GetTaskRequest, Task],
  ListTasks: [A2AService.listTasks, ListTasksRequest, ListTasksResponse],
  CancelTask: [A2AService.cancelTask, CancelTaskRequest, Task],
  SubscribeToTask: [A2AService.subscribeToTask, SubscribeToTaskRequest, StreamResponse],
  CreateTaskPushNotificationConfig: [A2AService.createTaskPushNotificationConfig, TaskPushNotificationConfig, TaskPushNotificationConfig],
  GetTaskPushNotificationConfig: [A2AService.getTaskPushNotificationConfig, GetTaskPushNotificationConfigRequest, TaskPushNotificationConfig],
  ListTaskPushNotificationConfigs: [
    A2AService.listTaskPushNotificationConfigs,
    ListTaskPushNotificationConfigsRequest,
    ListTaskPushNotificationConfigsResponse,
  ],
  DeleteTaskPushNotificationConfig: [A2AService.deleteTaskPushNotificationConfig, DeleteTaskPushNotificationConfigRequest, { toJSON: () => ({}) }],
  GetExtendedAgentCard: [A2AService.getExtendedAgentCard, GetExtendedAgentCardRequest, AgentCard],
};

/** A gRPC client over grpc-js; `request` may be bytes as they are. */
export function grpcClient(address: string, options: ChannelOptions = {}): BindingClient {
  const client = new Client(address, credentials.createInsecure(), { "grpc.max_receive_message_length": -1, ...options });
  const toBytes = (operation: string, params: object): Buffer => {
    if (Buffer.isBuffer(params)) return params;
    const [method, request] = METHODS[operation] ?? [];
    const sent = request.fromJSON(params);
    restoreNulls(params, sent);
    return method.requestSerialize(sent);
  };
  const asIs = (bytes: Buffer): Buffer => bytes;
  return {
    name: "grpc",
    call(operation, params, headers) {
      const [method, , response] = METHODS[operation] ?? [];
      return new Promise((resolve, reject) => {
        client.makeUnaryRequest(method.path, asIs, method.responseDeserialize, toBytes(operation, params), toMetadata(headers), (error, answer) => {
          if (error === null) resolve(response.toJSON(answer));
          else reject(toWireError(error));
        });
      });
    },
    async *stream(operation, params, headers, signal) {
      const [method, , response] = METHODS[operation] ?? [];
      const call = client.makeServerStreamRequest(method.path, asIs, method.responseDeserialize, toBytes(operation, params), toMetadata(headers));
      signal?.addEventListener("abort", () => call.cancel());
      try {
        for await (const message of call) yield { event: response.toJSON(message) };
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
  const [bytes] = error.metadata?.get("grpc-status-details-bin") ?? [];
  const details = bytes === undefined ? [] : decodeStatus(bytes as Buffer).details;
  const infos = details.filter(({ typeUrl }) => typeUrl.endsWith("ErrorInfo")).map(({ typeUrl, value }) => ({ "@type": typeUrl, ...decodeErrorInfo(value) }));
  return new WireError(error.code, error.details, infos);
}
