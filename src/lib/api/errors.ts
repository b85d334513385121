import { toRestError } from "../a2a/errors.ts";
import type { ApiError } from "../model/api.ts";
import { IasError } from "../model/errors.ts";
import type { RouteReply } from "../net/route.ts";

/** Anything thrown, in the form of the API. No cause, stack or message of foreign code gets out. */
export function toApiError(thrown: unknown): ApiError {
  const error = IasError.from(thrown);
  return {
    error: {
      code: error.code,
      message: toRestError(error).body.error.message,
      ...(error.reason !== undefined && { reason: error.reason }),
      retryable: error.retryable,
      ...(error.retryAfterMs !== undefined && { retryAfterMs: Math.round(error.retryAfterMs) }),
      ...(error.fields.length > 0 && { fields: error.fields.map(({ field, description }) => ({ field, description })) }),
    },
  };
}

/** Anything thrown, as an HTTP answer of the API. `status` replaces the one of the table of errors (405 for a known path). */
export function toErrorReply(thrown: unknown, options: { readonly status?: number; readonly headers?: Readonly<Record<string, string>> } = {}): RouteReply {
  const { status, headers } = toRestError(thrown, options);
  return { kind: "whole", status, headers: { ...JSON_HEADERS, ...headers }, body: JSON.stringify(toApiError(thrown)) };
}

/** Headers of every JSON answer: it is of one caller and of this moment, and nothing in it runs or loads where somebody opens it as a page. */
export const JSON_HEADERS: Readonly<Record<string, string>> = {
  "content-type": "application/json",
  "cache-control": "no-store",
  "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
  "referrer-policy": "no-referrer",
};
