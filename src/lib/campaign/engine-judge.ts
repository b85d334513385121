import type { Evidence } from "../liveness/stalled.ts";
import type { Thresholds } from "../liveness/thresholds.ts";
import type { StallThreshold } from "../liveness/liveness.ts";
import { type EngineSample, hasMoved } from "./engine-metrics.ts";
import type { Reading } from "./engine-watch.ts";
import { counted } from "./report/words.ts";

/**
 * Judges a request by its engine's counters alone, for subjects of which nothing can be seen before their answer. A pure reducer over readings: alive while
 * counters move; lost when nothing runs and nothing waits, in two readings one after the other. `at` is a monotonic clock, ms.
 *
 * What the counters cannot tell is not called a fault: a subject may do other things before it asks its model (until `askMs`), and work on after the model
 * has answered (until `toolMs`); and an engine that reads a long prompt moves no counter (until `firstContentMs`).
 */
export interface EngineJudgement {
  readonly startedAt: number;
  /** When anything moved last. */
  readonly movedAt: number;
  readonly first: Reading | undefined;
  readonly last: EngineSample | undefined;
  /** It was seen at work since the request went out. */
  readonly wasBusy: boolean;
  /** Readings in a row with nothing running and nothing waiting, and the time of the first. */
  readonly idleReadings: number;
  readonly idleAt: number | undefined;
}

/** A silence of the engine, with whose fault it is. */
export interface EngineFault {
  readonly threshold: StallThreshold;
  readonly limitMs: number;
  readonly silenceMs: number;
  readonly evidence: Evidence;
}

/** A request that goes out at `at`. */
export function startJudgement(at: number): EngineJudgement {
  return { startedAt: at, movedAt: at, first: undefined, last: undefined, wasBusy: false, idleReadings: 0, idleAt: undefined };
}

/** What is allowed: `ask` is how long a subject may take before it asks its model, `intervalMs` the time between two readings. */
export type EngineLimits = Pick<Thresholds, "toolMs" | "firstContentMs"> & {
  readonly intervalMs: number;
  readonly ask: { readonly threshold: StallThreshold; readonly limitMs: number };
};

/** Readings in a row that prove a request lost. */
const LOST_AFTER = 2;

/** What passed while nothing could be read counts for no deadline (SEMANTICS 28): a loop that was blocked for `lagMs` until `at` may not have seen the answer. */
export function delayJudgement(state: EngineJudgement, at: number, lagMs: number): EngineJudgement {
  const move = (moment: number): number => Math.min(at, moment + lagMs);
  const { startedAt, movedAt, idleAt } = state;
  return { ...state, startedAt: move(startedAt), movedAt: move(movedAt), idleAt: idleAt === undefined ? undefined : move(idleAt) };
}

/** The next state, and a fault once there is one. */
export function judgeEngine(state: EngineJudgement, reading: Reading, limits: EngineLimits): { readonly state: EngineJudgement; readonly fault?: EngineFault } {
  const { sample, at } = reading;
  if (sample === undefined) return silent({ ...state, idleReadings: 0, idleAt: undefined }, reading, limits);
  const moved = state.last === undefined || hasMoved(state.last, sample);
  const isIdle = sample.running === 0 && (sample.waiting ?? 0) === 0;
  const next: EngineJudgement = {
    ...state,
    movedAt: moved ? at : state.movedAt,
    first: state.first ?? reading,
    last: sample,
    wasBusy: state.wasBusy || !isIdle || (state.last !== undefined && moved),
    idleReadings: isIdle ? state.idleReadings + 1 : 0,
    idleAt: isIdle ? (state.idleAt ?? at) : undefined,
  };
  return isIdle ? idle(next, reading, sample, limits) : silent(next, reading, limits);
}

/** Nothing runs and nothing waits. */
function idle(state: EngineJudgement, { at, ended, heard }: Reading, sample: EngineSample, limits: EngineLimits): ReturnType<typeof judgeEngine> {
  const first = state.first?.sample;
  const generated = grown(first?.generated, sample.generated);
  // Requests that the engine finished, and of which no battle of ours that ended tells: this one's may be among them.
  const finished =
    sample.finished === undefined
      ? generated - (heard - (state.first?.heard ?? 0))
      : grown(first?.finished, sample.finished) - (ended - (state.first?.ended ?? 0));
  const { threshold, limitMs, since } = !state.wasBusy
    ? { ...limits.ask, since: state.startedAt }
    : finished > 0
      ? { threshold: "toolMs" as const, limitMs: limits.toolMs, since: state.idleAt ?? at }
      : { threshold: "metricsIntervalMs" as const, limitMs: limits.intervalMs, since: state.idleAt ?? at };
  const isOver = threshold === "metricsIntervalMs" || at - since >= limitMs;
  if (state.idleReadings < LOST_AFTER || !isOver) return { state };
  const text = "Nothing runs and nothing waits in the engine, and there is still no answer: it does not know our request.";
  const evidence: Evidence = { kind: "request-lost", text, running: 0, waiting: 0, generated };
  return { state, fault: { threshold, limitMs, silenceMs: at - since, evidence } };
}

/** Something runs or waits, or nothing is known: how long has nothing moved? */
function silent(state: EngineJudgement, { sample, at, users }: Reading, limits: EngineLimits): ReturnType<typeof judgeEngine> {
  const silenceMs = at - state.movedAt;
  if (silenceMs <= limits.firstContentMs) return { state };
  const evidence: Evidence =
    sample === undefined
      ? { kind: "unknown", text: "The engine's counters could not be read." }
      : { ...stuckOrOverloaded(sample, Math.max(0, users - 1)), running: sample.running ?? 0, waiting: sample.waiting ?? 0, generated: 0 };
  return { state, fault: { threshold: "firstContentMs", limitMs: limits.firstContentMs, silenceMs, evidence } };
}

/**
 * Whose fault it is when nothing moves. What runs or waits may be our `others`: only what they cannot explain proves something of this request.
 */
function stuckOrOverloaded(sample: EngineSample, others: number): Pick<Evidence, "kind" | "text"> {
  const waiting = sample.waiting ?? 0;
  const running = sample.running;
  if (waiting > others)
    return { kind: "overload", text: `Nothing moves in the engine, and ${counted(waiting, "request")} ${verb(waiting, "wait")}: it is overloaded.` };
  if (running === undefined || running > others) {
    const runs = running === undefined ? "Some requests run" : `${counted(running, "request")} ${verb(running, "run")}`;
    return { kind: "engine-stuck", text: `${runs} in the engine, but none of its counters moves: it is stuck.` };
  }
  const known = running + waiting;
  const which = known > others ? "It is stuck or overloaded." : "It is stuck or overloaded, or has lost this one.";
  return {
    kind: "unknown",
    text: `Nothing moves in the engine, which runs ${running} and lets wait ${waiting} of our ${counted(others + 1, "request")}. ${which}`,
  };
}

/** A verb behind a number. */
const verb = (times: number, plural: string): string => (times === 1 ? `${plural}s` : plural);

/** What the runner itself got from an engine while a battle was silent. */
export interface Others {
  /** Tokens that other battles on the same engine received. */
  readonly tokens: number;
  /** Other battles that were under way at the end, and those of them that received tokens since the reading before the last one: the engine has these. */
  readonly active: number;
  readonly alive: number;
  /** Battles that ended meanwhile: one that was cut off may have left tokens behind. */
  readonly ended: number;
}

/** Tokens that an engine may make of a request after its reader has left. */
const LEFT_BEHIND = 8;

/** What the engine counted: at the beginning of the silence, in the reading before the last one, and in the last one. */
export interface Silence {
  readonly before: EngineSample | undefined;
  readonly previous: EngineSample | undefined;
  readonly last: EngineSample | undefined;
}

/**
 * Whose fault the silence of a stream is: what the engine's counters grew by in it, less what our other battles account for. What was made by the reading before
 * the last one has had the time to arrive, and what runs in both has not just left. Without counters it is `unknown`.
 */
export function silenceEvidence({ before, previous, last }: Silence, others: Others): Evidence {
  if (before === undefined || last === undefined) return { kind: "unknown", text: "The engine's counters could not be read." };
  const running = last.running ?? 0;
  const waiting = last.waiting ?? 0;
  const generated = grown(before.generated, last.generated);
  const facts = { running, waiting, generated };
  // Some may still be on their way, to a battle that ended for example: a tenth is allowed for that.
  const unexplained = grown(before.generated, previous?.generated) - others.tokens;
  if (running === 0 && waiting === 0)
    return { kind: "request-lost", text: "Nothing runs and nothing waits in the engine: it does not know our request.", ...facts };
  const onTheirWay = Math.max(1, others.tokens * 0.1);
  if (unexplained > onTheirWay && unexplained <= onTheirWay + others.ended * LEFT_BEHIND) {
    const text = `The engine made ${counted(unexplained, "token")} that came nowhere: held back from this request, or left by battles that ended meanwhile.`;
    return { kind: "unknown", text, ...facts };
  }
  if (unexplained > onTheirWay) {
    return {
      kind: "engine-moves",
      text: `The engine made ${counted(generated, "token")} in the silence, and none came: a parser holds them back, or the connection is dead.`,
      ...facts,
    };
  }
  if (waiting > 0)
    return {
      kind: "overload",
      text: `${counted(waiting, "request")} ${verb(waiting, "wait")} in the engine, and it made nothing for this one: it is overloaded.`,
      ...facts,
    };
  if (Math.max(running, previous?.running ?? 0) <= others.alive)
    return {
      kind: "request-lost",
      text: `The engine runs ${counted(running, "request")}, for our other battles that go on: it does not know this one.`,
      ...facts,
    };
  if (running <= others.active) {
    const text = `The engine runs ${running} of our ${counted(others.active + 1, "request")} and made no token for the silent ones: it is stuck, or has lost this one.`;
    return { kind: "unknown", text, ...facts };
  }
  return { kind: "engine-stuck", text: `${counted(running, "request")} ${verb(running, "run")} in the engine, but it made no token: it is stuck.`, ...facts };
}

/** Counters that went back belong to an engine that started again: what they show is new. */
function grown(before: number | undefined, after: number | undefined): number {
  if (after === undefined) return 0;
  return before === undefined || after < before ? after : after - before;
}
