import { IasError, messageOf } from "../model/errors.ts";

/** What undici threw, in our words; the deepest cause decides, because `fetch` wraps it. */
export function toNetworkError(error: unknown, url: URL): IasError {
  for (let cause: unknown = error; cause instanceof Error; cause = cause.cause) {
    if (cause instanceof IasError) return cause;
    const timeout = timeoutReason(cause);
    if (timeout !== undefined)
      return new IasError("timeout", `${url.origin} did not answer in time (${timeout}).`, { cause: error, retryable: true, reason: timeout });
    if (cause.message === "bad port")
      return new IasError("invalid-params", `${url.host} has a port that fetch refuses (it belongs to another protocol).`, { reason: "TARGET_INVALID" });
    if (isConnectFailure(cause))
      return new IasError("unavailable", `No connection to ${url.origin}: ${cause.message}`, { cause: error, retryable: true, reason: "CONNECT_FAILED" });
  }
  return new IasError("unavailable", `The connection to ${url.origin} failed: ${messageOf(error)}`, {
    cause: error,
    retryable: true,
  });
}

/** By undici's codes: its classes would have to be loaded. */
const TIMEOUTS: Readonly<Record<string, string>> = {
  UND_ERR_CONNECT_TIMEOUT: "CONNECT_TIMEOUT",
  UND_ERR_HEADERS_TIMEOUT: "HEADERS_TIMEOUT",
  UND_ERR_BODY_TIMEOUT: "IDLE_TIMEOUT",
};

function timeoutReason(error: Error): string | undefined {
  return "code" in error ? TIMEOUTS[String(error.code)] : undefined;
}

function isConnectFailure(error: Error): boolean {
  const code = "code" in error ? error.code : undefined;
  return code === "ECONNREFUSED" || code === "EHOSTUNREACH" || code === "ENETUNREACH" || code === "ENOTFOUND" || code === "EADDRNOTAVAIL";
}
