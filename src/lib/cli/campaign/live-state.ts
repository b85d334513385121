import type { Phase } from "../../liveness/liveness.ts";
import { addGap, type Gaps, NO_GAPS } from "../../liveness/gaps.ts";
import type { Progress, Summary } from "../../campaign/progress.ts";
import { counted, duration, itemName, judgedBy, readBattle, standing } from "../../campaign/report/words.ts";
import type { Tone } from "../screen.ts";

/** What a view needs to know, folded from a runner's progress. Times are of the clock that `apply` was given, ms. */
export interface LiveState {
  readonly campaign: string;
  readonly startedAt: number;
  readonly resumed: boolean;
  readonly target: number;
  /** Battles that were judged before this run, and now. */
  readonly judgedBefore: number;
  readonly judged: number;
  /** Of this run. */
  readonly passed: number;
  readonly attempts: number;
  /** Tokens of attempts that have ended in this run. */
  readonly tokens: number;
  readonly stalls: number;
  readonly slow: number;
  /** Retries by the class of what failed. */
  readonly retries: ReadonlyMap<string, number>;
  readonly running: ReadonlyMap<string, LiveBattle>;
  /** That have been seen; one alone need not be named. */
  readonly subjects: ReadonlySet<string>;
  /** Battles that wait for their next attempt. */
  readonly waiting: ReadonlyMap<string, { readonly until: number; readonly why: string }>;
  readonly ttft: Spread;
  /** Medians and 95th percentiles of attempts. */
  readonly gapMedians: Spread;
  readonly gapTails: Spread;
  /** What happened last, newest at the end. */
  readonly news: readonly News[];
  readonly summary: Summary | undefined;
}

/** A battle that runs. */
export interface LiveBattle {
  readonly subject: string;
  readonly item: string;
  readonly repeat: number;
  readonly attempt: number;
  readonly startedAt: number;
  readonly phase: Phase;
  readonly since: number;
  readonly tokens: number;
  readonly tokensPerSecond: number | undefined;
  /** When content came last. */
  readonly contentAt: number | undefined;
}

/** Times in buckets, and the shortest and the longest as they were. */
export interface Spread {
  readonly gaps: Gaps;
  readonly leastMs: number;
  readonly mostMs: number;
}

const NO_SPREAD: Spread = { gaps: NO_GAPS, leastMs: Number.POSITIVE_INFINITY, mostMs: 0 };

function spread({ gaps, leastMs, mostMs }: Spread, ms: number | undefined): Spread {
  return ms === undefined ? { gaps, leastMs, mostMs } : { gaps: addGap(gaps, ms), leastMs: Math.min(leastMs, ms), mostMs: Math.max(mostMs, ms) };
}

/** Something to tell once. */
export interface News {
  readonly tone: Tone;
  readonly text: string;
}

const MAX_NEWS = 20;

/** The fold. `apply` changes `state` in place and returns what is news. */
export function createLiveState(): { readonly state: LiveState; apply(progress: Progress, now: number): News | undefined } {
  const running = new Map<string, LiveBattle>();
  const subjects = new Set<string>();
  const waiting = new Map<string, { until: number; why: string }>();
  const retries = new Map<string, number>();
  const news: News[] = [];
  const state = {
    campaign: "",
    startedAt: 0,
    resumed: false,
    target: 0,
    judgedBefore: 0,
    judged: 0,
    passed: 0,
    attempts: 0,
    tokens: 0,
    stalls: 0,
    slow: 0,
    ttft: NO_SPREAD,
    gapMedians: NO_SPREAD,
    gapTails: NO_SPREAD,
    summary: undefined as Summary | undefined,
    running,
    subjects,
    waiting,
    retries,
    news,
  };

  const onPhase = (battle: string, phase: Phase, now: number): News | undefined => {
    const before = running.get(battle);
    if (before === undefined || before.phase === phase) return undefined;
    running.set(battle, { ...before, phase, since: now });
    const name = nameOf(battle);
    if (phase === "stalled") {
      state.stalls += 1;
      return { tone: "bad", text: `${name} stalled after ${counted(before.tokens, "token")}` };
    }
    if (phase === "slow") {
      state.slow += 1;
      return { tone: "warn", text: `${name} is slow` };
    }
    // What ends, of itself or because it was given up, does not go on.
    const goesOn = phase !== "ended" && (before.phase === "stalled" || before.phase === "slow");
    return goesOn ? { tone: "good", text: `${name} goes on: ${phase}` } : undefined;
  };

  const onEnd = (progress: Extract<Progress, { readonly kind: "attempt-ended" }>): News => {
    const { attempt } = progress;
    const { battle, outcome, measured } = attempt;
    running.delete(battle);
    state.tokens += measured.tokens;
    state.ttft = spread(state.ttft, measured.ttftMs);
    state.gapMedians = spread(state.gapMedians, measured.gapP50Ms);
    state.gapTails = spread(state.gapTails, measured.gapP95Ms);
    const { word, tone } = standing(attempt);
    if (outcome?.kind === "judged") {
      state.judged += 1;
      if (outcome.verdict.pass) state.passed += 1;
    }
    if (outcome?.kind === "failed") {
      const what = outcome.failure.class;
      return { tone, text: `${nameOf(battle)} attempt ${attempt.attempt} failed (${what}): ${outcome.failure.message}` };
    }
    const why = outcome?.kind === "judged" ? outcome.verdict.reason : outcome?.kind === "unknown" ? outcome.why : undefined;
    return { tone, text: `${nameOf(battle)} ${word}${why === undefined ? "" : `: ${why}`}` };
  };

  const fold = (progress: Progress, now: number): News | undefined => {
    switch (progress.kind) {
      case "started": {
        const { campaign, resumed, done, target } = progress;
        Object.assign(state, { campaign, resumed, target, judgedBefore: done, judged: done, startedAt: now });
        return resumed ? { tone: "quiet", text: `goes on where it stood: ${done} of ${target} battles are judged` } : undefined;
      }
      case "liveness":
        return { tone: "quiet", text: `${progress.subject} is judged by ${judgedBy(progress.mode)}: ${progress.why}` };
      case "attempt-started": {
        const { battle, subject, item, repeat, attempt } = progress.attempt;
        state.attempts += 1;
        subjects.add(subject);
        waiting.delete(battle);
        const fresh = { tokens: progress.attempt.measured.tokens, tokensPerSecond: undefined, contentAt: undefined };
        running.set(battle, { subject, item, repeat, attempt, startedAt: now, phase: "queued", since: now, ...fresh });
        return undefined;
      }
      case "phase":
        return onPhase(progress.battle, progress.phase, now);
      case "tokens": {
        const { battle, tokens, tokensPerSecond } = progress;
        const before = running.get(battle);
        if (before !== undefined) running.set(battle, { ...before, tokens, tokensPerSecond, contentAt: now });
        return undefined;
      }
      case "attempt-ended":
        return onEnd(progress);
      case "retry": {
        const { battle, inMs } = progress;
        // The class stands before the message, which was told when the attempt ended.
        const [why = ""] = progress.why.split(": ", 1);
        retries.set(why, (retries.get(why) ?? 0) + 1);
        waiting.set(battle, { until: now + inMs, why });
        return { tone: "quiet", text: `${nameOf(battle)} is tried again in ${duration(inMs)} (${why})` };
      }
      case "requeued": {
        const { battle, wasJudged } = progress;
        // Counted before this run or in it: it is not any more.
        if (wasJudged) state.judged -= 1;
        if (wasJudged && state.judgedBefore > state.judged) state.judgedBefore = state.judged;
        return { tone: "quiet", text: `${nameOf(battle)} is fought again, as somebody wished` };
      }
      case "concurrency":
        return { tone: "quiet", text: `${progress.subject}: ${progress.allowed} at once (${progress.why})` };
      case "warning":
        return { tone: "warn", text: progress.message };
      case "ended":
        state.summary = progress.summary;
        return undefined;
    }
  };

  return {
    state,
    apply(progress, now) {
      const one = fold(progress, now);
      if (one !== undefined) news.push(one);
      if (news.length > MAX_NEWS) news.shift();
      return one;
    },
  };
}

/** A battle's name for people. */
export function nameOf(battle: string): string {
  return `${readBattle(battle).subject} · ${shortName(battle)}`;
}

/** Its name where there is but one subject. */
export function shortName(battle: string): string {
  return itemName(readBattle(battle));
}
