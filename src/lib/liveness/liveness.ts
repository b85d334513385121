import { type Gaps, NO_GAPS } from "./gaps.ts";
import type { Thresholds } from "./thresholds.ts";

/**
 * Whether a stream is alive, judged by what it emits and by nothing else (SEMANTICS 28): a pure reducer over signals and clock ticks. `at` is a monotonic
 * clock of whoever judges, in ms. Only a tick finds silence, so that what has arrived is never called missing; a signal never stalls a stream.
 *
 * Two timers: raw bytes prove the connection, content and usage growth prove generation. Waiting for a person, for a rate limit, for a child that
 * progresses, and for ourselves (`throttled`) counts as neither.
 */
export interface Liveness {
  /** What it does, whatever its health. */
  readonly activity: Activity;
  readonly health: "ok" | "slow" | "stalled";
  /** The threshold that it passed, while it is stalled. */
  readonly stalledBy: StallThreshold | undefined;
  /** We ourselves hold the stream up: every timer stands still. */
  readonly throttled: boolean;
  /** When `activity` began. */
  readonly since: number;
  /** The newest moment that was told. */
  readonly at: number;
  /** From when on the present silence counts; pauses and lag move it forward. */
  readonly quietSince: number;
  /** When the last raw byte came, moved likewise. */
  readonly bytesAt: number;
  /** Raw bytes came since the request went out. */
  readonly heard: boolean;
  /** When the last content came; undefined before the first of this model call. */
  readonly contentAt: number | undefined;
  /** When the rate limit's wait ends, in `retry-wait`. */
  readonly retryUntil: number | undefined;
  /** Tool calls that have no result yet. */
  readonly tools: readonly string[];
  /** Contents and tokens so far: tokens are exact where usage or the engine tells them, else one a content. */
  readonly contents: number;
  readonly tokens: number;
  /** Of the present model call: tokens so far, and what usage told last. */
  readonly callTokens: number;
  readonly usage: number;
  /** Content came since usage was told last. */
  readonly unmeasured: boolean;
  /** Of the last entry that was told. */
  readonly lastSeq: number;
  /** Gaps between contents of one generation, without pauses. */
  readonly gaps: Gaps;
  /** Tokens and the gaps before them, ms, of about the last ten contents, the older the less: their quotient is the rate. */
  readonly rateTokens: number;
  readonly rateMs: number;
  /** ms from the first request to the first content, working time only. */
  readonly firstContentMs: number | undefined;
  /** Working time so far, ms. */
  readonly workedMs: number;
  readonly overtime: boolean;
}

/** What a stream does. */
export type Activity = "queued" | "connecting" | "prefill" | "generating" | "tool" | "child-working" | "waiting-input" | "retry-wait" | "ended";

/** What is shown: the activity, unless its health says more or we hold it up. */
export type Phase = Activity | "slow" | "stalled" | "throttled";

/** What is known to have happened. */
export type LivenessSignal =
  /** It waits for its turn. */
  | { readonly kind: "queued" }
  /** A request to the model server or agent goes out. */
  | { readonly kind: "connecting" }
  /** The request was taken; the answer is awaited. A turn of an engine that tells nothing of its connections starts here. */
  | { readonly kind: "working" }
  /** Any raw byte, a comment too. */
  | { readonly kind: "bytes" }
  /** Text, reasoning, or a part of a tool call. `tokens` where they are known; `contents` (1) where several close to each other are told as one. */
  | { readonly kind: "content"; readonly tokens?: number; readonly contents?: number }
  /** Tokens that the model call has made so far, told after the content that they measure; growth without content proves generation all the same. */
  | { readonly kind: "usage"; readonly outputTokens: number }
  | { readonly kind: "tool-start"; readonly call: string }
  | { readonly kind: "tool-progress" }
  | { readonly kind: "tool-end"; readonly call: string }
  /** A child agent did something. */
  | { readonly kind: "child" }
  /** A person must answer; `working` ends it, words alone do not. */
  | { readonly kind: "wait" }
  /** A rate limit; after `forMs` it connects again, without it when `connecting` is told. */
  | { readonly kind: "retry-wait"; readonly forMs?: number }
  /** We stop reading, and read again. */
  | { readonly kind: "throttled" }
  | { readonly kind: "unthrottled" }
  | { readonly kind: "ended" };

/** One step of the clock or of the stream. `lagMs` is how long whoever judges was not able to read: a blocked event loop adds it to every deadline. */
export type LivenessInput =
  | { readonly kind: "tick"; readonly at: number; readonly lagMs?: number }
  | { readonly kind: "signal"; readonly at: number; readonly signal: LivenessSignal; readonly seq?: number };

/** What is to be told: one `slow` and one `stalled` an episode, and `recovered` when content resumes. */
export type LivenessEvent =
  | { readonly kind: "phase"; readonly from: Activity; readonly to: Activity; readonly afterMs: number }
  | {
      readonly kind: "slow";
      readonly by: "silence" | "rate";
      readonly activity: Activity;
      readonly silenceMs: number;
      readonly tokensPerSecond: number | undefined;
    }
  | { readonly kind: "stalled"; readonly stall: Stall }
  | { readonly kind: "recovered"; readonly from: "slow" | "stalled"; readonly activity: Activity }
  | { readonly kind: "overtime"; readonly workedMs: number; readonly limitMs: number };

/**
 * The thresholds that silence can pass; and what judges in their place where a stream shows nothing: a campaign's adaptive `timeout`, and two readings of an
 * engine's counters, `metricsIntervalMs` apart, that do not know the request.
 */
export type StallThreshold =
  | keyof Pick<Thresholds, "connectMs" | "firstByteMs" | "firstContentMs" | "gapMs" | "toolMs" | "connectionMs">
  | "timeout"
  | "metricsIntervalMs";

/** A silence that passed its threshold. */
export interface Stall {
  readonly activity: Activity;
  /** The name of the threshold, and what it allowed, ms. */
  readonly threshold: StallThreshold;
  readonly limitMs: number;
  /** Without progress, ms; and without any raw byte. */
  readonly silenceMs: number;
  readonly bytesSilenceMs: number;
  readonly lastSeq: number;
  readonly contents: number;
  readonly tokens: number;
}

/** A stream that starts at `at`. */
export function startLiveness(at: number, activity: "queued" | "connecting" | "prefill" = "queued"): Liveness {
  return {
    activity,
    health: "ok",
    stalledBy: undefined,
    throttled: false,
    since: at,
    at,
    quietSince: at,
    bytesAt: at,
    heard: false,
    contentAt: undefined,
    retryUntil: undefined,
    tools: [],
    contents: 0,
    tokens: 0,
    callTokens: 0,
    usage: 0,
    unmeasured: false,
    lastSeq: 0,
    gaps: NO_GAPS,
    rateTokens: 0,
    rateMs: 0,
    firstContentMs: undefined,
    workedMs: 0,
    overtime: false,
  };
}

/** What to show. */
export function phaseOf(state: Liveness): Phase {
  if (state.activity === "ended") return "ended";
  if (state.health === "stalled") return "stalled";
  if (state.throttled) return "throttled";
  return state.health === "slow" ? "slow" : state.activity;
}

/** Tokens a second over about the last ten contents; undefined before the second. Contents that came within a millisecond count as one millisecond: clocks tell no less. */
export function tokensPerSecond(state: Liveness): number | undefined {
  return state.rateMs === 0 ? undefined : (1000 * state.rateTokens) / Math.max(1, state.rateMs);
}
