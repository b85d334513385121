import { toErrorHeaders, WIRE_ERRORS } from "../../a2a/errors.ts";
import { toApiError } from "../../api/errors.ts";
import type { JsonObject } from "../../model/a2a.ts";
import { IasError } from "../../model/errors.ts";
import type { RouteReply } from "../../net/route.ts";
import type { TurnEnd } from "../bridge-event.ts";

/** An error as OpenAI's API says it: what stands under `error`. */
export interface OpenAiError extends JsonObject {
  readonly message: string;
  readonly type: string;
  readonly param: string | null;
  readonly code: string | null;
}

/** Anything thrown, in OpenAI's form. */
function toOpenAiError(thrown: unknown, status = WIRE_ERRORS[IasError.from(thrown).code].http): OpenAiError {
  const { error } = toApiError(thrown);
  return { message: error.message, type: typeOf(status), param: error.fields?.[0]?.field ?? null, code: error.reason?.toLowerCase() ?? error.code };
}

/** Anything thrown, as an HTTP answer. `x-should-retry` tells the official clients, which else repeat every 5xx, whether that can help. */
export function toOpenAiReply(thrown: unknown, options: { readonly status?: number; readonly headers?: Readonly<Record<string, string>> } = {}): RouteReply {
  const known = IasError.from(thrown);
  const status = options.status ?? WIRE_ERRORS[known.code].http;
  const headers = { "content-type": "application/json", "x-should-retry": String(known.retryable), ...toErrorHeaders(known), ...options.headers };
  return { kind: "whole", status, headers, body: JSON.stringify({ error: toOpenAiError(known, status) }) };
}

/** Why a turn gave no whole answer, in OpenAI's form; undefined where it did, or waits for its client. */
export function toEndError(end: TurnEnd | undefined, link: string): OpenAiError | undefined {
  const say = (code: string, message: string): OpenAiError => ({ message, type: "server_error", param: null, code });
  if (end === undefined) return say("stream_ended", `The server ended this stream; the task goes on, see ${link}.`);
  switch (end.outcome) {
    case "failed":
      return say(end.code.toLowerCase(), end.message);
    case "superseded":
      return say("superseded", `The turn was started over after a failure, so what was sent of it is void. It goes on at ${link}.`);
    case "canceled":
      return say("canceled", `The task was canceled, see ${link}.`);
    default:
      return undefined;
  }
}

/** What this server cannot do for a caller. */
export function unsupported(param: string, message: string): IasError {
  return new IasError("invalid-params", message, { fields: [{ field: param, description: message }] });
}

function typeOf(status: number): string {
  switch (status) {
    case 401:
      return "authentication_error";
    case 403:
      return "permission_error";
    case 404:
      return "not_found_error";
    case 429:
      return "rate_limit_error";
    default:
      return status >= 500 ? "server_error" : "invalid_request_error";
  }
}
