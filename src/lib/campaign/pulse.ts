import { gapFigure } from "../liveness/gaps.ts";
import {
  type Liveness,
  type LivenessEvent,
  type LivenessSignal,
  type Phase,
  phaseOf,
  type Stall,
  startLiveness,
  tokensPerSecond,
} from "../liveness/liveness.ts";
import { createProof } from "../liveness/proof.ts";
import { readSignals } from "../liveness/read-signals.ts";
import { type Evidence, inferenceStalled } from "../liveness/stalled.ts";
import { step } from "../liveness/step.ts";
import type { Thresholds } from "../liveness/thresholds.ts";
import { toLivenessFacts } from "../liveness/to-facts.ts";
import type { StreamResponse } from "../model/a2a.ts";
import { type ExtensionData, readExtension } from "../model/extension.ts";
import type { Episode, Failure, JudgedBy, Measured } from "./attempt.ts";
import { failureOf } from "./classify.ts";
import { delayJudgement, type EngineFault, type EngineJudgement, judgeEngine, silenceEvidence, startJudgement } from "./engine-judge.ts";
import type { EngineWatch, Reading } from "./engine-watch.ts";

/** The liveness of one attempt. Nothing but this decides that an attempt hangs; a natural end always goes before. */
export interface Pulse extends Disposable {
  /** What arrived. */
  hear(event: StreamResponse): void;
  tell(signal: LivenessSignal): void;
  tick(at: number, lagMs: number): void;
  readonly state: Liveness;
  readonly measured: Measured;
  readonly episodes: readonly Episode[];
  readonly fault: Failure | undefined;
}

/** What a pulse is made of. */
export interface PulseOptions {
  /** Chosen, before anything is proven. */
  readonly mode: JudgedBy;
  /** It is known from the start that content comes piece by piece. Of others each attempt has to show it: an agent that streams one answer may collect the next. */
  readonly trusted: boolean;
  readonly thresholds: Thresholds;
  readonly engine: EngineWatch | undefined;
  /** Between two readings of the engine's counters, ms. */
  readonly metricsIntervalMs: number;
  readonly timeout: { readonly ms: number; readonly why: string };
  readonly monotonic: () => number;
  /** Called once, when it hangs. */
  readonly onFault: (failure: Failure) => void;
  readonly onPhase: (phase: Phase) => void;
  /** What the runner saw, for the ledger. */
  readonly aside: (data: ExtensionData) => void;
}

/** Episodes kept of an attempt; later ones are not. */
const MAX_EPISODES = 100;

/** Starts to watch an attempt whose request goes out now. */
export function createPulse(options: PulseOptions): Pulse {
  const { mode, trusted, thresholds, engine, timeout, monotonic } = options;
  const startedAt = monotonic();
  let state = startLiveness(startedAt, "prefill");
  const proof = createProof(thresholds.gapMs);
  let proven = trusted;
  let judgement: EngineJudgement = startJudgement(startedAt);
  let lastStall: Stall | undefined;
  let fault: Failure | undefined;
  let phase: Phase = "prefill";
  let counts = { events: 0, contents: 0, usage: 0, gapMinMs: Number.POSITIVE_INFINITY, gapMaxMs: 0 };
  let firstContentAt: number | undefined;
  let lastContentAt: number | undefined;
  /** Waits and lag, which no time-out counts. */
  let pausedMs = 0;
  let lastTick = startedAt;
  const episodes: Episode[] = [];
  /** Readings that the next tick judges: it knows how long nothing could be read before them. */
  let readings: Reading[] = [];
  const use = engine?.use((reading) => readings.push(reading));

  function judgedBy(): JudgedBy {
    if (mode !== "stream" || proven) return mode;
    return engine === undefined ? "timeout" : "metrics";
  }

  function hang(failure: Failure): void {
    if (fault !== undefined || state.activity === "ended") return;
    fault = failure;
    options.onFault(failure);
  }

  function stallOf(threshold: Stall["threshold"], limitMs: number, silenceMs: number): Stall {
    const { activity, lastSeq, contents, tokens, bytesAt } = state;
    return { activity, threshold, limitMs, silenceMs, bytesSilenceMs: monotonic() - bytesAt, lastSeq, contents, tokens };
  }

  function fail(stall: Stall, evidence: Evidence): void {
    enter("stalled");
    const episode = episodes.at(-1);
    if (episode?.kind === "stalled" && episode.untilMs === undefined) episodes[episodes.length - 1] = { ...episode, evidence };
    else open("stalled", stall.silenceMs, evidence);
    options.aside({ kind: "liveness", phase: "stalled", stall, evidence: { ...evidence } });
    hang({ ...failureOf(inferenceStalled(stall, evidence)), stall, evidence });
  }

  function open(kind: Episode["kind"], silenceMs: number, evidence?: Evidence): void {
    close();
    if (episodes.length >= MAX_EPISODES) return;
    const fromMs = Math.max(0, Math.round(state.at - startedAt - silenceMs));
    episodes.push({ kind, fromMs, activity: state.activity, ...(evidence !== undefined && { evidence }) });
  }

  function close(): void {
    const last = episodes.at(-1);
    if (last !== undefined && last.untilMs === undefined) episodes[episodes.length - 1] = { ...last, untilMs: Math.round(state.at - startedAt) };
  }

  function take(events: readonly LivenessEvent[]): void {
    for (const event of events) {
      if (event.kind === "slow") open("slow", event.silenceMs);
      if (event.kind === "recovered") close();
      if (event.kind === "stalled") {
        lastStall = event.stall;
        // Of what is not judged by its stream, silence says nothing: it may be collecting its answer.
        if (judgedBy() === "stream") open("stalled", event.stall.silenceMs);
      } else if (event.kind !== "phase") options.aside({ kind: "liveness", ...toLivenessFacts(event) });
      if (event.kind === "overtime") {
        const message = `It worked for ${Math.round(event.workedMs / 1000)} s; workMs allows ${event.limitMs / 1000} s.`;
        hang({ class: "stall", code: "WORK_TIME", message });
      }
    }
    const now = phaseOf(state);
    enter(now === "stalled" && fault === undefined && judgedBy() !== "stream" ? "slow" : now);
  }

  function enter(now: Phase): void {
    if (now === phase) return;
    phase = now;
    options.onPhase(now);
  }

  function signal(one: LivenessSignal): void {
    const next = step(state, { kind: "signal", at: monotonic(), signal: one }, thresholds);
    state = next.state;
    take(next.events);
    // Its request is over: what the engine does now is not for it, though its answer is still to be judged.
    if (state.activity === "ended") use?.[Symbol.dispose]();
  }

  function content(at: number): void {
    if (lastContentAt !== undefined) {
      const gap = at - lastContentAt;
      counts = { ...counts, gapMinMs: Math.min(counts.gapMinMs, gap), gapMaxMs: Math.max(counts.gapMaxMs, gap) };
    }
    firstContentAt ??= at;
    lastContentAt = at;
  }

  /** One reading of the engine's counters. */
  function look(reading: Reading): void {
    const by = mode === "stream" ? ("firstByteMs" as const) : ("connectMs" as const);
    const { toolMs, firstContentMs } = thresholds;
    const limits = { toolMs, firstContentMs, intervalMs: options.metricsIntervalMs, ask: { threshold: by, limitMs: thresholds[by] } };
    const judged = judgeEngine(judgement, reading, limits);
    judgement = judged.state;
    // Content and the engine prove life alike, where the stream shows some.
    const silenceMs = reading.at - state.quietSince;
    const agrees = mode !== "stream" || (judged.fault !== undefined && silenceMs >= judged.fault.limitMs);
    if (judged.fault !== undefined && judgedBy() === "metrics" && agrees) onEngineFault(judged.fault);
  }

  function onEngineFault({ threshold, limitMs, silenceMs, evidence }: EngineFault): void {
    fail(stallOf(threshold, limitMs, silenceMs), evidence);
  }

  /** Whose fault the silence of a stream is. */
  function evidence(): Evidence {
    if (engine === undefined) return { kind: "unknown", text: "The engine's counters are not known (metricsUrl)." };
    const before = engine.before(state.quietSince);
    const others = {
      tokens: engine.heard - (before?.heard ?? 0),
      active: engine.users - 1,
      ended: (engine.latest?.ended ?? 0) - (before?.ended ?? 0),
      alive: use?.othersHeardSince(engine.previous?.at ?? Number.POSITIVE_INFINITY) ?? 0,
    };
    return silenceEvidence({ before: before?.sample, previous: engine.previous?.sample, last: engine.latest?.sample }, others);
  }

  return {
    hear(event) {
      const at = monotonic();
      const before = state;
      counts = { ...counts, events: counts.events + 1 };
      const data = readExtension(event);
      if (data?.kind === "usage" && typeof data.usage["outputTokens"] === "number") counts = { ...counts, usage: counts.usage + data.usage["outputTokens"] };
      if (proof.see(event, at)) proven = true;
      const signals = readSignals(event);
      if (signals.some(({ kind }) => kind === "content")) content(at);
      for (const one of signals) signal(one);
      use?.hear(state.tokens - before.tokens);
    },
    tell: signal,
    tick(at, lagMs) {
      if (state.activity === "ended" || fault !== undefined) return;
      const next = step(state, { kind: "tick", at, lagMs }, thresholds);
      state = next.state;
      const rests = state.throttled || state.activity === "waiting-input" || state.activity === "retry-wait" || state.activity === "child-working";
      pausedMs += rests ? at - lastTick : Math.min(lagMs, at - lastTick);
      lastTick = at;
      take(next.events);
      if (lagMs > 0) judgement = delayJudgement(judgement, at, lagMs);
      const newest = readings;
      readings = [];
      for (const reading of newest) look(reading);
      const by = judgedBy();
      if (by === "stream" && state.health === "stalled" && lastStall !== undefined) {
        fail({ ...lastStall, silenceMs: at - state.quietSince, bytesSilenceMs: at - state.bytesAt }, evidence());
      }
      const spentMs = at - startedAt - pausedMs;
      if (by === "timeout" && spentMs > timeout.ms) {
        const text = `Nothing shows whether it works: it sends no content piece by piece, and its engine's counters are not known. Its time-out of ${timeout.ms / 1000} s has passed (${timeout.why}).`;
        fail(stallOf("timeout", timeout.ms, spentMs), { kind: "unknown", text });
      }
    },
    get state() {
      return state;
    },
    get measured() {
      const tokens = counts.usage > 0 ? counts.usage : state.tokens;
      const bounds = { leastMs: counts.gapMinMs, mostMs: counts.gapMaxMs };
      const [p50, p95] = [gapFigure(state.gaps, 0.5, bounds), gapFigure(state.gaps, 0.95, bounds)];
      const span = firstContentAt === undefined || lastContentAt === undefined ? 0 : lastContentAt - firstContentAt;
      const rate = span > 0 && tokens > 1 ? ((tokens - 1) * 1000) / span : tokensPerSecond(state);
      return {
        events: counts.events,
        contents: state.contents,
        tokens,
        ...(firstContentAt !== undefined && { ttftMs: Math.round(firstContentAt - startedAt) }),
        ...(p50 !== undefined && { gapP50Ms: round(p50) }),
        ...(p95 !== undefined && { gapP95Ms: round(p95), gapMaxMs: round(counts.gapMaxMs) }),
        ...(rate !== undefined && { tokensPerSecond: round(rate) }),
        workedMs: Math.round(state.workedMs),
        durationMs: Math.round(monotonic() - startedAt),
      };
    },
    episodes,
    get fault() {
      return fault;
    },
    [Symbol.dispose]() {
      if (state.activity !== "ended") signal({ kind: "ended" });
      close();
      use?.[Symbol.dispose]();
    },
  };
}

function round(value: number): number {
  return Math.round(value * 100) / 100;
}
