import { z } from "zod";
import { IasError } from "../../model/errors.ts";
import { type BindingRequest, checkJsonBody, extensionHeaders, type JsonLimits, parseJsonBody, readVersion, type Reply, toCall } from "../binding.ts";
import { rpcHttpStatus, toErrorHeaders, toJsonRpcError } from "../errors.ts";
import type { Call, Operations } from "../operations.ts";

/** JSON-RPC methods of 1.0 (specification 9.4): the operations by their names. */
const METHODS = {
  SendMessage: "sendMessage",
  SendStreamingMessage: "sendStreamingMessage",
  GetTask: "getTask",
  ListTasks: "listTasks",
  CancelTask: "cancelTask",
  SubscribeToTask: "subscribeToTask",
  CreateTaskPushNotificationConfig: "createTaskPushNotificationConfig",
  GetTaskPushNotificationConfig: "getTaskPushNotificationConfig",
  ListTaskPushNotificationConfigs: "listTaskPushNotificationConfigs",
  DeleteTaskPushNotificationConfig: "deleteTaskPushNotificationConfig",
  GetExtendedAgentCard: "getExtendedAgentCard",
} as const satisfies Record<string, keyof Operations>;

/** The id of a JSON-RPC request. */
export type RpcId = string | number | null;

/** A request whose envelope is right. */
export interface RpcRequest {
  readonly id: RpcId;
  readonly method: string;
  readonly params: unknown;
}

const idSchema = z.union([z.string(), z.number(), z.null()]);
const envelopeSchema = z.object({ jsonrpc: z.literal("2.0"), id: idSchema.optional(), method: z.string(), params: z.unknown().optional() });

/** How another version answers. */
export interface VersionedRpc {
  /** Its methods by name. */
  readonly methods: readonly string[];
  /** The answer to a request of one of them; undefined: it has no such method. */
  answer(operations: Operations, request: BindingRequest, rpc: RpcRequest): Promise<Reply | undefined>;
}

/**
 * The JSON-RPC binding (specification 9). HTTP status is 200 for every answer that has an envelope, except where HTTP itself has more to say (429, 503).
 * The order of checks: content type, JSON, envelope, version, method, parameters.
 */
export async function handleJsonRpc(
  operations: Operations,
  request: BindingRequest,
  options: { readonly limits: JsonLimits; readonly v0_3: VersionedRpc },
): Promise<Reply> {
  let id: RpcId = null;
  try {
    checkJsonBody(request);
    const body = parseJsonBody(request.body, options.limits);
    id = readId(body);
    if (Array.isArray(body)) throw new IasError("invalid-request", "Batches are not taken: send each request by itself.");
    const envelope = envelopeSchema.safeParse(body);
    if (!envelope.success)
      throw new IasError("invalid-request", 'Not a JSON-RPC 2.0 request: it needs { "jsonrpc": "2.0", "id": …, "method": "SendMessage", "params": { … } }.');
    const rpc: RpcRequest = { id, method: envelope.data.method, params: envelope.data.params };
    const version = readVersion(request);
    if (version === "0.3") {
      const reply = await options.v0_3.answer(operations, request, rpc);
      if (reply !== undefined) return reply;
      if (Object.hasOwn(METHODS, rpc.method)) {
        throw new IasError(
          "version-not-supported",
          `${rpc.method} is a method of A2A 1.0: send the header "A2A-Version: 1.0" with it. Without the header a request is of A2A 0.3, where methods are named like message/send.`,
          {
            reason: "VERSION_HEADER_MISSING",
            details: { header: "A2A-Version: 1.0" },
          },
        );
      }
      throw methodNotFound(rpc.method, "0.3", options.v0_3.methods);
    }
    return await call(operations, request, rpc);
  } catch (error) {
    return rpcError(id, error);
  }
}

async function call(operations: Operations, request: BindingRequest, rpc: RpcRequest): Promise<Reply> {
  const name = Object.hasOwn(METHODS, rpc.method) ? METHODS[rpc.method as keyof typeof METHODS] : undefined;
  if (name === undefined) throw methodNotFound(rpc.method, "1.0", Object.keys(METHODS));
  const { params = {} } = rpc;
  if (typeof params !== "object" || params === null || Array.isArray(params)) {
    throw new IasError("invalid-params", "params must be an object with the fields of the request.", {
      fields: [{ field: "params", description: "must be an object" }],
    });
  }
  const tenant = "tenant" in params && typeof params.tenant === "string" ? params.tenant : undefined;
  const made = toCall(request, "1.0", tenant);
  const result = await operations[name](made, params);
  if (name === "sendStreamingMessage" || name === "subscribeToTask")
    return rpcStream(rpc.id, result as Awaited<ReturnType<Operations["subscribeToTask"]>>, made);
  return rpcResult(rpc.id, result ?? {}, made);
}

/** A whole result in its envelope. */
function rpcResult(id: RpcId, result: unknown, made?: Call): Reply {
  return { kind: "whole", status: 200, headers: headersOf(made), body: JSON.stringify({ jsonrpc: "2.0", id, result }) };
}

/** Any thrown value in its envelope. */
function rpcError(id: RpcId, thrown: unknown): Reply {
  const error = IasError.from(thrown);
  return {
    kind: "whole",
    status: rpcHttpStatus(error),
    headers: { "content-type": "application/json", ...toErrorHeaders(error) },
    body: rpcErrorText(id, error),
  };
}

/** A stream whose frames stand in envelopes. */
function rpcStream(id: RpcId, stream: Awaited<ReturnType<Operations["subscribeToTask"]>>, made?: Call): Reply {
  return {
    kind: "stream",
    stream,
    framing: {
      headers: extensionHeaders(made),
      prefix: `{"jsonrpc":"2.0","id":${JSON.stringify(id)},"result":`,
      suffix: "}",
      error: (error) => rpcErrorText(id, error),
    },
  };
}

function rpcErrorText(id: RpcId, error: unknown): string {
  return JSON.stringify({ jsonrpc: "2.0", id, error: toJsonRpcError(error) });
}

function headersOf(made: Call | undefined): Readonly<Record<string, string>> {
  return { "content-type": "application/json", ...extensionHeaders(made) };
}

/** The id of whatever came, so that even a wrong request gets its own back. */
function readId(body: unknown): RpcId {
  if (body === null || typeof body !== "object" || !("id" in body)) return null;
  const id = idSchema.safeParse(body.id);
  if (!id.success) throw new IasError("invalid-request", "The JSON-RPC id must be a string, a number or null.");
  return id.data;
}

function methodNotFound(method: string, version: string, methods: readonly string[]): IasError {
  return new IasError("method-not-found", `There is no method ${JSON.stringify(method.slice(0, 64))}. A2A ${version} has ${methods.join(", ")}.`);
}
