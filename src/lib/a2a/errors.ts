import { type ErrorCode, IasError } from "../model/errors.ts";

/** The domain of A2A's own reasons in `google.rpc.ErrorInfo` (specification 9.5, 10.6, 11.6). */
const A2A_ERROR_DOMAIN = "a2a-protocol.org";

/** The domain of the reasons that this project adds (limits, idempotency, access). */
const OWN_ERROR_DOMAIN = "infinite-agent-streams";

/** Names of `google.rpc.Code` that this project uses, with their numbers. */
export const RPC_CODES = {
  CANCELLED: 1,
  INVALID_ARGUMENT: 3,
  DEADLINE_EXCEEDED: 4,
  NOT_FOUND: 5,
  PERMISSION_DENIED: 7,
  RESOURCE_EXHAUSTED: 8,
  FAILED_PRECONDITION: 9,
  ABORTED: 10,
  UNIMPLEMENTED: 12,
  INTERNAL: 13,
  UNAVAILABLE: 14,
  DATA_LOSS: 15,
  UNAUTHENTICATED: 16,
} as const;

/** A name of `google.rpc.Code`. */
export type RpcStatus = keyof typeof RPC_CODES;

/** How one error code looks on each binding. */
export interface WireError {
  /** JSON-RPC `error.code`. A2A has -32001 … -32009; ours stand at the other end of the range that JSON-RPC leaves to servers. */
  readonly jsonRpc: number;
  readonly http: number;
  /** `status` of `google.rpc.Status` and, by `RPC_CODES`, the gRPC code. */
  readonly status: RpcStatus;
  /** `ErrorInfo.reason`; absent where the specification gives none. */
  readonly reason?: string;
  /** Whose reason it is: with `a2a` it is fixed by the specification, and an error's own reason goes into `ErrorInfo.metadata.reason`. */
  readonly by: "a2a" | "own";
  /** Said instead of the error's message, which is for the server's log only. */
  readonly opaque?: string;
}

/** The one table from error codes to wire forms (A2A 1.0.1, sections 5.4, 9.5, 10.6, 11.6; the rest is this project's choice). */
export const WIRE_ERRORS: Readonly<Record<ErrorCode, WireError>> = {
  "task-not-found": { jsonRpc: -32001, http: 404, status: "NOT_FOUND", reason: "TASK_NOT_FOUND", by: "a2a" },
  "task-not-cancelable": { jsonRpc: -32002, http: 400, status: "FAILED_PRECONDITION", reason: "TASK_NOT_CANCELABLE", by: "a2a" },
  "push-not-supported": { jsonRpc: -32003, http: 400, status: "FAILED_PRECONDITION", reason: "PUSH_NOTIFICATION_NOT_SUPPORTED", by: "a2a" },
  "unsupported-operation": { jsonRpc: -32004, http: 400, status: "FAILED_PRECONDITION", reason: "UNSUPPORTED_OPERATION", by: "a2a" },
  "content-type-not-supported": { jsonRpc: -32005, http: 400, status: "INVALID_ARGUMENT", reason: "CONTENT_TYPE_NOT_SUPPORTED", by: "a2a" },
  "invalid-agent-response": { jsonRpc: -32006, http: 500, status: "INTERNAL", reason: "INVALID_AGENT_RESPONSE", by: "a2a" },
  "extended-card-not-configured": { jsonRpc: -32007, http: 400, status: "FAILED_PRECONDITION", reason: "EXTENDED_AGENT_CARD_NOT_CONFIGURED", by: "a2a" },
  "extension-required": { jsonRpc: -32008, http: 400, status: "FAILED_PRECONDITION", reason: "EXTENSION_SUPPORT_REQUIRED", by: "a2a" },
  "version-not-supported": { jsonRpc: -32009, http: 400, status: "FAILED_PRECONDITION", reason: "VERSION_NOT_SUPPORTED", by: "a2a" },
  "parse-error": { jsonRpc: -32700, http: 400, status: "INVALID_ARGUMENT", by: "own" },
  "invalid-request": { jsonRpc: -32600, http: 400, status: "INVALID_ARGUMENT", by: "own" },
  "method-not-found": { jsonRpc: -32601, http: 404, status: "NOT_FOUND", by: "own" },
  "invalid-params": { jsonRpc: -32602, http: 400, status: "INVALID_ARGUMENT", by: "own" },
  internal: { jsonRpc: -32603, http: 500, status: "INTERNAL", by: "own", opaque: "Internal error." },
  unauthenticated: { jsonRpc: -32090, http: 401, status: "UNAUTHENTICATED", reason: "UNAUTHENTICATED", by: "own" },
  forbidden: { jsonRpc: -32091, http: 403, status: "PERMISSION_DENIED", reason: "FORBIDDEN", by: "own" },
  "not-found": { jsonRpc: -32092, http: 404, status: "NOT_FOUND", reason: "NOT_FOUND", by: "own" },
  // Not OUT_OF_RANGE or RESOURCE_EXHAUSTED: clients repeat those, and the same body will be too large again.
  "too-large": { jsonRpc: -32093, http: 413, status: "INVALID_ARGUMENT", reason: "TOO_LARGE", by: "own" },
  "limit-reached": { jsonRpc: -32094, http: 429, status: "RESOURCE_EXHAUSTED", reason: "LIMIT_REACHED", by: "own" },
  unavailable: { jsonRpc: -32095, http: 503, status: "UNAVAILABLE", reason: "UNAVAILABLE", by: "own" },
  fenced: { jsonRpc: -32096, http: 409, status: "ABORTED", reason: "WRITER_CHANGED", by: "own" },
  conflict: { jsonRpc: -32096, http: 409, status: "ABORTED", reason: "CONFLICT", by: "own" },
  timeout: { jsonRpc: -32097, http: 504, status: "DEADLINE_EXCEEDED", reason: "TIMEOUT", by: "own" },
  aborted: { jsonRpc: -32098, http: 499, status: "CANCELLED", reason: "ABORTED", by: "own" },
  "engine-failed": { jsonRpc: -32603, http: 500, status: "INTERNAL", reason: "ENGINE_FAILED", by: "own", opaque: "The agent failed." },
  "remote-failed": {
    jsonRpc: -32603,
    http: 500,
    status: "INTERNAL",
    reason: "REMOTE_FAILED",
    by: "own",
    opaque: "Another system that the agent needs failed.",
  },
  corrupt: { jsonRpc: -32603, http: 500, status: "DATA_LOSS", reason: "DATA_LOSS", by: "own", opaque: "Stored data could not be read." },
  configuration: { jsonRpc: -32603, http: 500, status: "INTERNAL", reason: "CONFIGURATION", by: "own", opaque: "The server is not configured for this." },
};

/** One object of `error.data` (JSON-RPC) or `details` (REST, gRPC): a `google.rpc` message in ProtoJSON with its `@type`. */
export type ErrorDetail =
  | {
      readonly "@type": "type.googleapis.com/google.rpc.ErrorInfo";
      readonly reason: string;
      readonly domain: string;
      readonly metadata?: Readonly<Record<string, string>>;
    }
  | {
      readonly "@type": "type.googleapis.com/google.rpc.BadRequest";
      readonly fieldViolations: readonly { readonly field: string; readonly description: string }[];
    }
  /** `retryDelay` in seconds: `1.5s`. */
  | { readonly "@type": "type.googleapis.com/google.rpc.RetryInfo"; readonly retryDelay: string };

/** `error` of a JSON-RPC response; `data` is absent when there is nothing to say beyond code and message. */
export interface JsonRpcError {
  readonly code: number;
  readonly message: string;
  readonly data?: readonly ErrorDetail[];
}

/** Status, headers to add and body of an HTTP+JSON error response. */
export interface RestError {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: { readonly error: { readonly code: number; readonly status: RpcStatus; readonly message: string; readonly details: readonly ErrorDetail[] } };
}

/** What becomes a gRPC status: `code`, `message`, and `details` for `grpc-status-details-bin`. */
export interface GrpcError {
  readonly code: number;
  readonly message: string;
  readonly details: readonly ErrorDetail[];
}

/** Anything thrown, as JSON-RPC says it. No cause, stack or message of foreign code gets out. */
export function toJsonRpcError(thrown: unknown): JsonRpcError {
  const error = IasError.from(thrown);
  const details = toErrorDetails(error);
  return { code: WIRE_ERRORS[error.code].jsonRpc, message: toPublicMessage(error), ...(details.length === 0 ? {} : { data: details }) };
}

/** Anything thrown, as HTTP+JSON says it; `status` replaces the HTTP status of the table (405 for a known path). */
export function toRestError(thrown: unknown, options: { readonly status?: number; readonly headers?: Readonly<Record<string, string>> } = {}): RestError {
  const error = IasError.from(thrown);
  const wire = WIRE_ERRORS[error.code];
  const status = options.status ?? wire.http;
  // What is known and does not take a method is not "not found"; 405 has no name of its own in `google.rpc.Code`.
  const name = status === 405 ? "UNIMPLEMENTED" : wire.status;
  return {
    status,
    headers: { ...toErrorHeaders(error), ...options.headers },
    body: { error: { code: status, status: name, message: toPublicMessage(error), details: toErrorDetails(error) } },
  };
}

/** Anything thrown, as gRPC says it. */
export function toGrpcError(thrown: unknown): GrpcError {
  const error = IasError.from(thrown);
  // The wire's NOT_FOUND of an unknown method is REST's; gRPC has its own code for it.
  const status = error.code === "method-not-found" ? "UNIMPLEMENTED" : WIRE_ERRORS[error.code].status;
  return { code: RPC_CODES[status], message: toPublicMessage(error), details: toErrorDetails(error) };
}

/** HTTP status of a JSON-RPC error: 200, but what balancers and clients should see is theirs. */
export function rpcHttpStatus({ code }: IasError): number {
  return code === "unavailable" ? 503 : code === "limit-reached" ? 429 : 200;
}

/** HTTP headers that an error asks for, on any binding: `retry-after` in whole seconds, `www-authenticate`. */
export function toErrorHeaders(error: IasError): Readonly<Record<string, string>> {
  return {
    ...(error.retryAfterMs === undefined ? {} : { "retry-after": String(Math.max(1, Math.ceil(error.retryAfterMs / 1000))) }),
    ...(error.code === "unauthenticated" ? { "www-authenticate": error.reason === "CREDENTIALS_INVALID" ? 'Bearer error="invalid_token"' : "Bearer" } : {}),
  };
}

/** The sentence that a caller may read. A message that only repeats its cause was written by foreign code and stays inside. */
function toPublicMessage(error: IasError): string {
  const { opaque } = WIRE_ERRORS[error.code];
  if (error.code === "internal") return opaque ?? "Internal error.";
  return isForeign(error) ? (opaque ?? "The request could not be served.") : error.message;
}

/** Whether the message is not this project's own: `IasError.from` took it from whatever was thrown. */
function isForeign({ cause, message }: IasError): boolean {
  if (cause instanceof IasError || cause === undefined) return false;
  return cause instanceof Error ? cause.message === message : typeof cause === "string" && cause === message;
}

/** `ErrorInfo`, `BadRequest` and `RetryInfo`, as far as the error says something of the kind. */
export function toErrorDetails(error: IasError): readonly ErrorDetail[] {
  const details: ErrorDetail[] = [];
  const wire = WIRE_ERRORS[error.code];
  const reason = wire.by === "a2a" ? wire.reason : (error.reason ?? wire.reason);
  if (reason !== undefined) {
    const metadata: Record<string, string> = { ...error.details };
    if (error.reason !== undefined && error.reason !== reason) metadata["reason"] = error.reason;
    if (error.retryable) metadata["retryable"] = "true";
    details.push({
      "@type": "type.googleapis.com/google.rpc.ErrorInfo",
      reason,
      domain: wire.by === "a2a" ? A2A_ERROR_DOMAIN : OWN_ERROR_DOMAIN,
      ...(Object.keys(metadata).length === 0 ? {} : { metadata }),
    });
  }
  if (error.fields.length > 0)
    details.push({
      "@type": "type.googleapis.com/google.rpc.BadRequest",
      fieldViolations: error.fields.map(({ field, description }) => ({ field, description })),
    });
  if (error.retryAfterMs !== undefined)
    details.push({ "@type": "type.googleapis.com/google.rpc.RetryInfo", retryDelay: `${Math.max(0, Math.round(error.retryAfterMs)) / 1000}s` });
  return details;
}
