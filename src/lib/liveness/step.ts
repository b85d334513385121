import { assertNever } from "../model/errors.ts";
import { addGap, gapQuantile } from "./gaps.ts";
import { type Activity, type Liveness, type LivenessEvent, type LivenessInput, type LivenessSignal, type StallThreshold, tokensPerSecond } from "./liveness.ts";
import type { Thresholds } from "./thresholds.ts";

/** A state and what is to be told of the way to it. */
interface Taken {
  readonly state: Liveness;
  readonly events: readonly LivenessEvent[];
}

/** The next state and what is to be told. Pure; an input from before `state.at` counts as of `state.at`. After `ended` nothing happens. */
export function step(state: Liveness, input: LivenessInput, thresholds: Thresholds): Taken {
  if (state.activity === "ended") return { state, events: [] };
  const moved = advance(state, input);
  return input.kind === "tick" ? judge(moved, thresholds) : take(moved, input.signal, input.seq, thresholds);
}

/** Lets time pass: working time counts, paused time and lag move the timers along. A lag may have come before a byte that was read since: it counts all the same. */
function advance(state: Liveness, input: LivenessInput): Liveness {
  const at = Math.max(state.at, input.at);
  const passed = at - state.at;
  const lag = input.kind === "tick" ? (input.lagMs ?? 0) : 0;
  if (passed === 0 && lag === 0) return state;
  const workedMs = WORKING.has(state.activity) && !state.throttled ? state.workedMs + Math.max(0, passed - lag) : state.workedMs;
  const still = Math.max(lag, state.throttled ? passed : 0);
  if (still === 0) return { ...state, at, workedMs };
  const move = (moment: number): number => Math.min(at, moment + still);
  const contentAt = state.contentAt === undefined ? undefined : move(state.contentAt);
  return { ...state, at, workedMs, quietSince: move(state.quietSince), bytesAt: move(state.bytesAt), contentAt };
}

const WORKING: ReadonlySet<Activity> = new Set(["connecting", "prefill", "generating", "tool", "child-working"]);

/** What a new model call forgets of the last one. */
const NEW_CALL = { heard: false, contentAt: undefined, callTokens: 0, usage: 0, unmeasured: false } as const;

function take(before: Liveness, signal: LivenessSignal, seq: number | undefined, thresholds: Thresholds): Taken {
  const state = seq === undefined || seq <= before.lastSeq ? before : { ...before, lastSeq: seq };
  switch (signal.kind) {
    case "queued":
    case "connecting":
      return enter({ ...state, ...NEW_CALL, tools: [] }, signal.kind);
    case "working":
      // Within a model call it says nothing new; after any wait the next call begins.
      return state.activity === "prefill" || state.activity === "generating" || state.activity === "tool" || state.activity === "child-working"
        ? bytes(state)
        : enter({ ...state, ...NEW_CALL }, "prefill");
    case "bytes":
      return bytes(state);
    case "content":
      return content(state, signal.tokens ?? signal.contents ?? 1, signal.contents ?? 1, thresholds);
    case "usage":
      return usage(state, signal.outputTokens, thresholds);
    case "tool-start":
      return enter({ ...state, tools: [...state.tools.filter((call) => call !== signal.call), signal.call] }, "tool");
    case "tool-progress":
      // A tool does not prove that the model generates.
      return state.activity === "tool" || state.activity === "child-working" ? progress(state) : bytes(state);
    case "tool-end": {
      const tools = state.tools.filter((call) => call !== signal.call);
      if (tools.length > 0) return progress({ ...state, tools });
      return enter({ ...state, tools, ...NEW_CALL }, "prefill");
    }
    case "child":
      return enter(state, "child-working");
    case "wait":
      return enter({ ...state, tools: [] }, "waiting-input");
    case "retry-wait":
      return enter({ ...state, retryUntil: signal.forMs === undefined ? undefined : state.at + signal.forMs }, "retry-wait");
    case "throttled":
      return { state: { ...state, throttled: true }, events: [] };
    case "unthrottled":
      return { state: { ...state, throttled: false }, events: [] };
    case "ended":
      return enter(state, "ended");
    default:
      return assertNever(signal);
  }
}

/** A raw byte: the connection lives, and a server that has answered is not waited for by `firstByteMs` any more. */
function bytes(state: Liveness): Taken {
  const heard = { ...state, bytesAt: state.at, heard: true };
  const opened = state.activity === "connecting" ? enter(heard, "prefill") : { state: heard, events: [] };
  // What was stalled for want of a byte has one; what is stalled for want of content has not.
  return state.stalledBy !== undefined && WANTS_BYTES.has(state.stalledBy) ? join(opened, recover) : opened;
}

const WANTS_BYTES: ReadonlySet<StallThreshold> = new Set(["connectMs", "firstByteMs", "connectionMs"]);

function content(before: Liveness, tokens: number, contents: number, thresholds: Thresholds): Taken {
  const { at, contentAt } = before;
  // Between two contents of one generation: what a tool or a child took, or a person, is no gap of the model's.
  const gap = contentAt === undefined || before.activity !== "generating" ? undefined : at - contentAt;
  const state: Liveness = {
    ...before,
    bytesAt: at,
    heard: true,
    quietSince: at,
    contentAt: at,
    contents: before.contents + contents,
    tokens: before.tokens + tokens,
    callTokens: before.callTokens + tokens,
    unmeasured: true,
    firstContentMs: before.firstContentMs ?? before.workedMs,
    gaps: gap === undefined ? before.gaps : addGap(before.gaps, gap),
    rateMs: gap === undefined ? before.rateMs : before.rateMs * KEPT + gap,
    rateTokens: gap === undefined ? before.rateTokens : before.rateTokens * KEPT + tokens,
  };
  // With tools under way the model may go on speaking, and a person is asked with words: they decide what it does.
  const stays = state.activity === "generating" || state.activity === "waiting-input" || state.tools.length > 0;
  const moved = stays ? { state, events: [] } : enter(state, "generating");
  const silenceMs = at - before.quietSince;
  return join(moved, (now) => judgeContent(now, silenceMs, thresholds));
}

/** Tokens that the model call has made: those of the content since usage was last told, or growth without any content, which counts as one. */
function usage(before: Liveness, outputTokens: number, thresholds: Thresholds): Taken {
  const hasGrown = outputTokens > before.usage;
  const more = Math.max(0, outputTokens - before.callTokens);
  const state: Liveness = { ...before, usage: outputTokens, unmeasured: false };
  if (!hasGrown) return bytes(state);
  if (!before.unmeasured) return join(content(state, more, 1, thresholds), (now) => ({ state: { ...now, unmeasured: false }, events: [] }));
  // The content was counted as one token when it came.
  const measured: Liveness = {
    ...state,
    bytesAt: state.at,
    quietSince: state.at,
    tokens: state.tokens + more,
    callTokens: state.callTokens + more,
    rateTokens: state.rateMs === 0 ? 0 : state.rateTokens + more,
  };
  return measured.health === "stalled" ? recover(measured) : { state: measured, events: [] };
}

/** What a gap leaves of the rate before it: about ten contents are remembered. */
const KEPT = 0.9;
/** Contents before a rate is judged. */
const RATE_AFTER = 10;
/** A slow stream is well again above so many times the rate at which it was slow: on the edge it would flutter. */
const WELL_AGAIN = 1.25;

/** After content the silence is over. A slow stream stays slow while its silences are as long as before, or its rate as low: one event an episode, not one a token. */
function judgeContent(state: Liveness, silenceMs: number, thresholds: Thresholds): Taken {
  const rate = state.contents < RATE_AFTER || thresholds.slowRate === 0 ? undefined : tokensPerSecond(state);
  if (state.health === "ok") return rate !== undefined && rate < thresholds.slowRate ? slow(state, "rate") : { state, events: [] };
  const limit = limitOf(state, thresholds);
  const pauses = limit !== undefined && silenceMs > limit.limitMs * thresholds.slowAfter;
  const crawls = rate !== undefined && rate < thresholds.slowRate * WELL_AGAIN;
  return state.health === "slow" && (pauses || crawls) ? { state, events: [] } : recover(state);
}

/** Something moved that is no content of the model's: a tool, a child. */
function progress(state: Liveness): Taken {
  return recover({ ...state, bytesAt: state.at, quietSince: state.at });
}

function enter(before: Liveness, to: Activity): Taken {
  const { at, activity: from } = before;
  if (from === to) return progress(before);
  const state = { ...before, activity: to, since: at, quietSince: at, bytesAt: at, ...(to !== "retry-wait" && { retryUntil: undefined }) };
  const { state: well, events } = to === "ended" ? { state, events: [] } : recover(state);
  return { state: well, events: [...events, { kind: "phase", from, to, afterMs: at - before.since }] };
}

function recover(state: Liveness): Taken {
  if (state.health === "ok") return { state, events: [] };
  return { state: { ...state, health: "ok", stalledBy: undefined }, events: [{ kind: "recovered", from: state.health, activity: state.activity }] };
}

function slow(state: Liveness, by: "silence" | "rate"): Taken {
  const silenceMs = state.at - state.quietSince;
  return {
    state: { ...state, health: "slow" },
    events: [{ kind: "slow", by, activity: state.activity, silenceMs, tokensPerSecond: tokensPerSecond(state) }],
  };
}

/** The threshold that silence runs against just now; undefined where none does. */
export function limitOf(state: Liveness, thresholds: Thresholds): { readonly threshold: StallThreshold; readonly limitMs: number } | undefined {
  switch (state.activity) {
    case "connecting":
      return { threshold: "connectMs", limitMs: thresholds.connectMs };
    case "prefill":
      return state.heard || thresholds.firstContentMs <= thresholds.firstByteMs
        ? { threshold: "firstContentMs", limitMs: thresholds.firstContentMs }
        : { threshold: "firstByteMs", limitMs: thresholds.firstByteMs };
    case "generating":
      return { threshold: "gapMs", limitMs: allowedGap(state, thresholds) };
    case "tool":
    case "child-working":
      return { threshold: "toolMs", limitMs: thresholds.toolMs };
    case "queued":
    case "waiting-input":
    case "retry-wait":
    case "ended":
      return undefined;
    default:
      return assertNever(state.activity);
  }
}

/** `max(gapMs, adaptiveFactor × p99 of this stream's gaps)`. */
function allowedGap(state: Liveness, thresholds: Thresholds): number {
  if (thresholds.adaptiveFactor === 0 || thresholds.gapMs === Number.POSITIVE_INFINITY) return thresholds.gapMs;
  return Math.max(thresholds.gapMs, thresholds.adaptiveFactor * (gapQuantile(state.gaps, 0.99) ?? 0));
}

/** Looks for silence that is too long. */
function judge(before: Liveness, thresholds: Thresholds): Taken {
  if (before.throttled) return { state: before, events: [] };
  if (before.activity === "retry-wait") {
    return before.retryUntil !== undefined && before.at >= before.retryUntil ? enter({ ...before, ...NEW_CALL }, "connecting") : { state: before, events: [] };
  }
  return join(judgeWork(before, thresholds), (state) => judgeSilence(state, thresholds));
}

function judgeWork(state: Liveness, thresholds: Thresholds): Taken {
  if (state.overtime || state.workedMs <= thresholds.workMs) return { state, events: [] };
  return { state: { ...state, overtime: true }, events: [{ kind: "overtime", workedMs: state.workedMs, limitMs: thresholds.workMs }] };
}

function judgeSilence(state: Liveness, thresholds: Thresholds): Taken {
  const limit = limitOf(state, thresholds);
  if (limit === undefined || state.health === "stalled") return { state, events: [] };
  const silenceMs = state.at - state.quietSince;
  const bytesSilenceMs = state.at - state.bytesAt;
  const isCut = bytesSilenceMs > thresholds.connectionMs;
  if (silenceMs > limit.limitMs || isCut) {
    const over = silenceMs > limit.limitMs ? limit : { threshold: "connectionMs" as const, limitMs: thresholds.connectionMs };
    const { activity, lastSeq, contents, tokens } = state;
    const stall = { activity, ...over, silenceMs, bytesSilenceMs, lastSeq, contents, tokens };
    return { state: { ...state, health: "stalled", stalledBy: over.threshold }, events: [{ kind: "stalled", stall }] };
  }
  return state.health === "ok" && silenceMs > limit.limitMs * thresholds.slowAfter ? slow(state, "silence") : { state, events: [] };
}

function join(first: Taken, next: (state: Liveness) => Taken): Taken {
  const then = next(first.state);
  return { state: then.state, events: then.events.length === 0 ? first.events : [...first.events, ...then.events] };
}
