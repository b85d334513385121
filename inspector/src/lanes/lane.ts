import { gapFigure } from "../../../src/lib/liveness/gaps.ts";
import { type Liveness, type LivenessSignal, startLiveness, tokensPerSecond } from "../../../src/lib/liveness/liveness.ts";
import { limitOf, step } from "../../../src/lib/liveness/step.ts";
import type { Thresholds } from "../../../src/lib/liveness/thresholds.ts";
import type { TaskState } from "../../../src/lib/model/a2a.ts";
import { endsVerdict, phaseHeard, type Verdict } from "../state/verdict.ts";
import { type LaneLimits, TASK_LANE_LIMITS } from "./limits.ts";
import { createTicks, type TickKind, type Ticks } from "./level-of-detail.ts";
import { codeOf, phaseOfCode, type Shown } from "./phases.ts";
import { createSteps, type Steps } from "./steps.ts";

/** Something of one entry that is worth a sign of its own. */
export interface Mark {
  readonly at: number;
  readonly seq: number;
  readonly kind: "message" | "first-token" | "tool" | "tool-failed" | "delegation" | "asks" | "attempt" | "stalled" | "recovered" | "end" | "failed" | "note";
  readonly label: string;
}

/** A silence during work, and how close it came to a stall: 0 to 1. */
export interface Silence {
  readonly from: number;
  readonly to: number;
  readonly heat: number;
}

/** The numbers beside a lane. Times in ms; what is not known is undefined. */
export interface LaneFigures {
  readonly tokens: number;
  /** Tokens a second over about the last ten contents, while it generates. */
  readonly rate: number | undefined;
  readonly firstTokenMs: number | undefined;
  readonly gapP50: number | undefined;
  readonly gapP95: number | undefined;
  readonly gapMost: number | undefined;
}

/** One lane: an agent's work on a task, or a child's within it. Owned by `createLanes`; others read. */
export interface Lane {
  /** Unique among all lanes. */
  readonly id: string;
  readonly agent: string;
  readonly task: string;
  readonly context: string;
  /** The child agents from the task's agent down to this one; empty for the task's own. */
  readonly path: readonly string[];
  /** The lane that it stands under. */
  readonly parent: string | undefined;
  /** Known only by a delegation: its entries are elsewhere. */
  readonly isRemote: boolean;
  readonly startedAt: number;
  /** Of the newest entry that touched it. */
  readonly lastAt: number;
  readonly lastSeq: number;
  /** The task's state, in the task's own lane. */
  readonly state: TaskState | undefined;
  readonly shown: Shown;
  readonly isOver: boolean;
  readonly ticks: Ticks;
  /** The phases, as their codes. */
  readonly phases: Steps;
  /** Oldest first; bounded. */
  readonly marks: readonly Mark[];
  readonly silences: readonly Silence[];
  /** The present silence, until `now`; undefined where nothing is awaited. */
  silence(now: number): Silence | undefined;
  figures(): LaneFigures;
}

/** What the owner of a lane does with it. Times never go back: what is older than the last counts as of then. */
export interface LaneWriter {
  readonly lane: Lane;
  signal(at: number, seq: number, signals: readonly LivenessSignal[]): void;
  tick(at: number, seq: number, kind: TickKind): void;
  mark(mark: Mark): void;
  /** The owner of the turn judged by itself: its word stands until content or another phase comes. */
  told(at: number, judged: Verdict | undefined): void;
  /** Finds silence that became too long up to `at`, at the very moment when it did. */
  advance(at: number): void;
  setState(state: TaskState): void;
  /** It may begin again (a child that is called once more). */
  rest(at: number): void;
  end(at: number): void;
  adopt(parent: string | undefined): void;
  /** Its own entries came. */
  setAgent(agent: string, context: string): void;
}

/** What a new lane is. */
export interface LaneOptions {
  readonly id: string;
  readonly agent: string;
  readonly task: string;
  readonly context: string;
  readonly path: readonly string[];
  readonly parent?: string;
  readonly isRemote?: boolean;
  readonly at: number;
  readonly begins: "queued" | "connecting" | "prefill";
  readonly thresholds: Thresholds;
  readonly limits?: LaneLimits;
}

/** Shorter silences are no news, ms. */
const SILENCE_MS = 1000;

/** A lane that begins at `at`. */
export function createLane(options: LaneOptions): LaneWriter {
  const { thresholds, limits = TASK_LANE_LIMITS } = options;
  const ticks = createTicks(limits);
  const phases = createSteps({ most: limits.maxPhases });
  const marks: Mark[] = [];
  const silences: Silence[] = [];
  const startedAt = options.at;
  let { agent, context, parent, isRemote = false } = options;
  let liveness: Liveness = startLiveness(options.at, options.begins);
  let verdict: Verdict | undefined;
  let rests = isRemote;
  let isOver = false;
  let state: TaskState | undefined;
  let lastAt = options.at;
  let lastSeq = 0;
  let lastTick: number | undefined;
  let least = Number.POSITIVE_INFINITY;
  let most = 0;

  const shown = (): Shown => {
    if (isOver || rests || liveness.activity === "ended") return "none";
    return phaseHeard({ liveness, verdict });
  };
  const draw = (at: number): void => phases.set(at, codeOf(shown()));
  const heatOf = (ms: number): number => {
    const limit = limitOf(liveness, thresholds)?.limitMs ?? thresholds.gapMs;
    return Math.min(1, Math.max(0.08, Math.log(ms / SILENCE_MS) / Math.log(Math.max(2, limit / SILENCE_MS))));
  };
  const awaits = (): boolean => !isOver && !rests && !liveness.throttled && AWAITS.has(liveness.activity);
  const advance = (at: number): void => {
    if (isOver || rests) return;
    // Each of the three can happen once in a silence.
    for (let round = 0; round < 4; round += 1) {
      const due = nextDeadline(liveness, thresholds);
      if (due === undefined || due > at) break;
      liveness = step(liveness, { kind: "tick", at: due }, thresholds).state;
      draw(due);
    }
  };

  const lane: Lane = {
    id: options.id,
    task: options.task,
    path: options.path,
    startedAt,
    ticks,
    phases,
    marks,
    silences,
    get agent() {
      return agent;
    },
    get context() {
      return context;
    },
    get parent() {
      return parent;
    },
    get isRemote() {
      return isRemote;
    },
    get lastAt() {
      return lastAt;
    },
    get lastSeq() {
      return lastSeq;
    },
    get state() {
      return state;
    },
    get isOver() {
      return isOver;
    },
    get shown() {
      return shown();
    },
    silence(now) {
      const from = liveness.quietSince;
      return awaits() && now - from >= SILENCE_MS ? { from, to: now, heat: heatOf(now - from) } : undefined;
    },
    figures() {
      const figure = (q: number): number | undefined =>
        gapFigure(liveness.gaps, q, { leastMs: Math.max(1, Math.round(least)), mostMs: Math.max(1, Math.round(most)) });
      return {
        tokens: liveness.tokens,
        rate: shown() === "generating" || shown() === "slow" ? tokensPerSecond(liveness) : undefined,
        firstTokenMs: liveness.firstContentMs,
        gapP50: figure(0.5),
        gapP95: figure(0.95),
        gapMost: most === 0 ? undefined : most,
      };
    },
  };

  return {
    lane,
    signal(at, seq, signals) {
      const time = Math.max(lastAt, at);
      lastAt = time;
      lastSeq = Math.max(lastSeq, seq);
      if (isOver) return;
      if (rests) {
        rests = false;
        const { gaps, tokens, contents, firstContentMs, workedMs } = liveness;
        liveness = { ...startLiveness(time, "prefill"), gaps, tokens, contents, firstContentMs, workedMs };
      }
      advance(time);
      for (const signal of signals) {
        const before = liveness;
        const quiet = time - before.quietSince;
        if (quiet >= SILENCE_MS && awaits() && ENDS_SILENCE.has(signal.kind))
          push(silences, { from: before.quietSince, to: time, heat: heatOf(quiet) }, limits.maxMarks);
        const taken = step(before, { kind: "signal", at: time, signal, seq }, thresholds);
        liveness = taken.state;
        if (endsVerdict(signal, taken.events)) verdict = undefined;
        if (before.firstContentMs === undefined && liveness.firstContentMs !== undefined) {
          push(marks, { at: time, seq, kind: "first-token", label: "first token" }, limits.maxMarks);
        }
      }
      draw(time);
      if (liveness.activity === "ended") isOver = true;
    },
    tick(at, seq, kind) {
      const time = Math.max(lastAt, at);
      if (lastTick !== undefined && liveness.activity === "generating" && liveness.since <= lastTick) {
        least = Math.min(least, time - lastTick);
        most = Math.max(most, time - lastTick);
      }
      lastTick = time;
      ticks.add(time, seq, kind);
    },
    mark: (mark) => push(marks, mark, limits.maxMarks),
    told(at, judged) {
      verdict = judged;
      draw(Math.max(lastAt, at));
    },
    advance,
    setState(next) {
      state = next;
    },
    rest(at) {
      if (isOver || rests) return;
      rests = true;
      draw(Math.max(lastAt, at));
    },
    end(at) {
      if (isOver) return;
      isOver = true;
      draw(Math.max(lastAt, at));
    },
    adopt(next) {
      parent = next;
    },
    setAgent(name, of) {
      agent = name;
      context = of;
      isRemote = false;
      rests = false;
    },
  };
}

const AWAITS: ReadonlySet<Liveness["activity"]> = new Set(["connecting", "prefill", "generating", "tool", "child-working"]);
const ENDS_SILENCE: ReadonlySet<LivenessSignal["kind"]> = new Set(["content", "usage", "tool-start", "tool-end", "tool-progress", "child", "ended", "wait"]);

/** When silence will next pass a threshold; undefined where none is awaited. */
function nextDeadline(state: Liveness, thresholds: Thresholds): number | undefined {
  if (state.throttled) return undefined;
  if (state.activity === "retry-wait") return state.retryUntil;
  const limit = limitOf(state, thresholds)?.limitMs;
  if (limit === undefined || state.health === "stalled" || limit === Number.POSITIVE_INFINITY) return undefined;
  // The reducer asks for more than the limit.
  const slowAt = state.quietSince + limit * thresholds.slowAfter + 1;
  return state.health === "ok" && slowAt > state.at ? slowAt : state.quietSince + limit + 1;
}

/** Adds to the end; beyond `most` the older half goes. */
function push<T>(list: T[], item: T, most: number): void {
  if (list.length >= most) list.splice(0, most >> 1);
  list.push(item);
}

/** The phase that a lane showed at `at`. */
export function phaseAt(lane: Lane, at: number): Shown {
  return phaseOfCode(lane.phases.valueAt(at));
}
