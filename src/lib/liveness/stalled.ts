import { IasError } from "../model/errors.ts";
import type { Stall } from "./liveness.ts";

/** Whose fault a stall is, as far as the model server's counters tell. */
export interface Evidence {
  readonly kind:
    /** Its counters move, this stream does not: a parser holds tokens back, or the socket is dead. */
    | "engine-moves"
    /** Nothing moves and requests wait. */
    | "overload"
    /** Nothing runs and nothing waits: it does not know our request. */
    | "request-lost"
    /** Something runs, nothing moves. */
    | "engine-stuck"
    /** Its counters could not be read, there are none, or they fit more than one cause. */
    | "unknown";
  /** One sentence for people. */
  readonly text: string;
  readonly running?: number;
  readonly waiting?: number;
  /** Tokens that the engine made during the silence. */
  readonly generated?: number;
}

/** `InferenceStalled`: the error of a turn or battle that stalled. Retryable; `details` has the stall and its evidence as text. */
export function inferenceStalled(stall: Stall, evidence?: Evidence): IasError {
  const seconds = (ms: number): string => `${Math.round(ms / 10) / 100} s`;
  const silence = (stall.silenceMs / 1000).toFixed(1);
  const what = stall.threshold === "timeout" ? "no answer after" : "nothing for";
  const why = evidence === undefined ? "" : ` ${evidence.text}`;
  return new IasError(
    "timeout",
    `InferenceStalled: ${what} ${silence} s while ${stall.activity} (${stall.threshold} allows ${seconds(stall.limitMs)}), after ${stall.tokens} ${stall.tokens === 1 ? "token" : "tokens"}.${why}`,
    {
      reason: "INFERENCE_STALLED",
      retryable: true,
      details: {
        phase: stall.activity,
        threshold: stall.threshold,
        limitMs: String(stall.limitMs),
        silenceMs: String(Math.round(stall.silenceMs)),
        bytesSilenceMs: String(Math.round(stall.bytesSilenceMs)),
        lastSeq: String(stall.lastSeq),
        contents: String(stall.contents),
        tokens: String(stall.tokens),
        ...(evidence !== undefined && { evidence: evidence.kind, evidenceText: evidence.text }),
      },
    },
  );
}
