import type { Json, JsonObject } from "../model/a2a.ts";
import { IasError } from "../model/errors.ts";
import { asArray, asObject, asText } from "./json.ts";
import type { Operation } from "./wire.ts";

/** A2A 0.3's names and request forms. Answers need no translation here: `read.ts` reads both. */

/** The JSON-RPC method of an operation; throws `unsupported-operation` for ListTasks, which 0.3 has not. */
export function legacyMethod(operation: Operation): string {
  const method = METHODS[operation];
  if (method === undefined) throw new IasError("unsupported-operation", `${operation} does not exist in A2A 0.3.`);
  return method;
}

const METHODS: Readonly<Partial<Record<Operation, string>>> = {
  SendMessage: "message/send",
  SendStreamingMessage: "message/stream",
  GetTask: "tasks/get",
  CancelTask: "tasks/cancel",
  SubscribeToTask: "tasks/resubscribe",
  CreateTaskPushNotificationConfig: "tasks/pushNotificationConfig/set",
  GetTaskPushNotificationConfig: "tasks/pushNotificationConfig/get",
  ListTaskPushNotificationConfigs: "tasks/pushNotificationConfig/list",
  DeleteTaskPushNotificationConfig: "tasks/pushNotificationConfig/delete",
  GetExtendedAgentCard: "agent/getAuthenticatedExtendedCard",
};

/** 1.0 parameters as 0.3's JSON-RPC parameters. */
export function toLegacyParams(operation: Operation, params: JsonObject): JsonObject {
  switch (operation) {
    case "SendMessage":
    case "SendStreamingMessage": {
      const configuration = asObject(params["configuration"]) ?? {};
      return {
        message: toLegacyMessage(asObject(params["message"]) ?? {}, "json"),
        configuration: toLegacyConfiguration(configuration, "json"),
        ...(params["metadata"] !== undefined && { metadata: params["metadata"] }),
      };
    }
    case "CreateTaskPushNotificationConfig":
      return { taskId: params["taskId"] ?? "", pushNotificationConfig: toLegacyPushConfig(params) };
    case "GetTaskPushNotificationConfig":
    case "DeleteTaskPushNotificationConfig":
      return { id: params["taskId"] ?? "", pushNotificationConfigId: params["id"] ?? "" };
    case "ListTaskPushNotificationConfigs":
      return { id: params["taskId"] ?? "" };
    default:
      return params;
  }
}

/** The body of 0.3's REST send: the protobuf form, whose message has `content` and whose enums are their proto names. */
export function toLegacyRestSend(params: JsonObject): JsonObject {
  // Always there: to the protobuf form of a2a-python an absent `blocking` is false, in JSON-RPC it is true.
  const configuration = asObject(params["configuration"]) ?? {};
  return {
    message: toLegacyMessage(asObject(params["message"]) ?? {}, "proto"),
    configuration: toLegacyConfiguration(configuration, "proto"),
    ...(params["metadata"] !== undefined && { metadata: params["metadata"] }),
  };
}

/**
 * The bodies of 0.3's REST create of a webhook, to be tried in this order: the proto's annotation wants the configuration itself,
 * a2a-python 0.3 reads the whole request message.
 */
export function toLegacyRestPushConfigs(params: JsonObject): readonly JsonObject[] {
  const id = asText(params["id"]) ?? "";
  const parent = `tasks/${asText(params["taskId"]) ?? ""}`;
  const config = { name: `${parent}/pushNotificationConfigs/${id}`, pushNotificationConfig: toLegacyPushConfig(params) };
  return [config, { parent, configId: id, config }];
}

type Form = "json" | "proto";

function toLegacyMessage(message: JsonObject, form: Form): JsonObject {
  const { role, parts, ...rest } = message;
  const translated = asArray(parts).map((part) => toLegacyPart(asObject(part) ?? {}, form));
  return form === "json"
    ? { kind: "message", ...rest, role: role === "ROLE_AGENT" ? "agent" : "user", parts: translated }
    : { ...rest, role: role ?? "ROLE_USER", content: translated };
}

function toLegacyPart(part: JsonObject, form: Form): JsonObject {
  const metadata = part["metadata"] === undefined ? {} : { metadata: part["metadata"] };
  const name = part["filename"] === undefined ? {} : { name: part["filename"] };
  const mimeType = part["mediaType"] === undefined ? {} : { mimeType: part["mediaType"] };
  const kind = (value: string): JsonObject => (form === "json" ? { kind: value } : {});
  if (part["raw"] !== undefined)
    return { ...kind("file"), file: { [form === "json" ? "bytes" : "fileWithBytes"]: part["raw"], ...name, ...mimeType }, ...metadata };
  if (part["url"] !== undefined)
    return { ...kind("file"), file: { [form === "json" ? "uri" : "fileWithUri"]: part["url"], ...name, ...mimeType }, ...metadata };
  if (part["data"] !== undefined) {
    // 0.3 takes objects only; the official SDKs wrap other values like this and mark them.
    const isObject = asObject(part["data"]) !== undefined;
    const data: Json = isObject ? part["data"] : { value: part["data"] };
    const marked = isObject ? metadata : { metadata: { ...asObject(part["metadata"]), data_part_compat: true } };
    return { ...kind("data"), data: form === "json" ? data : { data }, ...marked };
  }
  return { ...kind("text"), text: part["text"] ?? "", ...metadata };
}

function toLegacyConfiguration(configuration: JsonObject, form: Form): JsonObject {
  const push = asObject(configuration["taskPushNotificationConfig"]);
  return {
    blocking: configuration["returnImmediately"] !== true,
    ...(configuration["acceptedOutputModes"] !== undefined && { acceptedOutputModes: configuration["acceptedOutputModes"] }),
    ...(configuration["historyLength"] !== undefined && { historyLength: configuration["historyLength"] }),
    ...(push && { [form === "json" ? "pushNotificationConfig" : "pushNotification"]: toLegacyPushConfig(push) }),
  };
}

function toLegacyPushConfig(config: JsonObject): JsonObject {
  const authentication = asObject(config["authentication"]);
  return {
    url: config["url"] ?? "",
    ...(config["id"] !== undefined && { id: config["id"] }),
    ...(config["token"] !== undefined && { token: config["token"] }),
    ...(authentication && {
      authentication: {
        schemes: [authentication["scheme"] ?? ""],
        ...(authentication["credentials"] !== undefined && { credentials: authentication["credentials"] }),
      },
    }),
  };
}
