import type { ApiError } from "../model/api.ts";
import type { ErrorCode } from "../model/errors.ts";

/** What an error of the API says beyond its message. */
export type ErrorFacts = Partial<Omit<ApiError["error"], "code" | "message">> & { readonly cause?: unknown };

/** The one error of the client: what the server said, `unavailable` for a server that is not reached, `aborted` for a client that was closed. */
export class ClientError extends Error {
  override readonly name = "ClientError";
  readonly code: ErrorCode;
  /** Whether the same may succeed later. Streams then come back by themselves. */
  readonly retryable: boolean;
  readonly retryAfterMs: number | undefined;
  readonly reason: string | undefined;
  readonly fields: NonNullable<ApiError["error"]["fields"]>;

  constructor(code: ErrorCode, message: string, { cause, retryable = false, retryAfterMs, reason, fields = [] }: ErrorFacts = {}) {
    super(message, cause === undefined ? undefined : { cause });
    this.code = code;
    this.retryable = retryable;
    this.retryAfterMs = retryAfterMs;
    this.reason = reason;
    this.fields = fields;
  }
}

/** A connection that was lost, or never came about: worth another try. */
export function lost(message: string, facts: ErrorFacts = {}): ClientError {
  return new ClientError("unavailable", message, { retryable: true, ...facts });
}

/** What the server said, as an error. */
export function fromApiError({ error: { code, message, ...facts } }: ApiError): ClientError {
  return new ClientError(code as ErrorCode, message, facts);
}

/** Anything that was thrown on the way: itself, or a lost connection. */
export function toClientError(thrown: unknown): ClientError {
  return thrown instanceof ClientError ? thrown : lost(thrown instanceof Error ? thrown.message : String(thrown), { cause: thrown });
}

/** An error as plain data, for another tab. */
export function toApiError(thrown: unknown): ApiError {
  const { code, message, retryable, retryAfterMs, reason, fields } = toClientError(thrown);
  return { error: { code, message, retryable, fields, ...(retryAfterMs !== undefined && { retryAfterMs }), ...(reason !== undefined && { reason }) } };
}
