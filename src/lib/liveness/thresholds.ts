import { IasError } from "../model/errors.ts";

/**
 * How long each phase may be silent, ms; `Infinity` takes a threshold away. Each has its own name, because 60 s kills reasoning models and 180 s kills
 * long tools, while a stream of tokens that stops for 30 s has stopped. None is a total: a stream that goes on is alive, however slow.
 */
export interface Thresholds {
  /** Until the model server or agent has taken the request. */
  readonly connectMs: number;
  /** From there to the first byte of the answer: queue and prefill of most model servers are silent. */
  readonly firstByteMs: number;
  /** From the request to the first content: text, reasoning, or a tool call. */
  readonly firstContentMs: number;
  /** Between two contents. */
  readonly gapMs: number;
  /** Adaptive: the gap allowed is `max(gapMs, adaptiveFactor × p99 of this stream's gaps)`. 0 (the default) keeps it fixed. */
  readonly adaptiveFactor: number;
  /** Without progress of a tool or of a child agent. */
  readonly toolMs: number;
  /** Without any raw byte, where heartbeats are promised; they prove the connection, not the generation. Infinity by default. */
  readonly connectionMs: number;
  /** The share of a threshold after which silence is reported as `slow`, in (0, 1]. */
  readonly slowAfter: number;
  /** Tokens a second under which generation is reported as `slow`; 0 (the default) never. A campaign sets it from its median. */
  readonly slowRate: number;
  /** Total of working time: waiting for people, rate limits, or us does not count. Infinity by default: no decision depends on it unless it is set. */
  readonly workMs: number;
}

/** The defaults. */
export const DEFAULT_THRESHOLDS: Thresholds = {
  connectMs: 10_000,
  firstByteMs: 300_000,
  firstContentMs: 300_000,
  gapMs: 30_000,
  adaptiveFactor: 0,
  toolMs: 600_000,
  connectionMs: Number.POSITIVE_INFINITY,
  slowAfter: 0.5,
  slowRate: 0,
  workMs: Number.POSITIVE_INFINITY,
};

/** `given` over the defaults. Throws `configuration` that names what is wrong and what is right. */
export function resolveThresholds(given: Partial<Thresholds> = {}): Thresholds {
  const all = { ...DEFAULT_THRESHOLDS, ...given };
  for (const [name, value] of Object.entries(all)) {
    if (!(name in DEFAULT_THRESHOLDS)) {
      throw new IasError("configuration", `There is no threshold ${JSON.stringify(name)}; there are ${Object.keys(DEFAULT_THRESHOLDS).join(", ")}.`);
    }
    const isOff = name === "slowRate" || name === "adaptiveFactor";
    const isRight = typeof value === "number" && (isOff ? value >= 0 && Number.isFinite(value) : value > 0) && (name !== "slowAfter" || value <= 1);
    if (isRight) continue;
    const right = name === "slowAfter" ? "a share above 0, at most 1" : isOff ? "0 or more" : "a number of ms above 0, or Infinity for none";
    throw new IasError("configuration", `The threshold ${name} is ${String(value)}; right is ${right}.`);
  }
  return all;
}
