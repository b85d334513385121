import { type ErrorOptions, IasError } from "../model/errors.ts";

/** What a model endpoint answered in place of an answer. */
export interface ModelRefusal {
  readonly status: number;
  /** Its own word for the error, such as `insufficient_quota`. */
  readonly code?: string;
  readonly message: string;
  /** A header's value, "" without it. */
  readonly header: (name: string) => string;
}

/**
 * An HTTP status of a model endpoint as an `IasError`: `engine-failed` with a reason, `retryable` and `retryAfterMs` where the same request may succeed later,
 * and `details.httpStatus`. Nothing of a 401 or 403 answer is told, and no key-like word of any other.
 */
export function modelStatusError({ status, code, message, header }: ModelRefusal): IasError {
  const said = redact(message);
  const detail = said === "" || said.includes("no body") ? "" : `: ${said}`;
  const failed = (text: string, options: ErrorOptions): IasError =>
    new IasError("engine-failed", text, { ...options, details: { httpStatus: String(status) }, ...(options.retryable === true && retryAfter(header)) });
  if (status === 401 || status === 403) return failed(`The model endpoint refused the credentials (${status}).`, { reason: "MODEL_UNAUTHORIZED" });
  if (status === 429 && code === "insufficient_quota") return failed("The model account has no quota left (429).", { reason: "MODEL_QUOTA" });
  if (status === 429) return failed(`The model endpoint limits the rate (429)${detail}`, { retryable: true, reason: "MODEL_RATE_LIMIT" });
  if (status === 404) return failed(`The model or its endpoint does not exist (404)${detail}`, { reason: "MODEL_NOT_FOUND" });
  const retryable = status >= 500 || status === 408 || status === 409;
  return failed(`The model endpoint answered ${status}${detail}`, { retryable, reason: retryable ? "MODEL_UNAVAILABLE" : "MODEL_REQUEST_REFUSED" });
}

/** At most 400 characters, without what looks like a key, a token or credentials in a URL. */
export function redact(message: string): string {
  return message
    .replace(/\b(?:sk|pk|rk|key|gsk|xai|hf)[-_][\w*.-]{4,}/gi, "[redacted]")
    .replace(/\bAIza[\w-]{10,}/g, "[redacted]")
    .replace(/\b(Bearer|Basic)\s+\S+/gi, "$1 [redacted]")
    .replace(/((?:api[-_ ]?key|token|secret|password)[^\s:=]*(?:\s+provided)?\s*[:=]\s*)\S+/gi, "$1[redacted]")
    .replace(/\/\/[^/\s@]+@/g, "//[redacted]@")
    .slice(0, 400);
}

/** `Retry-After` in seconds or as a date, or OpenAI's `retry-after-ms`. */
function retryAfter(header: ModelRefusal["header"]): { readonly retryAfterMs?: number } {
  const ms = Number(header("retry-after-ms") || Number.NaN);
  if (Number.isFinite(ms) && ms >= 0) return { retryAfterMs: ms };
  const value = header("retry-after");
  if (value === "") return {};
  const seconds = Number(value);
  const wait = Number.isFinite(seconds) ? seconds * 1000 : Date.parse(value) - Date.now();
  return Number.isFinite(wait) ? { retryAfterMs: Math.max(0, Math.round(wait)) } : {};
}

/** The first code of the system or of undici in a chain of causes, "" without one: why a connection to a model endpoint failed. */
export function networkCode(error: unknown): string {
  let one = error;
  for (let depth = 0; depth < 5 && typeof one === "object" && one !== null; depth += 1) {
    const { code, cause } = one as { readonly code?: unknown; readonly cause?: unknown };
    if (typeof code === "string" && /^(?:E[A-Z]{3,}|UND_ERR_\w+)$/.test(code)) return code;
    one = cause;
  }
  return "";
}
