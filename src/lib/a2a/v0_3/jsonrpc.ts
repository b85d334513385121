import type { Json } from "../../model/a2a.ts";
import { IasError } from "../../model/errors.ts";
import { activatedExtensions, type Reply, toCall } from "../binding.ts";
import { rpcHttpStatus, toErrorHeaders, toJsonRpcError } from "../errors.ts";
import type { RpcId, VersionedRpc } from "../jsonrpc/handler.ts";
import type { Call, FrameStream, Operations } from "../operations.ts";
import { createFrameTranslator } from "./frames.ts";
import { fromV03PushId, fromV03PushSet, fromV03Send, fromV03Task } from "./from-v03.ts";
import { findPushConfig } from "./push.ts";
import { toV03Event, toV03Message, toV03PushConfig, toV03Task } from "./to-v03.ts";

type Method =
  | { readonly kind: "whole"; readonly answer: (operations: Operations, call: Call, params: unknown) => Promise<Json> }
  | {
      readonly kind: "stream";
      readonly open: (operations: Operations, call: Call, params: unknown) => Promise<FrameStream>;
      readonly ends: "at-rest" | "with-task";
    };

const METHODS: Readonly<Record<string, Method>> = {
  "message/send": {
    kind: "whole",
    async answer(operations, call, params) {
      const sent = await operations.sendMessage(call, fromV03Send(params));
      return "task" in sent ? toV03Task(sent.task) : toV03Message(sent.message);
    },
  },
  "message/stream": { kind: "stream", ends: "at-rest", open: (operations, call, params) => operations.sendStreamingMessage(call, fromV03Send(params)) },
  "tasks/get": { kind: "whole", answer: async (operations, call, params) => toV03Task(await operations.getTask(call, fromV03Task(params))) },
  "tasks/cancel": { kind: "whole", answer: async (operations, call, params) => toV03Task(await operations.cancelTask(call, fromV03Task(params))) },
  "tasks/resubscribe": { kind: "stream", ends: "with-task", open: (operations, call, params) => operations.subscribeToTask(call, fromV03Task(params)) },
  "tasks/pushNotificationConfig/set": {
    kind: "whole",
    answer: async (operations, call, params) => toV03PushConfig(await operations.createTaskPushNotificationConfig(call, fromV03PushSet(params))),
  },
  "tasks/pushNotificationConfig/get": {
    kind: "whole",
    answer: async (operations, call, params) => toV03PushConfig(await findPushConfig(operations, call, fromV03PushId(params))),
  },
  "tasks/pushNotificationConfig/list": {
    kind: "whole",
    async answer(operations, call, params) {
      const { configs } = await operations.listTaskPushNotificationConfigs(call, { taskId: fromV03PushId(params).taskId });
      return configs.map(toV03PushConfig);
    },
  },
  "tasks/pushNotificationConfig/delete": {
    kind: "whole",
    async answer(operations, call, params) {
      await operations.deleteTaskPushNotificationConfig(call, fromV03PushId(params));
      return null;
    },
  },
  "agent/getAuthenticatedExtendedCard": { kind: "whole", answer: getExtendedCard },
};

/**
 * The JSON-RPC methods of protocol 0.3, on the URL of 1.0's (SEMANTICS 25): an empty `A2A-Version` leads here. Errors are of JSON-RPC's plain form, without
 * the `ErrorInfo` that 0.3 does not know. `logId` names the cursors that events carry in their metadata.
 */
export function createV03Rpc({ logId }: { readonly logId: string }): VersionedRpc {
  const translate = createFrameTranslator(logId, toV03Event);
  const answer: VersionedRpc["answer"] = async (operations, request, { id, method: name, params }) => {
    const method = Object.hasOwn(METHODS, name) ? METHODS[name] : undefined;
    if (method === undefined) return undefined;
    try {
      const call = toCall(request, "0.3", undefined);
      const headers = legacyExtensionHeaders(call);
      if (method.kind === "whole") {
        const result = await method.answer(operations, call, params);
        return {
          kind: "whole",
          status: 200,
          headers: { "content-type": "application/json", ...headers },
          body: JSON.stringify({ jsonrpc: "2.0", id, result }),
        };
      }
      const stream = translate(await method.open(operations, call, params), method);
      const prefix = `{"jsonrpc":"2.0","id":${JSON.stringify(id)},"result":`;
      return { kind: "stream", stream, framing: { headers, prefix, suffix: "}", error: (error) => errorText(id, error) } };
    } catch (error) {
      const accepts = request.header("accept") ?? "";
      return method.kind === "stream" && accepts.includes("text/event-stream") ? toErrorStream(id, error) : toReply(id, error);
    }
  };
  return { methods: Object.keys(METHODS), answer };
}

/** In 0.3 a card that is not there is "not configured" (-32007), whether the public card announces one or not. */
async function getExtendedCard(operations: Operations, call: Call): Promise<Json> {
  try {
    return await operations.getExtendedAgentCard(call, {});
  } catch (error) {
    if (error instanceof IasError && error.code === "unsupported-operation")
      throw new IasError("extended-card-not-configured", error.message, { cause: error });
    throw error;
  }
}

/** The answer's header for active extensions had another name in 0.3. */
export function legacyExtensionHeaders(call: Call): Readonly<Record<string, string>> {
  const active = activatedExtensions(call);
  return active.length === 0 ? {} : { "x-a2a-extensions": active.join(", ") };
}

function toReply(id: RpcId, thrown: unknown): Reply {
  const error = IasError.from(thrown);
  return { kind: "whole", status: rpcHttpStatus(error), headers: { "content-type": "application/json", ...toErrorHeaders(error) }, body: errorText(id, error) };
}

/** Who asks for a stream in 0.3 reads only a stream: the official Python client does not look into an answer of another type. */
function toErrorStream(id: RpcId, thrown: unknown): Reply {
  const headers = { "content-type": "text/event-stream", "cache-control": "no-cache, no-transform" };
  return { kind: "whole", status: 200, headers, body: `data: ${errorText(id, thrown)}\n\n` };
}

function errorText(id: RpcId, error: unknown): string {
  const { code, message } = toJsonRpcError(error);
  return JSON.stringify({ jsonrpc: "2.0", id, error: { code, message } });
}
