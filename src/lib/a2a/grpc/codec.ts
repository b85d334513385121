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
import { A2AService } from "@a2a-js/sdk/server/grpc";
import { IasError } from "../../model/errors.ts";
import { type JsonLimits, tooDeep, tooManyValues } from "../binding.ts";
import type { Operations } from "../operations.ts";
import { countFields } from "./count-fields.ts";
import { restoreNulls } from "./nulls.ts";

/** One operation's messages between protobuf and ProtoJSON. */
export interface Codec {
  /** `/lf.a2a.v1.A2AService/…` */
  readonly path: string;
  readonly stream: boolean;
  /** Request bytes as ProtoJSON parameters. Throws `invalid-request` for bytes that are not the message, or nested too deeply, `too-large` for too many values. */
  decode(bytes: Buffer, limits: JsonLimits): unknown;
  /** A result in ProtoJSON as response bytes. */
  encode(json: unknown): Buffer;
}

interface Json<T> {
  fromJSON(json: unknown): T;
  toJSON(message: T): unknown;
}

interface Method<Request, Response> {
  readonly path: string;
  readonly responseStream: boolean;
  readonly requestDeserialize: (bytes: Buffer) => Request;
  readonly responseSerialize: (message: Response) => Buffer;
}

/** The SDK has the wire form of a message in its gRPC service, and the JSON form under the message's name: a codec is both together. */
function codec<Request, Response>(method: Method<Request, Response>, request: Json<Request>, response: Json<Response>): Codec {
  const name = method.path.slice(method.path.lastIndexOf("/") + 1);
  return {
    path: method.path,
    stream: method.responseStream,
    decode(bytes, { maxJsonDepth, maxJsonValues }) {
      // A member of an object is four fields: the member, its name, its value, and the kind of that; an item of a list is two.
      if (countFields(bytes, name, maxJsonValues * 4) > maxJsonValues * 4) throw tooManyValues("The request", maxJsonValues);
      const json = attempt(() => request.toJSON(method.requestDeserialize(bytes)), method.path);
      checkDepth(json, maxJsonDepth);
      return json;
    },
    encode(json) {
      const message = response.fromJSON(json);
      restoreNulls(json, message);
      return method.responseSerialize(message);
    },
  };
}

const Empty: Json<object> = { fromJSON: () => ({}), toJSON: () => ({}) };

/** All operations of the service by their names in `Operations`. */
export const CODECS: Readonly<Record<keyof Operations, Codec>> = {
  sendMessage: codec(A2AService.sendMessage, SendMessageRequest, SendMessageResponse),
  sendStreamingMessage: codec(A2AService.sendStreamingMessage, SendMessageRequest, StreamResponse),
  getTask: codec(A2AService.getTask, GetTaskRequest, Task),
  listTasks: codec(A2AService.listTasks, ListTasksRequest, ListTasksResponse),
  cancelTask: codec(A2AService.cancelTask, CancelTaskRequest, Task),
  subscribeToTask: codec(A2AService.subscribeToTask, SubscribeToTaskRequest, StreamResponse),
  createTaskPushNotificationConfig: codec(A2AService.createTaskPushNotificationConfig, TaskPushNotificationConfig, TaskPushNotificationConfig),
  getTaskPushNotificationConfig: codec(A2AService.getTaskPushNotificationConfig, GetTaskPushNotificationConfigRequest, TaskPushNotificationConfig),
  listTaskPushNotificationConfigs: codec(
    A2AService.listTaskPushNotificationConfigs,
    ListTaskPushNotificationConfigsRequest,
    ListTaskPushNotificationConfigsResponse,
  ),
  deleteTaskPushNotificationConfig: codec(A2AService.deleteTaskPushNotificationConfig, DeleteTaskPushNotificationConfigRequest, Empty),
  getExtendedAgentCard: codec(A2AService.getExtendedAgentCard, GetExtendedAgentCardRequest, AgentCard),
};

function attempt<T>(run: () => T, path: string): T {
  try {
    return run();
  } catch (error) {
    throw new IasError("invalid-request", `The bytes are not the request message of ${path}, or are nested too deeply.`, { cause: error });
  }
}

/** Looks at each level in turn, without recursion. */
function checkDepth(json: unknown, maxDepth: number): void {
  let level: unknown[] = [json];
  for (let depth = 0; level.length > 0; depth += 1) {
    if (depth > maxDepth) throw tooDeep("The request", maxDepth);
    level = level.flatMap((value) => (value !== null && typeof value === "object" ? Object.values(value) : [])).filter((value) => typeof value === "object");
  }
}
