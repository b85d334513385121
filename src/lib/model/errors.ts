/**
 * The closed set of error codes. The first nine are A2A's own (specification 3.3.2), the next five are JSON-RPC's;
 * bindings map each to their wire form in one table (`a2a/errors.ts`).
 */
export type ErrorCode =
  | "task-not-found"
  | "task-not-cancelable"
  | "push-not-supported"
  | "unsupported-operation"
  | "content-type-not-supported"
  | "invalid-agent-response"
  | "extended-card-not-configured"
  | "extension-required"
  | "version-not-supported"
  | "parse-error"
  | "invalid-request"
  | "method-not-found"
  | "invalid-params"
  | "internal"
  | "unauthenticated"
  | "forbidden"
  | "not-found"
  | "too-large"
  | "limit-reached"
  | "unavailable"
  | "fenced"
  | "conflict"
  | "corrupt"
  | "timeout"
  | "aborted"
  | "engine-failed"
  | "remote-failed"
  | "configuration";

/** What an error can say beyond its message. */
export interface ErrorOptions {
  readonly cause?: unknown;
  /** Whether the same call may succeed later. */
  readonly retryable?: boolean;
  /** After how many ms a retry makes sense. */
  readonly retryAfterMs?: number;
  /** UPPER_SNAKE_CASE, for `google.rpc.ErrorInfo.reason`, where the code alone does not say it. */
  readonly reason?: string;
  /** Facts for `google.rpc.ErrorInfo.metadata`. */
  readonly details?: Readonly<Record<string, string>>;
  /** Request fields at fault, for `google.rpc.BadRequest`. */
  readonly fields?: readonly { readonly field: string; readonly description: string }[];
}

/** The one error class. Messages say what was wrong and what is right; they never hold secrets. */
export class IasError extends Error {
  override readonly name = "IasError";
  readonly code: ErrorCode;
  readonly retryable: boolean;
  readonly retryAfterMs: number | undefined;
  readonly reason: string | undefined;
  readonly details: Readonly<Record<string, string>>;
  readonly fields: readonly { readonly field: string; readonly description: string }[];

  constructor(code: ErrorCode, message: string, options: ErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.retryable = options.retryable ?? false;
    this.retryAfterMs = options.retryAfterMs;
    this.reason = options.reason;
    this.details = options.details ?? {};
    this.fields = options.fields ?? [];
  }

  /** Any thrown value as an `IasError`: itself, `aborted` for an abort, else `code` with the value as cause. */
  static from(value: unknown, code: ErrorCode = "internal"): IasError {
    if (value instanceof IasError) return value;
    if (value instanceof Error && value.name === "AbortError") return new IasError("aborted", "The operation was aborted.", { cause: value });
    const text = messageOf(value);
    return new IasError(code, text, { cause: value });
  }
}

/** `invalid-params` for one field of a request; `description` goes on from its name and says what is right: "must be a text". */
export function invalidField(field: string, description: string): IasError {
  return new IasError("invalid-params", `${field} ${description}.`, { fields: [{ field, description }] });
}

/** Fails to compile when a switch over a union misses a case. */
export function assertNever(value: never): never {
  throw new IasError("internal", `Unexpected value: ${JSON.stringify(value)}`);
}

/** What was thrown, in words: an error's message, anything else as text. */
export function messageOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown);
}
