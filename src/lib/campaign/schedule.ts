import type { Allowance } from "./allowance.ts";
import { narrow, startAllowance, widen } from "./allowance.ts";
import type { Attempt, Failure } from "./attempt.ts";
import type { Campaign } from "./campaign.ts";
import { createOrder, type Place } from "./order.ts";
import { type AfterFailure, afterFailure, isFinal, NONE_USED, pauseOf, stateOfBattle, type Used } from "./retry-rule.ts";

/**
 * Which battle is next, and what becomes of it: pure but for `random`; `now` is ms of one clock. Nothing is kept of a battle that is settled, so that memory
 * does not grow with a campaign. A battle is open from its first attempt until it counted or is given up.
 */
export interface Schedule {
  /** Puts in what the ledger has of one battle, oldest first, before anything starts. Gives the attempt that a dead runner left running. */
  restore(battle: Place, attempts: readonly Attempt[]): Attempt | undefined;
  /** A battle that may start now, which is then running; or when to look again (`Infinity`: when something ends). */
  next(now: number): Start | { readonly kind: "wait"; readonly until: number };
  /** A battle of `next` or `restore` ended its attempt. */
  ended(attempt: Attempt, now: number): Ending;
  /** A person wants a battle again, of which the ledger has `attempts`: it starts anew. False for one that runs (end it first) or that the campaign does not have. */
  requeue(battle: string, attempts: readonly Attempt[]): boolean;
  find(battle: string): Place | undefined;
  /** A person does not want a battle: it is not started any more. */
  cancel(battle: string): void;
  /** Nothing runs, waits or can be started. */
  readonly isOver: boolean;
  /** Battles whose verdict was reached. */
  readonly judged: number;
  readonly target: number;
  /** Battles that are given up. */
  readonly lost: number;
  allowed(subject: string): number;
}

/** A battle that starts. `retry` counts the failures that its time-out backs off for. */
export interface Start extends Place {
  readonly kind: "start";
  readonly attempt: number;
  readonly retry: number;
}

/** What becomes of a battle after an attempt. */
export type Ending =
  | { readonly kind: "counted" }
  | { readonly kind: "given-up"; readonly why: string }
  /** `askedMs`: the subject asked for a longer pause than `retries.maxRetryAfterMs`. */
  | { readonly kind: "retry"; readonly inMs: number; readonly why: string; readonly askedMs?: number };

/** A battle that is not settled. */
interface Open extends Place {
  /** The number of its last attempt. */
  attempt: number;
  used: Used;
  /** From when it may start; undefined while it runs. */
  readyAt: number | undefined;
  beganAt: number;
}

/** The schedule of a campaign. */
export function createSchedule(campaign: Campaign, random: () => number): Schedule {
  const { retries, concurrency, subjects } = campaign;
  const order = createOrder(campaign);
  const open = new Map<string, Open>();
  const canceled = new Set<string>();
  const allowances = new Map<string, Allowance>(subjects.map(({ id, concurrency }) => [id, startAllowance(concurrency)]));
  const running = new Map<string, number>(subjects.map(({ id }) => [id, 0]));
  let active = 0;
  let judged = 0;
  let lost = 0;

  const most = (subject: string): number => subjects.find(({ id }) => id === subject)?.concurrency ?? 1;
  const allowed = (subject: string): number => Math.floor(allowances.get(subject)?.allowed ?? 1);
  const hasRoom = (subject: string): boolean => (running.get(subject) ?? 0) < allowed(subject);
  const notBefore = (subject: string): number => allowances.get(subject)?.notBefore ?? 0;

  function start(battle: Open, now: number): Start {
    battle.beganAt = now;
    battle.attempt += 1;
    occupy(battle);
    const { battle: name, subject, item, repeat, attempt, used } = battle;
    return { kind: "start", battle: name, subject, item, repeat, attempt, retry: used.failures };
  }

  /** It runs from now on, and takes one of its subject's places. */
  function occupy(battle: Open): void {
    battle.readyAt = undefined;
    active += 1;
    running.set(battle.subject, (running.get(battle.subject) ?? 0) + 1);
  }

  function opened(place: Place): Open {
    const { battle, subject, item, repeat } = place;
    const made: Open = { battle, subject, item, repeat, attempt: 0, used: NONE_USED, readyAt: 0, beganAt: 0 };
    open.set(battle, made);
    return made;
  }

  /** What a failure means for its battle. */
  function fail(battle: Open, failure: Failure): AfterFailure {
    const { used, meaning } = afterFailure(battle.used, failure, retries);
    battle.used = used;
    if (isFinal(failure)) order.skip(battle);
    return meaning;
  }

  function settle(battle: Open, counted: boolean): void {
    open.delete(battle.battle);
    if (counted) judged += 1;
    else lost += 1;
  }

  /** The number of battles that may still be started: those under way may all succeed. */
  const wanted = (): number => order.target - judged - open.size;

  return {
    restore(place, attempts) {
      order.seen(place);
      const battle = opened(place);
      battle.attempt = attempts.at(-1)?.attempt ?? 0;
      const { state, used, last } = stateOfBattle(attempts, retries);
      battle.used = used;
      if (last?.outcome?.kind === "failed" && isFinal(last.outcome.failure)) order.skip(battle);
      if (state === "judged" || state === "canceled" || state === "given-up") settle(battle, state === "judged");
      if (state !== "running") return undefined;
      occupy(battle);
      return last;
    },
    next(now) {
      if (active >= concurrency) return { kind: "wait", until: Number.POSITIVE_INFINITY };
      let until = Number.POSITIVE_INFINITY;
      for (const battle of open.values()) {
        if (battle.readyAt === undefined || !hasRoom(battle.subject)) continue;
        if (canceled.has(battle.battle)) {
          settle(battle, false);
          continue;
        }
        const at = Math.max(battle.readyAt, notBefore(battle.subject));
        if (at <= now) return start(battle, now);
        until = Math.min(until, at);
      }
      while (wanted() > 0) {
        const free = subjects.filter(({ id }) => hasRoom(id) && order.has(id));
        const ready = free.filter(({ id }) => notBefore(id) <= now);
        for (const { id } of free) if (!ready.some((other) => other.id === id)) until = Math.min(until, notBefore(id));
        // The subject with the least under way, so that all get on alike.
        const [subject] = ready.toSorted((a, b) => (running.get(a.id) ?? 0) - (running.get(b.id) ?? 0));
        const place = subject === undefined ? undefined : order.take(subject.id);
        if (place === undefined) break;
        const battle = opened(place);
        if (!canceled.has(place.battle)) return start(battle, now);
        settle(battle, false);
      }
      return { kind: "wait", until };
    },
    ended(attempt, now) {
      const battle = open.get(attempt.battle);
      const { outcome, subject } = attempt;
      if (battle === undefined || battle.readyAt !== undefined || outcome === undefined) return { kind: "given-up", why: "it was not under way" };
      active -= 1;
      running.set(subject, (running.get(subject) ?? 1) - 1);
      const allowance = allowances.get(subject) ?? startAllowance(1);
      switch (outcome.kind) {
        case "judged":
          allowances.set(subject, widen(allowance, most(subject)));
          settle(battle, true);
          return { kind: "counted" };
        case "canceled":
          settle(battle, false);
          return { kind: "given-up", why: "it was canceled" };
        case "unknown":
          battle.readyAt = now;
          return { kind: "retry", inMs: 0, why: outcome.why };
        case "failed": {
          const { failure } = outcome;
          const isRefusal = failure.class === "rate-limit" || isOverload(failure);
          if (isRefusal) allowances.set(subject, narrow(allowance, battle.beganAt, now, pauseOf(failure.retryAfterMs, retries).pauseMs));
          const meaning = fail(battle, failure);
          if (meaning.kind === "given-up") {
            settle(battle, false);
            return meaning;
          }
          const { backoffMs, pauseMs, askedMs } = meaning;
          const inMs = Math.max(pauseMs, backoffMs * (0.5 + random() / 2));
          battle.readyAt = now + inMs;
          return { kind: "retry", inMs, why: `${failure.class}: ${failure.message}`, ...(askedMs !== undefined && { askedMs }) };
        }
      }
    },
    requeue(name, attempts) {
      const place = order.find(name);
      const known = open.get(name);
      if (place === undefined || (known !== undefined && known.readyAt === undefined)) return false;
      canceled.delete(name);
      const counting = attempts.filter(({ discounted }) => discounted !== true);
      if (known === undefined && counting.at(-1)?.outcome?.kind === "judged") judged -= 1;
      else if (known === undefined && counting.length > 0) lost -= 1;
      order.seen(place);
      opened(place).attempt = attempts.at(-1)?.attempt ?? 0;
      return true;
    },
    find: order.find,
    cancel(battle) {
      canceled.add(battle);
    },
    get isOver() {
      return active === 0 && open.size === 0 && (wanted() <= 0 || !subjects.some(({ id }) => order.has(id)));
    },
    get judged() {
      return judged;
    },
    get lost() {
      return lost;
    },
    target: order.target,
    allowed,
  };
}

/** A 503 says that there is too much, as a 429 does. */
function isOverload(failure: Failure): boolean {
  return failure.class === "server-error" && (failure.retryAfterMs !== undefined || /\b503\b/.test(failure.message) || failure.code === "503");
}
