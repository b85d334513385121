import type { Json, JsonObject } from "../model/a2a.ts";
import { type ErrorCode, type ErrorOptions, IasError } from "../model/errors.ts";
import { readRetryAfter } from "../net/retry-after.ts";
import { asArray, asObject, asText } from "./json.ts";

/** What a remote agent's error is to us. Reasons (`google.rpc.ErrorInfo`) decide over codes, and codes over HTTP statuses. */

const BY_REASON: Readonly<Record<string, ErrorCode>> = {
  TASK_NOT_FOUND: "task-not-found",
  TASK_NOT_CANCELABLE: "task-not-cancelable",
  PUSH_NOTIFICATION_NOT_SUPPORTED: "push-not-supported",
  UNSUPPORTED_OPERATION: "unsupported-operation",
  CONTENT_TYPE_NOT_SUPPORTED: "content-type-not-supported",
  INVALID_AGENT_RESPONSE: "invalid-agent-response",
  EXTENDED_AGENT_CARD_NOT_CONFIGURED: "extended-card-not-configured",
  EXTENSION_SUPPORT_REQUIRED: "extension-required",
  VERSION_NOT_SUPPORTED: "version-not-supported",
};

const BY_RPC_CODE: Readonly<Record<number, ErrorCode>> = {
  [-32001]: "task-not-found",
  [-32002]: "task-not-cancelable",
  [-32003]: "push-not-supported",
  [-32004]: "unsupported-operation",
  [-32005]: "content-type-not-supported",
  [-32006]: "invalid-agent-response",
  [-32007]: "extended-card-not-configured",
  [-32008]: "extension-required",
  [-32009]: "version-not-supported",
  [-32700]: "parse-error",
  [-32600]: "invalid-request",
  [-32601]: "method-not-found",
  [-32602]: "invalid-params",
};

const BY_STATUS: Readonly<Record<number, ErrorCode>> = {
  400: "invalid-params",
  401: "unauthenticated",
  403: "forbidden",
  404: "not-found",
  405: "method-not-found",
  408: "timeout",
  413: "too-large",
  415: "content-type-not-supported",
  422: "invalid-params",
  429: "limit-reached",
  501: "unsupported-operation",
  502: "unavailable",
  503: "unavailable",
  504: "timeout",
};

const RETRYABLE: ReadonlySet<ErrorCode> = new Set<ErrorCode>(["limit-reached", "unavailable", "timeout"]);

/** A JSON-RPC error object, or what stands in its place; `fallback` for codes that are neither JSON-RPC's nor A2A's. */
export function fromRpcError(error: Json | undefined, fallback: ErrorCode = "remote-failed"): IasError {
  const object = asObject(error) ?? {};
  const code = typeof object["code"] === "number" ? object["code"] : 0;
  const details = asArray(object["data"]);
  return build(BY_RPC_CODE[code] ?? fallback, asText(object["message"]), details, { details: { rpcCode: String(code) } });
}

/** An HTTP error: its body may be a google.rpc.Status, a JSON-RPC error, another JSON, or text. */
export function fromHttpError(status: number, body: string, headers: Headers): IasError {
  const json = parseObject(body);
  const error = asObject(json?.["error"]) ?? json;
  if (error !== undefined && typeof error["code"] === "number" && error["code"] < 0) return fromRpcError(error, BY_STATUS[status]);
  const retryAfterMs = readRetryAfter(headers.get("retry-after"), Date.now());
  const message =
    asText(error?.["message"]) ?? asText(json?.["detail"]) ?? asText(json?.["error"]) ?? (json === undefined ? body.trim().slice(0, 200) : undefined);
  return build(BY_STATUS[status] ?? "remote-failed", message, [...asArray(error?.["details"]), ...asArray(error?.["data"])], {
    details: { httpStatus: String(status) },
    ...(retryAfterMs !== undefined && { retryAfterMs }),
  });
}

/** An error by its `google.rpc` reason, for gRPC. */
export function fromReason(reason: string | undefined, fallback: ErrorCode, message: string): IasError {
  return build((reason !== undefined && BY_REASON[reason]) || fallback, message, reason === undefined ? [] : [{ reason }], {});
}

function build(fallback: ErrorCode, message: string | undefined, details: readonly Json[], more: ErrorOptions): IasError {
  const info = details.map(asObject).find((detail) => asText(detail?.["reason"]) !== undefined);
  const reason = asText(info?.["reason"]);
  const code = (reason !== undefined && BY_REASON[reason]) || fallback;
  const facts = Object.entries(asObject(info?.["metadata"]) ?? {}).filter((entry): entry is [string, string] => typeof entry[1] === "string");
  const fields = details.flatMap((detail) => fieldViolations(asObject(detail)));
  return new IasError(code, `The agent says: ${message === undefined || message === "" ? code : message}`, {
    ...more,
    retryable: RETRYABLE.has(code),
    ...(reason !== undefined && { reason }),
    details: { ...more.details, ...Object.fromEntries(facts) },
    fields,
  });
}

function fieldViolations(detail: JsonObject | undefined): readonly { readonly field: string; readonly description: string }[] {
  return asArray(detail?.["fieldViolations"]).flatMap((entry) => {
    const field = asText(asObject(entry)?.["field"]);
    return field === undefined ? [] : [{ field, description: asText(asObject(entry)?.["description"]) ?? "" }];
  });
}

function parseObject(body: string): JsonObject | undefined {
  try {
    return asObject(JSON.parse(body));
  } catch {
    return undefined;
  }
}
