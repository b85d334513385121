import type { Attempt } from "./attempt.ts";
import type { Campaign } from "./campaign.ts";
import type { Ledger } from "./ledger.ts";
import type { Quantiles, Summary } from "./progress.ts";

type Counts = { judged: number; passed: number; failed: number; attempts: number; score: number };

/** The totals of a ledger; `isOver` says that nothing more will be tried. */
export async function summarize(
  campaign: Campaign,
  hash: string,
  ledger: Pick<Ledger, "attempts">,
  { startedAt, endedAt, isOver }: { readonly startedAt: number; readonly endedAt: number; readonly isOver: boolean },
): Promise<Summary> {
  const subjects = new Map<string, Counts>(campaign.subjects.map(({ id }) => [id, { judged: 0, passed: 0, failed: 0, attempts: 0, score: 0 }]));
  const [retries, stalls, failed] = [new Map<string, number>(), new Map<string, number>(), new Map<string, number>()];
  const [ttft, gaps]: [number[], number[]] = [[], []];
  const open = new Map<string, Attempt>();
  let tokens = 0;
  for await (const attempt of ledger.attempts()) {
    const counts = subjects.get(attempt.subject);
    if (counts !== undefined) counts.attempts += 1;
    tokens += attempt.measured.tokens;
    if (attempt.measured.ttftMs !== undefined) ttft.push(attempt.measured.ttftMs);
    if (attempt.measured.gapP95Ms !== undefined) gaps.push(attempt.measured.gapP95Ms);
    for (const episode of attempt.episodes) if (episode.kind === "stalled") add(stalls, episode.evidence?.kind ?? "unknown");
    if (attempt.discounted === true) continue;
    const before = open.get(attempt.battle);
    if (before?.outcome?.kind === "failed" && before.attempt < attempt.attempt) add(retries, before.outcome.failure.class);
    if (before === undefined || before.attempt < attempt.attempt) open.set(attempt.battle, attempt);
  }
  for (const { subject, outcome } of open.values()) {
    const counts = subjects.get(subject);
    if (counts === undefined || outcome === undefined) continue;
    if (outcome.kind === "judged") {
      counts.judged += 1;
      counts.passed += outcome.verdict.pass ? 1 : 0;
      counts.score += outcome.verdict.score;
    } else if (outcome.kind === "failed") {
      counts.failed += 1;
      add(failed, outcome.failure.class);
    }
  }
  const all = [...subjects.values()];
  const sum = (member: keyof Counts): number => all.reduce((total, counts) => total + counts[member], 0);
  const target = campaign.target ?? campaign.subjects.length * campaign.items.length * campaign.repeat;
  const judged = sum("judged");
  const mean = (score: number, count: number): number | undefined => (count === 0 ? undefined : score / count);
  return {
    campaign: campaign.name,
    hash,
    state: judged >= target ? "done" : isOver ? "exhausted" : "running",
    target,
    judged,
    passed: sum("passed"),
    meanScore: mean(sum("score"), judged),
    failed: Object.fromEntries(failed),
    attempts: sum("attempts"),
    retries: Object.fromEntries(retries),
    stalls: Object.fromEntries(stalls),
    tokens,
    ttftMs: quantiles(ttft),
    gapMs: quantiles(gaps),
    startedAt,
    endedAt,
    subjects: Object.fromEntries([...subjects].map(([id, { score, ...counts }]) => [id, { ...counts, meanScore: mean(score, counts.judged) }])),
  };
}

function add(counts: Map<string, number>, name: string): void {
  counts.set(name, (counts.get(name) ?? 0) + 1);
}

function quantiles(values: readonly number[]): Quantiles | undefined {
  if (values.length === 0) return undefined;
  const sorted = values.toSorted((a, b) => a - b);
  const at = (q: number): number => sorted[Math.min(sorted.length - 1, Math.ceil(sorted.length * q) - 1)] ?? 0;
  return { p50: at(0.5), p95: at(0.95), max: at(1) };
}
