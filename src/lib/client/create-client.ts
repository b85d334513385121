import type { Json, JsonObject, Task } from "../model/a2a.ts";
import { IasError } from "../model/errors.ts";
import type { BackoffOptions } from "./backoff.ts";
import { declaresCursors, type RemoteCard, type RemoteInterface } from "./card.ts";
import type { A2AClient, PushConfig, SendRequest, SendResult } from "./client.ts";
import { followRemote, type FollowPolicy } from "./follow.ts";
import { asArray, asObject, asText, member } from "./json.ts";
import { readStreamResponse, readTask } from "./read.ts";
import type { Wire, WireFrame } from "./wire.ts";

/** What a client is made of. */
export interface ClientParts {
  readonly card: RemoteCard;
  readonly remote: RemoteInterface;
  readonly wire: Wire;
  readonly maxReconnects: number;
  readonly backoff: BackoffOptions;
  readonly poll: BackoffOptions;
  readonly idleTimeoutMs?: number;
  readonly random: () => number;
  readonly sleep: FollowPolicy["sleep"];
  /** Closes what the client owns beside its wire. */
  readonly dispose: () => Promise<void>;
}

/** Puts the operations and the following of streams onto one wire. */
export function createClient(parts: ClientParts): A2AClient {
  const { wire, card } = parts;
  const hasCursors = declaresCursors(card);
  const policy: FollowPolicy = {
    ...parts,
    hasCursors,
    streaming: card.streaming,
    // a2a-python 0.3 stores each event once more for each subscriber, and gives no Task to begin with: its tasks are better asked for.
    subscribes: hasCursors || wire.version === "1.0",
    idleTimeoutMs: parts.idleTimeoutMs ?? (hasCursors ? 45_000 : 300_000),
    getTask: (task, signal) => getTask(task, signal && { signal }),
  };

  async function getTask(task: string, options: { readonly signal?: AbortSignal; readonly historyLength?: number } = {}): Promise<Task> {
    const { historyLength, ...call } = options;
    return readTask(await wire.call("GetTask", { id: task, ...(historyLength !== undefined && { historyLength }) }, call), wire.version);
  }

  async function send(request: SendRequest, options: { readonly signal?: AbortSignal } = {}): Promise<SendResult> {
    const result = readStreamResponse(
      await wire.call("SendMessage", toParams(request), { ...options, idempotencyKey: request.message.messageId }),
      wire.version,
    );
    if (result !== undefined && ("task" in result || "message" in result)) return result;
    throw new IasError("invalid-agent-response", "The agent answered a message with neither a Task nor a Message.");
  }

  /** An agent without streams: its task is started, then polled. The answer to a waiting task is waited for, because what comes at once may still show it waiting. */
  async function* sendAndPoll(request: SendRequest, signal: AbortSignal | undefined): AsyncGenerator<WireFrame, void, undefined> {
    const immediate = { ...request, configuration: { ...request.configuration, returnImmediately: request.message.taskId === undefined } };
    yield { payload: await wire.call("SendMessage", toParams(immediate), { idempotencyKey: request.message.messageId, ...(signal && { signal }) }) };
  }

  return {
    card,
    remote: parts.remote,
    hasCursors,
    send,
    stream(request, options = {}) {
      const open = (signal: AbortSignal | undefined): AsyncIterable<WireFrame> =>
        card.streaming
          ? wire.stream("SendStreamingMessage", toParams(request), {
              idleTimeoutMs: policy.idleTimeoutMs,
              idempotencyKey: request.message.messageId,
              ...(signal && { signal }),
            })
          : sendAndPoll(request, signal);
      return followRemote(wire, { kind: "send", messageId: request.message.messageId, starts: request.message.taskId === undefined, open }, policy, options);
    },
    subscribe(task, options = {}) {
      return followRemote(wire, { kind: "subscribe", task, ...(options.after !== undefined && { after: options.after }) }, policy, options);
    },
    getTask,
    async listTasks(query = {}, options = {}) {
      const page = asObject(await wire.call("ListTasks", toJson(query), options)) ?? {};
      const tasks = asArray(page["tasks"]).map((task) => readTask(task, wire.version));
      const count = (name: string): number => (typeof member(page, name) === "number" ? Number(member(page, name)) : tasks.length);
      return { tasks, nextPageToken: asText(member(page, "nextPageToken")) ?? "", pageSize: count("pageSize"), totalSize: count("totalSize") };
    },
    async cancelTask(task, options = {}) {
      const { metadata, ...call } = options;
      return readTask(await wire.call("CancelTask", { id: task, ...(metadata && { metadata }) }, call), wire.version);
    },
    async createPushConfig(config, options = {}) {
      return readPushConfig(await wire.call("CreateTaskPushNotificationConfig", toJson(config), options), config.taskId);
    },
    async getPushConfig(task, id, options = {}) {
      return readPushConfig(await wire.call("GetTaskPushNotificationConfig", { taskId: task, id }, options), task);
    },
    async listPushConfigs(task, options = {}) {
      const result = await wire.call("ListTaskPushNotificationConfigs", { taskId: task }, options);
      const list = Array.isArray(result) ? result : asArray(asObject(result)?.["configs"]);
      return list.map((entry) => readPushConfig(entry, task));
    },
    async deletePushConfig(task, id, options = {}) {
      await wire.call("DeleteTaskPushNotificationConfig", { taskId: task, id }, options);
    },
    async extendedCard(options = {}) {
      const extended = asObject(await wire.call("GetExtendedAgentCard", {}, options));
      if (extended === undefined) throw new IasError("invalid-agent-response", "The extended agent card is not an object.");
      return extended;
    },
    async [Symbol.asyncDispose]() {
      await wire[Symbol.asyncDispose]();
      await parts.dispose();
    },
  };
}

function toParams(request: SendRequest): JsonObject {
  return toJson({ ...request, message: { ...request.message, role: request.message.role } });
}

/** Typed objects of ours as JSON: they hold nothing else. */
function toJson(value: object): JsonObject {
  return value as JsonObject;
}

/** 1.0 has the members themselves, 0.3 a `pushNotificationConfig` in which they are; `authentication` has one scheme, or a list of them. */
function readPushConfig(value: Json, task: string): PushConfig {
  const outer = asObject(value) ?? {};
  const config = asObject(member(outer, "pushNotificationConfig")) ?? outer;
  const url = asText(config["url"]);
  if (url === undefined) throw new IasError("invalid-agent-response", "The agent sent what is not a push notification configuration.");
  const authentication = asObject(config["authentication"]);
  const scheme = asText(authentication?.["scheme"]) ?? asText(asArray(authentication?.["schemes"])[0]);
  const id = asText(config["id"]);
  const token = asText(config["token"]);
  const credentials = asText(authentication?.["credentials"]);
  return {
    taskId: asText(member(outer, "taskId")) ?? task,
    url,
    ...(id !== undefined && { id }),
    ...(token !== undefined && token !== "" && { token }),
    ...(scheme !== undefined && { authentication: { scheme, ...(credentials !== undefined && { credentials }) } }),
  };
}
