import type { AgentEvent, Engine } from "../engine/engine.ts";
import type { JsonObject } from "../model/a2a.ts";
import { IasError } from "../model/errors.ts";
import { splitKey } from "../model/key.ts";
import type { Attempt } from "./attempt.ts";
import type { Campaign } from "./campaign.ts";
import { campaignOf, readAssessment } from "./green-request.ts";
import type { Ledger } from "./ledger.ts";
import type { Progress } from "./progress.ts";
import { isSubjectsFault } from "./report/rated.ts";
import { counted, duration, judgedBy } from "./report/words.ts";
import type { RunCampaign, RunnerParts } from "./runner-parts.ts";

/** What the built-in evaluator is made of. */
export interface GreenAgentOptions {
  /** Items, scorer, thresholds and retries where an assessment's config has none; its subjects do not count. */
  readonly campaign?: Campaign;
  readonly runCampaign: RunCampaign;
  /** A fresh ledger for each assessment; it is disposed of with it. */
  readonly createLedger: () => Ledger;
  readonly parts: Omit<RunnerParts, "ledger" | "onProgress" | "verbose">;
}

/** How often the tokens of a battle are told. */
const TELL_EVERY_MS = 1000;
/** The share of passed battles from which a lone participant wins, unless the campaign has a `passThreshold`. */
const PASS_SHARE = 0.5;

/**
 * The built-in evaluator as an agent: a message is an assessment in AgentBeats' form, of which it runs the battles as a campaign of its own, so that they are judged by their
 * tokens and tried again by class. Status updates are its log; the artifact `result` is `{ winner, score?, pass?, detail }`. Any number of assessments at a time. A message that
 * is no assessment is REJECTED; an assessment in which nothing could be judged FAILS.
 */
export function createGreenAgent(options: GreenAgentOptions): Engine {
  return {
    async *run(turn, { signal }) {
      let campaign: Campaign;
      try {
        campaign = campaignOf(readAssessment(turn.input), options.campaign);
      } catch (error) {
        yield { kind: "end", outcome: "rejected", message: [{ text: IasError.from(error).message }] };
        return;
      }
      await using ledger = options.createLedger();
      const log = createLog();
      const running = options
        .runCampaign(campaign, { ...options.parts, ledger, verbose: false, onProgress: log.note }, signal)
        .then(
          () => undefined,
          (error: unknown) => IasError.from(error),
        )
        .finally(log.end);
      yield say(`Starting assessment: ${counted(campaign.items.length, "item")}, ${campaign.subjects.map(({ id }) => id).join(", ")}.`);
      yield* log.events();
      const failure = await running;
      if (failure !== undefined) throw failure;
      if (signal.aborted) throw new IasError("aborted", "The assessment was stopped.");
      const battles = await lastAttempts(ledger);
      if (!battles.some(isJudged)) throw nothingJudged(battles);
      const result = resultOf(campaign, battles);
      yield { kind: "artifact", artifact: { artifactId: "result", name: "Result", parts: [{ text: summaryOf(result) }, { data: result }] } };
    },
  };
}

/** A line of the log. */
function say(text: string): AgentEvent {
  return { kind: "status", message: [{ text }] };
}

/**
 * Progress as lines for people, in order; of tokens the newest count of each battle, at most one a second. For readers of our extension an attempt is a tool call of the
 * evaluator's, so that its silence is a tool's and not that of a model.
 */
function createLog() {
  const waiting: AgentEvent[] = [];
  const told = new Map<string, number>();
  let wake = Promise.withResolvers<void>();
  let isOver = false;

  function add(...events: readonly AgentEvent[]): void {
    waiting.push(...events);
    wake.resolve();
  }

  return {
    note(progress: Progress): void {
      if (progress.kind === "tokens") {
        const now = performance.now();
        if (now - (told.get(progress.battle) ?? Number.NEGATIVE_INFINITY) < TELL_EVERY_MS) return;
        told.set(progress.battle, now);
      }
      const line = lineOf(progress);
      if (line === undefined) return;
      if (progress.kind === "attempt-started") add(say(line), callOf(progress.attempt));
      else if (progress.kind === "attempt-ended") add(resultOfCall(progress.attempt), say(line));
      else add(say(line));
    },
    end(): void {
      isOver = true;
      wake.resolve();
    },
    async *events(): AsyncGenerator<AgentEvent, void, undefined> {
      for (;;) {
        const event = waiting.shift();
        if (event !== undefined) yield event;
        else if (isOver) return;
        else {
          wake = Promise.withResolvers<void>();
          await wake.promise;
        }
      }
    },
  };
}

/** A battle can be fought again after a crash: nothing of it is kept outside of the assessment. */
function callOf({ battle, attempt, subject, item }: Attempt): AgentEvent {
  return { kind: "tool-call", call: `${battle}/${attempt}`, name: "battle", arguments: JSON.stringify({ participant: subject, item }), idempotent: true };
}

function resultOfCall(attempt: Attempt): AgentEvent {
  return { kind: "tool-result", call: `${attempt.battle}/${attempt.attempt}`, name: "battle", output: endOf(attempt), failed: !isJudged(attempt) };
}

/** What is told of a progress; undefined for what only views need. */
function lineOf(progress: Progress): string | undefined {
  switch (progress.kind) {
    case "attempt-started":
      return `${nameOf(progress.attempt)} started.`;
    case "phase":
      return progress.phase === "slow" || progress.phase === "stalled" ? `${plain(progress.battle)} is ${progress.phase}.` : undefined;
    case "tokens":
      return `${plain(progress.battle)}: ${counted(progress.tokens, "token")}.`;
    case "attempt-ended":
      return `${nameOf(progress.attempt)} ${endOf(progress.attempt)}`;
    case "retry":
      return `${plain(progress.battle)} is tried again in ${duration(progress.inMs)}: ${progress.why}`;
    case "warning":
      return progress.message;
    case "liveness":
      return `${progress.subject} is judged by ${judgedBy(progress.mode)}: ${progress.why}.`;
    case "started":
    case "requeued":
    case "concurrency":
    case "ended":
      return undefined;
  }
}

function nameOf({ battle, attempt }: Attempt): string {
  return `${plain(battle)}${attempt > 1 ? `, attempt ${attempt},` : ""}`;
}

/** `subject/item/repeat` as people read it. */
function plain(battle: string): string {
  return splitKey(battle).join("/");
}

function endOf({ outcome, measured }: Attempt): string {
  const numbers = `(${counted(measured.tokens, "token")}, ${(measured.durationMs / 1000).toFixed(1)} s)`;
  switch (outcome?.kind) {
    case "judged":
      return `${outcome.verdict.pass ? "passed" : "did not pass"}, score ${outcome.verdict.score} ${numbers}.`;
    case "failed":
      return `failed: ${outcome.failure.message}`;
    case "unknown":
      return `is unknown: ${outcome.why}`;
    case "canceled":
    case undefined:
      return "was canceled.";
  }
}

/** The last attempt of each battle, in the order of the ledger. */
async function lastAttempts(ledger: Ledger): Promise<readonly Attempt[]> {
  const last = new Map<string, Attempt>();
  for await (const attempt of ledger.attempts()) {
    const before = last.get(attempt.battle);
    if (before === undefined || before.attempt < attempt.attempt) last.set(attempt.battle, attempt);
  }
  return [...last.values()];
}

function isJudged({ outcome }: Attempt): boolean {
  return outcome?.kind === "judged";
}

function nothingJudged(battles: readonly Attempt[]): IasError {
  const failures = battles.flatMap(({ outcome }) => (outcome?.kind === "failed" ? [outcome.failure] : []));
  const why = [...new Set(failures.map(({ message }) => message))].slice(0, 3).join(" ");
  return new IasError("engine-failed", `Nothing could be judged. ${why}`.trim(), {
    reason: "NOTHING_JUDGED",
    retryable: failures.some((failure) => failure.class !== "deterministic"),
  });
}

/** The artifact's data, AgentBeats' `EvalResult` and more. */
type Result = {
  readonly winner: string;
  readonly pass?: boolean;
  readonly score?: number;
  readonly detail: { readonly participants: Readonly<Record<string, Omit<Standing, "role">>>; readonly battles: readonly JsonObject[] };
};

type Standing = {
  readonly role: string;
  readonly battles: number;
  readonly judged: number;
  readonly passed: number;
  /** Given up by the participant's fault: not passed, with score 0. */
  readonly faults: number;
  /** Mean of the judged battles and of `faults`. */
  readonly score: number;
};

/** `winner` is the role with the highest mean score, "draw" for several; of a lone participant its role when it passed, else "none". */
function resultOf(campaign: Campaign, battles: readonly Attempt[]): Result {
  const standings = campaign.subjects.map(({ id }): Standing => {
    const own = battles.filter(({ subject }) => subject === id);
    const verdicts = own.flatMap(({ outcome }) => (outcome?.kind === "judged" ? [outcome.verdict] : []));
    const faults = own.filter(({ outcome }) => isSubjectsFault(outcome)).length;
    const sum = verdicts.reduce((total, { score }) => total + score, 0);
    return {
      role: id,
      battles: own.length,
      judged: verdicts.length,
      passed: verdicts.filter(({ pass }) => pass).length,
      faults,
      score: verdicts.length === 0 ? 0 : sum / (verdicts.length + faults),
    };
  });
  const best = Math.max(...standings.map(({ score }) => score));
  const leaders = standings.filter(({ score, judged }) => judged > 0 && score === best);
  const [lone] = standings;
  const detail = {
    participants: Object.fromEntries(standings.map(({ role, ...counts }) => [role, counts])),
    battles: battles.map(toBattle),
  };
  if (lone === undefined || standings.length > 1) {
    return { winner: leaders.length === 1 ? (leaders[0]?.role ?? "") : "draw", detail };
  }
  const pass = lone.passed / (lone.judged + lone.faults) >= (campaign.passThreshold ?? PASS_SHARE);
  return { winner: pass ? lone.role : "none", pass, score: lone.score, detail };
}

function toBattle({ subject, item, repeat, attempt, outcome, measured }: Attempt): JsonObject {
  const numbers: JsonObject = { role: subject, item, repeat, attempts: attempt, tokens: measured.tokens, durationMs: measured.durationMs };
  if (outcome?.kind !== "judged") return { ...numbers, failed: outcome?.kind === "failed" ? outcome.failure.class : (outcome?.kind ?? "unknown") };
  const { pass, score, reason } = outcome.verdict;
  return { ...numbers, pass, score, ...(reason !== undefined && { reason }) };
}

function summaryOf({ winner, detail }: Result): string {
  const lines = Object.entries(detail.participants).map(
    ([role, one]) => `${role}: ${one.passed} of ${one.judged + one.faults} passed, mean score ${one.score.toFixed(3)}`,
  );
  return `${lines.join("; ")}. Winner: ${winner}.`;
}
