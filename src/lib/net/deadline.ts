import { IasError } from "../model/errors.ts";

/** A caller's signal and a time limit as one signal. */
export interface Deadline {
  readonly signal: AbortSignal;
  /** An abort as what it was: the caller's, or our time limit. */
  explain(error: IasError): IasError;
  stop(): void;
}

/** Starts the clock: `totalTimeoutMs` from now (`Infinity`: never) the signal aborts. `stop` must be called when the work is done. */
export function createDeadline(signal: AbortSignal | undefined, totalTimeoutMs: number): Deadline {
  const own = new AbortController();
  const timer = Number.isFinite(totalTimeoutMs) ? setTimeout(() => own.abort(), totalTimeoutMs) : undefined;
  timer?.unref();
  return {
    signal: signal === undefined ? own.signal : AbortSignal.any([signal, own.signal]),
    explain(error) {
      if (signal?.aborted === true) return new IasError("aborted", "The request was aborted.", { cause: signal.reason });
      if (own.signal.aborted)
        return new IasError("timeout", `The request took longer than ${totalTimeoutMs} ms.`, { cause: error, retryable: true, reason: "TOTAL_TIMEOUT" });
      return error;
    },
    stop: () => clearTimeout(timer),
  };
}
