import * as grpc from "@grpc/grpc-js";
import * as codecs from "@a2a-js/sdk";
import { decodeErrorInfo, decodeStatus, GRPC_STATUS_DETAILS_BIN } from "@a2a-js/sdk/errors/grpc";
import { A2AService } from "@a2a-js/sdk/server/grpc";
import type { Json, JsonObject } from "../model/a2a.ts";
import { EXTENSION_URI } from "../model/entry.ts";
import { type ErrorCode, IasError } from "../model/errors.ts";
import { zoneOf } from "../net/address.ts";
import type { GuardedFetch } from "../net/guarded-fetch.ts";
import { fromReason } from "./remote-error.ts";
import type { Operation, Wire, WireOptions } from "./wire.ts";

/** The gRPC binding of A2A 1.0 (specification 10), on the official SDK's protobuf codecs. */
export interface GrpcWireOptions {
  /** The guard: it judges the address, and the channel connects to exactly that. */
  readonly fetch: GuardedFetch;
  /** `host:port`, or a URL whose scheme says whether it is TLS (`https`, `grpcs`) or not (`http`, `grpc`). Without a scheme: TLS unless the host is loopback. */
  readonly url: string;
  readonly tenant?: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly extensions: readonly string[];
  readonly maxResponseBytes: number;
  readonly callTimeoutMs: number;
}

/** Judges the target and makes a channel to it; it connects at the first call. Throws as `GuardedFetch.check` does. */
export async function createGrpcWire(options: GrpcWireOptions): Promise<Wire> {
  const client = await createChannel(options);

  function metadata(call: WireOptions & { readonly lastEventId?: string }): grpc.Metadata {
    const values = new grpc.Metadata();
    for (const [name, value] of Object.entries(options.headers)) values.set(name, value);
    values.set("a2a-version", "1.0");
    values.set("a2a-extensions", [...new Set([EXTENSION_URI, ...options.extensions])].join(","));
    if (call.idempotencyKey !== undefined) values.set("idempotency-key", call.idempotencyKey);
    if (call.lastEventId !== undefined) values.set("a2a-last-event-id", call.lastEventId);
    return values;
  }

  function toRequest(operation: Operation, params: JsonObject): unknown {
    return REQUESTS[operation].fromJSON({ ...(options.tenant !== undefined && { tenant: options.tenant }), ...params });
  }

  return {
    version: "1.0",
    call(operation, params, callOptions) {
      const method = METHODS[operation];
      return new Promise<Json>((resolve, reject) => {
        const deadline = Date.now() + options.callTimeoutMs;
        const call = client.makeUnaryRequest<unknown, unknown>(
          method.path,
          method.requestSerialize,
          (bytes) => ANSWERS[operation].toJSON(method.responseDeserialize(bytes)),
          toRequest(operation, params),
          metadata(callOptions),
          { deadline },
          (error, value) => {
            callOptions.signal?.removeEventListener("abort", cancel);
            if (error === null) resolve((value ?? null) as Json);
            else reject(toGrpcError(error, callOptions.signal));
          },
        );
        const cancel = (): void => call.cancel();
        if (callOptions.signal?.aborted === true) cancel();
        else callOptions.signal?.addEventListener("abort", cancel, { once: true });
      });
    },
    async *stream(operation, params, streamOptions) {
      const method = METHODS[operation];
      const decode = (bytes: Buffer): Json => codecs.StreamResponse.toJSON(method.responseDeserialize(bytes) as codecs.StreamResponse) as Json;
      const call = client.makeServerStreamRequest<unknown, Json>(
        method.path,
        method.requestSerialize,
        decode,
        toRequest(operation, params),
        metadata(streamOptions),
      );
      const cancel = (): void => call.cancel();
      if (streamOptions.signal?.aborted === true) cancel();
      streamOptions.signal?.addEventListener("abort", cancel, { once: true });
      try {
        // A paused iteration stops the HTTP/2 window, so a slow reader holds the agent back.
        for await (const payload of call) yield { payload: payload as Json };
      } catch (error) {
        throw toGrpcError(error, streamOptions.signal);
      } finally {
        streamOptions.signal?.removeEventListener("abort", cancel);
        cancel();
      }
    },
    async [Symbol.asyncDispose]() {
      client.close();
    },
  };
}

interface Method {
  readonly path: string;
  readonly requestSerialize: (value: unknown) => Buffer;
  readonly responseDeserialize: (bytes: Buffer) => unknown;
}

const METHODS = Object.fromEntries(
  Object.values(A2AService).map((method) => [method.path.slice(method.path.lastIndexOf("/") + 1), method]),
) as unknown as Readonly<Record<Operation, Method>>;

interface Codec {
  fromJSON(value: unknown): unknown;
  toJSON(value: unknown): unknown;
}

const REQUESTS = {
  SendMessage: codecs.SendMessageRequest,
  SendStreamingMessage: codecs.SendMessageRequest,
  GetTask: codecs.GetTaskRequest,
  ListTasks: codecs.ListTasksRequest,
  CancelTask: codecs.CancelTaskRequest,
  SubscribeToTask: codecs.SubscribeToTaskRequest,
  CreateTaskPushNotificationConfig: codecs.TaskPushNotificationConfig,
  GetTaskPushNotificationConfig: codecs.GetTaskPushNotificationConfigRequest,
  ListTaskPushNotificationConfigs: codecs.ListTaskPushNotificationConfigsRequest,
  DeleteTaskPushNotificationConfig: codecs.DeleteTaskPushNotificationConfigRequest,
  GetExtendedAgentCard: codecs.GetExtendedAgentCardRequest,
} as unknown as Readonly<Record<Operation, Codec>>;

const EMPTY: Codec = { fromJSON: () => ({}), toJSON: () => ({}) };

const ANSWERS = {
  SendMessage: codecs.SendMessageResponse,
  SendStreamingMessage: codecs.StreamResponse,
  GetTask: codecs.Task,
  ListTasks: codecs.ListTasksResponse,
  CancelTask: codecs.Task,
  SubscribeToTask: codecs.StreamResponse,
  CreateTaskPushNotificationConfig: codecs.TaskPushNotificationConfig,
  GetTaskPushNotificationConfig: codecs.TaskPushNotificationConfig,
  ListTaskPushNotificationConfigs: codecs.ListTaskPushNotificationConfigsResponse,
  DeleteTaskPushNotificationConfig: EMPTY,
  GetExtendedAgentCard: codecs.AgentCard,
} as unknown as Readonly<Record<Operation, Codec>>;

async function createChannel(options: GrpcWireOptions): Promise<grpc.Client> {
  const hasScheme = /^[a-z][a-z0-9+.-]*:\/\//i.test(options.url);
  const given = hasScheme ? options.url.replace(/^grpc/i, "http") : `http://${options.url}`;
  const target = await options.fetch.check(given);
  const isSecure = hasScheme ? target.url.protocol === "https:" : target.addresses.some((address) => zoneOf(address) !== "loopback");
  const port = target.url.port === "" ? (isSecure ? "443" : "80") : target.url.port;
  const addresses = target.addresses.map((address) => (address.includes(":") ? `[${address}]:${port}` : `${address}:${port}`));
  const family = target.addresses.every((address) => !address.includes(":")) ? "ipv4" : "ipv6";
  const same = addresses.filter((address) => address.startsWith("[") === (family === "ipv6"));
  const host = target.url.hostname;
  return new grpc.Client(`${family}:${same.join(",")}`, isSecure ? grpc.credentials.createSsl() : grpc.credentials.createInsecure(), {
    "grpc.default_authority": `${host}:${port}`,
    ...(isSecure && { "grpc.ssl_target_name_override": host }),
    "grpc.max_receive_message_length": options.maxResponseBytes,
    // A half-open connection is noticed without traffic of the agent's.
    "grpc.keepalive_time_ms": 30_000,
    "grpc.keepalive_timeout_ms": 10_000,
    "grpc.enable_http_proxy": 0,
    "grpc.enable_retries": 0,
  });
}

const BY_STATUS: Readonly<Partial<Record<grpc.status, ErrorCode>>> = {
  [grpc.status.INVALID_ARGUMENT]: "invalid-params",
  [grpc.status.NOT_FOUND]: "task-not-found",
  [grpc.status.FAILED_PRECONDITION]: "unsupported-operation",
  [grpc.status.UNIMPLEMENTED]: "method-not-found",
  [grpc.status.UNAUTHENTICATED]: "unauthenticated",
  [grpc.status.PERMISSION_DENIED]: "forbidden",
  [grpc.status.RESOURCE_EXHAUSTED]: "limit-reached",
  [grpc.status.UNAVAILABLE]: "unavailable",
  [grpc.status.DEADLINE_EXCEEDED]: "timeout",
};

function toGrpcError(error: unknown, signal: AbortSignal | undefined): IasError {
  if (signal?.aborted === true) return new IasError("aborted", "The request was aborted.", { cause: signal.reason });
  if (error instanceof IasError) return error;
  const status = error as Partial<grpc.ServiceError>;
  if (typeof status.code !== "number") return IasError.from(error, "remote-failed");
  // HTTP/2 resets and broken connections come as INTERNAL or CANCELLED of the peer's making.
  const isCut = status.code === grpc.status.CANCELLED || (status.code === grpc.status.INTERNAL && /RST_STREAM|ECONNRESET|GOAWAY/.test(status.details ?? ""));
  if (isCut) return new IasError("unavailable", `The connection was lost: ${status.details ?? ""}`, { cause: error, retryable: true });
  if (status.code === grpc.status.UNAVAILABLE && /ECONNREFUSED|No connection established/.test(status.details ?? "")) {
    return new IasError("unavailable", `No connection: ${status.details ?? ""}`, { cause: error, retryable: true, reason: "CONNECT_FAILED" });
  }
  return fromReason(reasonOf(status.metadata), BY_STATUS[status.code] ?? "remote-failed", status.details ?? "");
}

/** `google.rpc.ErrorInfo.reason` of the status details, which is what A2A's own errors differ by. */
function reasonOf(metadata: grpc.Metadata | undefined): string | undefined {
  const [bytes] = metadata?.get(GRPC_STATUS_DETAILS_BIN) ?? [];
  if (!Buffer.isBuffer(bytes)) return undefined;
  for (const detail of decodeStatus(bytes).details) {
    if (detail.typeUrl.endsWith("google.rpc.ErrorInfo")) return decodeErrorInfo(detail.value).reason;
  }
  return undefined;
}
