import type { Attempt, Episode, Outcome } from "../../src/lib/campaign/attempt.ts";
import type { Campaign } from "../../src/lib/campaign/campaign.ts";
import type { LedgerEvent } from "../../src/lib/campaign/ledger.ts";
import type { ReportSource } from "../../src/lib/campaign/report/source.ts";
import { summarize } from "../../src/lib/campaign/report/summarize.ts";
import { joinKey } from "../../src/lib/model/key.ts";
import { campaignOf } from "./campaigns.ts";

/** A report's source of attempts that a test made up; `events` are made when they are read. */
export async function sourceOf(
  attempts: readonly Attempt[],
  change: { readonly campaign?: Partial<Campaign>; readonly seed?: number } = {},
): Promise<ReportSource> {
  const subjects = [...new Set(attempts.map(({ subject }) => subject))].map((id) => ({ id, url: "http://127.0.0.1:9/", concurrency: 4, headersFromEnv: {} }));
  const items = [...new Set(attempts.map(({ item }) => item))].map((id) => ({ id, prompt: `Say ${id}.` }));
  const repeat = Math.max(1, ...attempts.map((one) => one.repeat));
  const campaign = campaignOf({ name: "sample", repeat, ...(subjects.length > 0 && { subjects, items }), ...change.campaign });
  const ledger: ReportSource["ledger"] = {
    async *attempts() {
      yield* attempts;
    },
    attemptsOf: async (battle) => attempts.filter((one) => one.battle === battle),
    async *events(battle, number) {
      const attempt = attempts.find((one) => one.battle === battle && one.attempt === number);
      if (attempt !== undefined) yield* eventsOf(attempt);
    },
  };
  const hash = `${change.seed ?? 7}`.repeat(64).slice(0, 64);
  const known = { campaign, hash, createdAt: 1_767_225_600_000 };
  return { ...known, summary: await summarize(known, ledger, "exhausted"), ledger };
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
