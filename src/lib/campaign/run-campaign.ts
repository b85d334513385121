import { IasError } from "../model/errors.ts";
import { createArena } from "./arena.ts";
import type { Attempt } from "./attempt.ts";
import { createDurations, type Durations, tellsDuration } from "./adaptive-timeout.ts";
import { claim } from "./claim.ts";
import { createFighter } from "./fighter.ts";
import { greet } from "./greet.ts";
import { campaignHash } from "./hash.ts";
import type { ControlState } from "./ledger.ts";
import { checkNeeds } from "./preflight.ts";
import type { Progress } from "./progress.ts";
import type { Pulse } from "./pulse.ts";
import { summarize } from "./report/summarize.ts";
import { duration } from "./report/words.ts";
import type { RunCampaign, RunnerParts } from "./runner-parts.ts";
import { createSchedule, type Schedule } from "./schedule.ts";
import { settingsOf } from "./settings.ts";

/** Between two looks at silence, ms; a stall is found within its threshold and this. */
const TICK_MS = 250;
/** Between two looks at people's wishes, ms. */
const CONTROL_MS = 1000;
/** A blocked event loop that is worth a word, ms. */
const LAG_MS = 500;
/** Below this gap a subject that only tells of hidden progress (every 10 s) is failed, ms. */
const HIDDEN_PROGRESS_MS = 15_000;
/** Between two such words, ms. */
const SAY_LAG_MS = 30_000;

/** Runs a campaign over its ledger; see `RunCampaign`. */
export const runCampaign: RunCampaign = async (campaign, parts, signal) => {
  const { ledger, clock, onProgress } = parts;
  const hash = campaignHash(campaign);
  const found = await ledger.campaign();
  const changed = claim(found?.campaign, campaign, "The ledger");
  const schedule = createSchedule(campaign, parts.random);
  const durations = createDurations(campaign.timeout);
  const left = await restore(schedule, durations, parts);
  // Before the ledger takes the campaign: a folder is not bound to one that has to be put right.
  const isIdle = schedule.isOver && left.length === 0 && (await ledger.control.read()).requeueBattles.length === 0;
  if (!isIdle) await checkNeeds(campaign, parts);
  const { createdAt, nonce } = found ?? (await ledger.create(campaign, hash));
  const known = { campaign, hash, createdAt };
  onProgress({ kind: "started", campaign: campaign.name, resumed: found !== undefined, done: schedule.judged, target: schedule.target });
  if (left.length > 0) tell(onProgress, "CONTINUED", continued(left.length));
  if (!isIdle && campaign.thresholds.gapMs < HIDDEN_PROGRESS_MS) {
    const message = `thresholds.gapMs is ${duration(campaign.thresholds.gapMs)}. A subject that reasons where nobody sees it tells so every 10 s at best: under ${duration(HIDDEN_PROGRESS_MS)} it is taken for hung.`;
    tell(onProgress, "GAP_SHORT", message);
  }
  if (changed !== "") {
    await ledger.change(settingsOf(campaign));
    tell(onProgress, "SETTINGS_CHANGED", `From now on other settings count: ${changed}.`);
  }

  await using arena = createArena(campaign, parts);
  if (!isIdle) await greet(campaign, arena);
  const pulses = new Set<Pulse>();
  const running = new Map<string, AbortController>();
  const fights = new Set<Promise<void>>();
  const stop = new AbortController();
  const asked = AbortSignal.any([signal, stop.signal]);
  const fighter = createFighter({ campaign, nonce, parts, arena, pulses, durations });
  let failure: IasError | undefined;
  let wake = Promise.withResolvers<void>();
  /** Until when nothing is said of a subject's long waits. */
  const quiet = new Map<string, number>();
  const ring = (): void => wake.resolve();

  /** Fights one attempt and tells the schedule; what goes wrong here is the ledger's fault, and ends the run. */
  function launch(attempt: Parameters<typeof fighter>[0]): void {
    const canceling = new AbortController();
    running.set(attempt.battle, canceling);
    const began = fighter(attempt, { stop: asked, cancel: canceling.signal })
      .then((ended) => {
        running.delete(attempt.battle);
        if (ended !== undefined) conclude(ended);
      })
      .catch((error: unknown) => {
        failure ??= IasError.from(error);
        stop.abort(failure);
      })
      .finally(() => {
        running.delete(attempt.battle);
        fights.delete(began);
        ring();
      });
    fights.add(began);
  }

  /** Once for all battles that a subject refuses at a time. */
  function tellLongWait(who: string, askedMs: number): void {
    const [now, waitMs] = [clock.now(), campaign.retries.maxRetryAfterMs];
    if (now < (quiet.get(who) ?? 0)) return;
    quiet.set(who, now + waitMs);
    const message = `${who} asks to be left alone for ${duration(askedMs)} (Retry-After); its battles are tried again after ${duration(waitMs)}, as retries.maxRetryAfterMs says.`;
    tell(onProgress, "RETRY_AFTER_CUT", message);
  }

  function conclude(attempt: Attempt): void {
    const before = schedule.allowed(attempt.subject);
    const ending = schedule.ended(attempt, clock.now());
    onProgress({ kind: "attempt-ended", attempt });
    if (ending.kind === "retry") {
      const isJudge = attempt.outcome?.kind === "failed" && attempt.outcome.failure.class === "judge-failed";
      if (ending.askedMs !== undefined) tellLongWait(isJudge ? `The judge of ${attempt.subject}` : attempt.subject, ending.askedMs);
      onProgress({ kind: "retry", battle: attempt.battle, inMs: Math.round(ending.inMs), why: ending.why });
    }
    const allowed = schedule.allowed(attempt.subject);
    const why = allowed < before ? "it asked for less (429 or 503)" : "its battles succeed";
    if (allowed !== before) onProgress({ kind: "concurrency", subject: attempt.subject, allowed, why });
  }

  let paused = false;

  /** Carries out what people asked for. False: the campaign is canceled. */
  async function obey(wishes: ControlState): Promise<boolean> {
    if (wishes.paused !== paused) tell(onProgress, wishes.paused ? "PAUSED" : "RESUMED", wishes.paused ? PAUSED : "The campaign goes on: battles start.");
    ({ paused } = wishes);
    if (wishes.canceled) {
      for (const canceling of running.values()) canceling.abort();
      return false;
    }
    for (const battle of wishes.cancelBattles) {
      schedule.cancel(battle);
      running.get(battle)?.abort();
    }
    for (const battle of wishes.requeueBattles) {
      running.get(battle)?.abort();
      if (!running.has(battle)) await requeue(battle, schedule, parts);
    }
    return true;
  }

  /** Starts what may start now. Gives until when nothing more may, by the clock. */
  function launchAll(): number {
    while (!paused && !asked.aborted) {
      const next = schedule.next(clock.now());
      if (next.kind === "wait") return next.until;
      launch(next);
    }
    return Number.POSITIVE_INFINITY;
  }

  const isAlive = setInterval(() => undefined, 2 ** 30);
  const ticking = tick(pulses, parts, asked);
  let state: "running" | "paused" | "canceled" | "exhausted" = "running";
  try {
    for (const attempt of left) launch({ ...attempt, kind: "resume" });
    let lookAt = 0;
    while (!asked.aborted) {
      if (clock.now() >= lookAt) {
        lookAt = clock.now() + CONTROL_MS;
        if (!(await obey(await ledger.control.read()))) {
          state = "canceled";
          break;
        }
      }
      const until = launchAll();
      if (schedule.isOver) {
        // What was wished while the last battle ended is not left behind.
        if ((await ledger.control.read()).requeueBattles.length === 0) break;
        lookAt = 0;
        continue;
      }
      state = paused ? "paused" : "running";
      wake = Promise.withResolvers();
      const waiting = new AbortController();
      const waitMs = Math.max(1, Math.min(until, lookAt) - clock.now());
      await Promise.race([wake.promise, clock.sleep(waitMs, AbortSignal.any([asked, waiting.signal]))]);
      waiting.abort();
    }
    await Promise.all(fights);
  } finally {
    stop.abort();
    clearInterval(isAlive);
    await Promise.all(fights);
    await ticking;
  }
  if (failure !== undefined) throw failure;
  const isOver = state !== "canceled" && !signal.aborted && schedule.isOver;
  const summary = await summarize(known, ledger, isOver ? "exhausted" : state);
  const endedAt = isOver || state === "canceled" ? { endedAt: clock.now() } : {};
  const result = { ...summary, ...endedAt };
  onProgress({ kind: "ended", summary: result });
  return result;
};

/** Puts what the ledger has into the schedule, and how long its battles took into `durations`. Gives the attempts that a dead runner left, which go on. */
async function restore(schedule: Schedule, durations: Durations, { ledger }: RunnerParts): Promise<readonly Attempt[]> {
  const left: Attempt[] = [];
  let of: Attempt[] = [];
  const put = (): void => {
    const [first] = of;
    const place = first === undefined ? undefined : schedule.find(first.battle);
    if (place === undefined) return;
    const attempt = schedule.restore(place, of);
    if (attempt !== undefined) left.push(attempt);
  };
  for await (const attempt of ledger.attempts()) {
    if (of[0] !== undefined && of[0].battle !== attempt.battle) {
      put();
      of = [];
    }
    of.push(attempt);
    if (tellsDuration(attempt)) durations.add(attempt.item, attempt.measured.durationMs);
  }
  put();
  return left;
}

const continued = (battles: number): string =>
  battles === 1 ? "1 battle was under way when the last run ended; it goes on." : `${battles} battles were under way when the last run ended; they go on.`;

const PAUSED = "The campaign is paused: no battle starts until `ias campaign resume`.";

async function requeue(battle: string, schedule: Schedule, { ledger, onProgress }: RunnerParts): Promise<void> {
  const attempts = await ledger.attemptsOf(battle);
  const judged = schedule.judged;
  const isKnown = schedule.requeue(battle, attempts);
  if (isKnown) {
    await ledger.discount(battle);
    onProgress({ kind: "requeued", battle, wasJudged: schedule.judged < judged });
  } else tell(onProgress, "UNKNOWN_BATTLE", `There is no battle ${battle} to requeue.`);
  await ledger.control.done("requeue", battle);
  await ledger.control.done("cancel", battle);
}

/** One clock for all pulses; how late it is adds to every deadline (SEMANTICS 28). */
async function tick(pulses: ReadonlySet<Pulse>, { clock, monotonic, onProgress }: RunnerParts, signal: AbortSignal): Promise<void> {
  let last = monotonic();
  let saidAt = Number.NEGATIVE_INFINITY;
  while (!signal.aborted) {
    await clock.sleep(TICK_MS, signal);
    const at = monotonic();
    const late = at - last - TICK_MS;
    last = at;
    for (const pulse of pulses) pulse.tick(at, late >= 20 ? late : 0);
    if (late > LAG_MS && at - saidAt >= SAY_LAG_MS) {
      saidAt = at;
      tell(
        onProgress,
        "EVENT_LOOP_BLOCKED",
        `This runner's own event loop was blocked for ${Math.round(late)} ms; deadlines are longer by that. Use a lower concurrency, or a machine with more to spare.`,
      );
    }
  }
}

function tell(onProgress: (progress: Progress) => void, code: string, message: string): void {
  onProgress({ kind: "warning", code, message });
}
