import type { Attempt, Episode, Outcome } from "../../src/lib/campaign/attempt.ts";
import type { Campaign } from "../../src/lib/campaign/campaign.ts";
import type { LedgerEvent } from "../../src/lib/campaign/ledger.ts";
import type { Summary } from "../../src/lib/campaign/progress.ts";
import { readBattles, type ReportSource } from "../../src/lib/campaign/report/source.ts";
import { joinKey } from "../../src/lib/model/key.ts";
import { campaignOf } from "./campaigns.ts";

/** A report's source of attempts that a test made up; `events` are made when they are read. */
export async function sourceOf(
  attempts: readonly Attempt[],
  change: { readonly campaign?: Partial<Campaign>; readonly seed?: number } = {},
): Promise<ReportSource> {
  const subjects = [...new Set(attempts.map(({ subject }) => subject))].map((id) => ({ id, url: "http://127.0.0.1:9/", concurrency: 4, headersFromEnv: {} }));
  const items = [...new Set(attempts.map(({ item }) => item))].map((id) => ({ id, prompt: `Say ${id}.` }));
  const campaign = campaignOf({ name: "sample", ...(subjects.length > 0 && { subjects, items }), ...change.campaign });
  const ledger: ReportSource["ledger"] = {
    async *attempts() {
      yield* attempts;
    },
    async *events(battle, number) {
      const attempt = attempts.find((one) => one.battle === battle && one.attempt === number);
      if (attempt !== undefined) yield* eventsOf(attempt);
    },
  };
  const hash = `${change.seed ?? 7}`.repeat(64).slice(0, 64);
  return { campaign, hash, createdAt: 1_767_225_600_000, summary: await summaryOf(campaign, hash, ledger), ledger };
}

/** What a runner would say of it. */
async function summaryOf(campaign: Campaign, hash: string, ledger: ReportSource["ledger"]): Promise<Summary> {
  const subjects: Record<string, { judged: number; passed: number; failed: number; attempts: number; meanScore: number | undefined }> = {};
  const [failed, retries, stalls]: Record<string, number>[] = [{}, {}, {}];
  const add = (counts: Record<string, number> | undefined, what: string) => counts !== undefined && (counts[what] = (counts[what] ?? 0) + 1);
  const ttft: number[] = [];
  const gaps: number[] = [];
  let [target, tokens, scores] = [0, 0, 0];
  for await (const { subject, result, attempts } of readBattles(ledger.attempts())) {
    target += 1;
    const one = (subjects[subject] ??= { judged: 0, passed: 0, failed: 0, attempts: 0, meanScore: undefined });
    one.attempts += attempts.length;
    for (const attempt of attempts) {
      tokens += attempt.measured.tokens;
      if (attempt.measured.ttftMs !== undefined) ttft.push(attempt.measured.ttftMs);
      if (attempt.measured.gapP95Ms !== undefined) gaps.push(attempt.measured.gapP95Ms);
      if (attempt !== result && attempt.outcome?.kind === "failed") add(retries, attempt.outcome.failure.class);
      for (const { kind, activity } of attempt.episodes) if (kind === "stalled") add(stalls, activity);
    }
    if (result.outcome?.kind === "judged") {
      one.judged += 1;
      scores += result.outcome.verdict.score;
      one.meanScore = ((one.meanScore ?? 0) * (one.judged - 1) + result.outcome.verdict.score) / one.judged;
      if (result.outcome.verdict.pass) one.passed += 1;
    } else if (result.outcome?.kind === "failed") {
      one.failed += 1;
      add(failed, result.outcome.failure.class);
    }
  }
  const all = Object.values(subjects);
  const judged = all.reduce((sum, one) => sum + one.judged, 0);
  const quantiles = (values: number[]) => {
    values.sort((a, b) => a - b);
    const at = (q: number) => values[Math.max(0, Math.ceil(values.length * q) - 1)] ?? 0;
    return values.length === 0 ? undefined : { p50: at(0.5), p95: at(0.95), max: at(1) };
  };
  return {
    campaign: campaign.name,
    hash,
    state: judged === target ? "done" : "exhausted",
    target,
    judged,
    passed: all.reduce((sum, one) => sum + one.passed, 0),
    meanScore: judged === 0 ? undefined : scores / judged,
    failed: failed ?? {},
    attempts: all.reduce((sum, one) => sum + one.attempts, 0),
    retries: retries ?? {},
    stalls: stalls ?? {},
    tokens,
    ttftMs: quantiles(ttft),
    gapMs: quantiles(gaps),
    startedAt: 1_767_225_600_000,
    subjects,
  };
}

/** A stream of about a token an event at the attempt's rate, silent in its stalls. */
function* eventsOf({ startedAt, measured, episodes }: Attempt): Generator<LedgerEvent, void, undefined> {
  const ttft = measured.ttftMs ?? 0;
  const step = (measured.durationMs - ttft) / Math.max(1, measured.tokens);
  const isSilent = (at: number) => episodes.some(({ fromMs, untilMs }) => at >= fromMs && at <= (untilMs ?? measured.durationMs));
  for (let index = 0; index < measured.tokens; index += 1) {
    const at = ttft + step * (index + 0.4 * Math.sin(index * 1.7));
    if (isSilent(at)) continue;
    const artifact = { artifactId: "answer", parts: [{ text: "word" }] };
    yield { seq: index + 1, at: startedAt + at, event: { artifactUpdate: { taskId: "t", contextId: "c", artifact, append: index > 0 } } };
  }
}

/** Attempts of a campaign with everything in it: passes, failures, stalls with evidence, retries, a lost runner; the same for the same `seed`. */
export function sampleAttempts(battles: number, { seed = 1, passRate = 0.7 } = {}): readonly Attempt[] {
  let state = seed * 2_654_435_761;
  const random = (): number => {
    state = (Math.imul(state ^ (state >>> 15), 2_246_822_507) + 0x9e37_79b9) >>> 0;
    return state / 2 ** 32;
  };
  const attempts: Attempt[] = [];
  for (let index = 0; index < battles; index += 1) {
    const [subject, item] = [index % 2 === 0 ? "llama" : "qwen", `question-${String(Math.floor(index / 2) + 1).padStart(4, "0")}`];
    let startedAt = 1_767_225_600_000 + Math.floor(index / 4) * 9000;
    const tries = random() < 0.12 ? 2 : random() < 0.02 ? 3 : 1;
    for (let attempt = 1; attempt <= tries; attempt += 1) {
      const isLast = attempt === tries;
      const tokensPerSecond = 12 + random() * 50;
      const ttftMs = 150 + random() ** 3 * 2500;
      const tokens = Math.floor(40 + random() * 260);
      const stalls = !isLast && random() < 0.7;
      const durationMs = ttftMs + (tokens / tokensPerSecond) * 1000 + (stalls ? 30_000 : 0);
      const fromMs = durationMs - 30_000;
      const evidence = {
        kind: "engine-moves",
        text: "The engine made 412 tokens while this stream was silent: a parser holds them back, or the socket is dead.",
        generated: 412,
      } as const;
      const episodes: Episode[] = stalls
        ? [
            { kind: "slow", fromMs: fromMs - 800, untilMs: fromMs, activity: "generating" },
            { kind: "stalled", fromMs, activity: "generating", evidence },
          ]
        : random() < 0.05
          ? [{ kind: "slow", fromMs: durationMs / 3, untilMs: durationMs / 2, activity: "generating" }]
          : [];
      const failure = stalls
        ? {
            class: "stall" as const,
            code: "INFERENCE_STALLED",
            message: "InferenceStalled: nothing for 30.0 s while generating (gapMs allows 30 s), after 37 tokens.",
          }
        : { class: "transport" as const, code: "unavailable", message: "The connection was reset." };
      const pass = random() < passRate;
      const isLost = isLast && random() < 0.02;
      const outcome: Outcome =
        !isLast || isLost
          ? { kind: "failed", failure }
          : {
              kind: "judged",
              answer: "Paris is the capital of France.",
              verdict: { pass, score: pass ? 1 : 0.2, ...(!pass && { reason: "The answer does not contain “Lyon”." }) },
            };
      attempts.push({
        battle: joinKey(subject, item, "1"),
        subject,
        item,
        repeat: 1,
        attempt,
        messageId: `m-${index}-${attempt}`,
        contextId: `c-${index}-${attempt}`,
        startedAt,
        endedAt: startedAt + durationMs,
        outcome,
        measured: {
          events: tokens + 3,
          contents: tokens,
          tokens,
          ttftMs,
          gapP50Ms: 1000 / tokensPerSecond,
          gapP95Ms: 2100 / tokensPerSecond,
          gapMaxMs: 9000 / tokensPerSecond,
          tokensPerSecond,
          workedMs: durationMs,
          durationMs,
        },
        episodes,
      });
      startedAt += durationMs + 2000;
    }
  }
  return attempts.sort((a, b) => (a.battle < b.battle ? -1 : a.battle > b.battle ? 1 : a.attempt - b.attempt));
}
