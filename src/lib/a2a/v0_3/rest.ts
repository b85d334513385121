import type { Json } from "../../model/a2a.ts";
import { IasError } from "../../model/errors.ts";
import { type BindingRequest, checkJsonBody, type JsonLimits, parseJsonBody, type Reply, toCall } from "../binding.ts";
import { toErrorHeaders, toJsonRpcError, toRestError } from "../errors.ts";
import type { Call, FrameStream, Operations } from "../operations.ts";
import type { VersionedRest } from "../rest/handler.ts";
import { matchRest, type RestMatch } from "../rest/route.ts";
import { createFrameTranslator } from "./frames.ts";
import { legacyExtensionHeaders } from "./jsonrpc.ts";
import { fromProtoPush, fromProtoSend, toProtoEvent, toProtoMessage, toProtoPushConfig, toProtoTask } from "./proto.ts";

/**
 * Protocol 0.3 on REST, under `/v1/` (SEMANTICS 25): the same resources as 1.0's, in the form of `proto.ts`; errors are `{ code, message }` with JSON-RPC's
 * codes, as the official 0.3 servers have them. `GET /v1/card` is the extended card.
 */
export function createV03Rest({ logId, limits }: { readonly logId: string; readonly limits: JsonLimits }): VersionedRest {
  const translate = createFrameTranslator(logId, toProtoEvent);
  return async (operations, request) => {
    try {
      const path = request.path.slice("/v1".length);
      const match = matchRest(request.method, path === "/card" ? "/extendedAgentCard" : path, request.query);
      if (match.kind === "miss") return errorReply(match.error, match.status, match.headers);
      const call = toCall(request, "0.3", undefined);
      const body = match.takesBody ? readBody(request, limits) : undefined;
      const { operation, params } = match;
      const headers = legacyExtensionHeaders(call);
      if (operation === "sendStreamingMessage")
        return streamReply(translate(await operations.sendStreamingMessage(call, fromProtoSend(body)), { ends: "at-rest" }), headers);
      if (operation === "subscribeToTask") return streamReply(translate(await operations.subscribeToTask(call, params), { ends: "with-task" }), headers);
      const result = await answer(operations, call, match, body);
      return { kind: "whole", status: 200, headers: { "content-type": "application/json", ...headers }, body: JSON.stringify(result) };
    } catch (error) {
      return errorReply(error);
    }
  };
}

type WholeOperation = Exclude<keyof Operations, "sendStreamingMessage" | "subscribeToTask">;

async function answer(operations: Operations, call: Call, { operation, params }: RestMatch, body: unknown): Promise<Json> {
  switch (operation as WholeOperation) {
    case "sendMessage": {
      const sent = await operations.sendMessage(call, fromProtoSend(body));
      return "task" in sent ? { task: toProtoTask(sent.task) } : { message: toProtoMessage(sent.message) };
    }
    case "getTask":
      // In the 0.3 proto a length of 0 is no limit.
      return toProtoTask(await operations.getTask(call, params["historyLength"] === 0 ? { id: params["id"] ?? "" } : params));
    case "cancelTask":
      return toProtoTask(await operations.cancelTask(call, { id: params["id"] ?? "" }));
    case "listTasks": {
      const { tasks, nextPageToken } = await operations.listTasks(call, params);
      return { tasks: tasks.map(toProtoTask), nextPageToken };
    }
    case "createTaskPushNotificationConfig":
      return toProtoPushConfig(await operations.createTaskPushNotificationConfig(call, fromProtoPush(body, params["taskId"] ?? "")));
    case "getTaskPushNotificationConfig":
      return toProtoPushConfig(await operations.getTaskPushNotificationConfig(call, params));
    case "listTaskPushNotificationConfigs": {
      const { configs, nextPageToken = "" } = await operations.listTaskPushNotificationConfigs(call, params);
      return { configs: configs.map(toProtoPushConfig), nextPageToken };
    }
    case "deleteTaskPushNotificationConfig":
      await operations.deleteTaskPushNotificationConfig(call, params);
      return {};
    case "getExtendedAgentCard":
      return operations.getExtendedAgentCard(call, {});
  }
}

/** An empty body, and the `null` that some 0.3 clients send for one, are none. */
function readBody(request: BindingRequest, limits: JsonLimits): unknown {
  checkJsonBody(request);
  return request.body.length === 0 ? undefined : (parseJsonBody(request.body, limits) ?? undefined);
}

function streamReply(stream: FrameStream, headers: Readonly<Record<string, string>>): Reply {
  return { kind: "stream", stream, framing: { headers, prefix: "", suffix: "", error: errorText } };
}

function errorReply(thrown: unknown, status?: number, headers: Readonly<Record<string, string>> = {}): Reply {
  const error = IasError.from(thrown);
  return {
    kind: "whole",
    status: status ?? toRestError(error).status,
    headers: { "content-type": "application/json", ...toErrorHeaders(error), ...headers },
    body: errorText(error),
  };
}

function errorText(error: unknown): string {
  const { code, message } = toJsonRpcError(error);
  return JSON.stringify({ code, message });
}
