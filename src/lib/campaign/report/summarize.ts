import type { Attempt } from "../attempt.ts";
import type { Campaign } from "../campaign.ts";
import type { Ledger } from "../ledger.ts";
import type { LivenessCount, Quantiles, Summary } from "../progress.ts";
import { isSubjectsFault } from "./rated.ts";
import { readBattles } from "./source.ts";
import { quantile } from "./statistics.ts";

/** What a ledger amounts to, read once; memory grows by three numbers an attempt. `state` is `done` where the target is reached, else as given. */
export async function summarize(
  { campaign, hash, createdAt }: { readonly campaign: Campaign; readonly hash: string; readonly createdAt: number },
  ledger: Pick<Ledger, "attempts">,
  state: Exclude<Summary["state"], "done">,
): Promise<Summary> {
  const subjects = new Map(campaign.subjects.map(({ id }) => [id, newSums()]));
  const counts = {
    failed: new Map<string, number>(),
    waiting: new Map<string, number>(),
    retries: new Map<string, number>(),
    stalls: new Map<string, number>(),
  };
  const times = { ttft: [] as number[], medians: [] as number[], tails: [] as number[], longest: 0 };
  let [tokens, endedAt] = [0, 0];
  const onAttempt = ({ measured, episodes, endedAt: end }: Attempt): void => {
    tokens += measured.tokens;
    endedAt = Math.max(endedAt, end ?? 0);
    for (const { kind, activity } of episodes) if (kind === "stalled") add(counts.stalls, activity);
    if (measured.ttftMs !== undefined) times.ttft.push(measured.ttftMs);
    if (measured.gapP50Ms !== undefined) times.medians.push(measured.gapP50Ms);
    if (measured.gapP95Ms !== undefined) times.tails.push(measured.gapP95Ms);
    times.longest = Math.max(times.longest, measured.gapMaxMs ?? 0);
  };
  for await (const { subject, result, attempts, state: stands } of readBattles({ campaign, ledger, summary: { state } })) {
    const sums = subjects.get(subject) ?? newSums();
    subjects.set(subject, sums);
    for (const [index, attempt] of attempts.entries()) {
      onAttempt(attempt);
      if (attempt.liveness !== undefined) add(sums.liveness, JSON.stringify([attempt.liveness.mode, attempt.liveness.why]));
      const before = attempts[index - 1];
      if (before !== undefined && before.discounted !== true) add(counts.retries, classOf(before));
    }
    sums.attempts += attempts.length;
    const { outcome } = result;
    if (result.discounted === true || outcome === undefined) continue;
    if (outcome.kind === "judged") {
      sums.judged += 1;
      sums.passed += outcome.verdict.pass ? 1 : 0;
      sums.scores += outcome.verdict.score;
    } else if (stands === "waiting") add(counts.waiting, classOf(result));
    else {
      sums.failed += 1;
      if (isSubjectsFault(outcome)) sums.faults += 1;
      add(counts.failed, classOf(result));
    }
  }
  const all = [...subjects.values()];
  const sum = (of: (one: (typeof all)[number]) => number): number => all.reduce((total, one) => total + of(one), 0);
  const target = campaign.target ?? campaign.items.length * campaign.subjects.length * campaign.repeat;
  const judged = sum((one) => one.judged);
  return {
    campaign: campaign.name,
    hash,
    state: judged >= target ? "done" : state,
    target,
    judged,
    passed: sum((one) => one.passed),
    meanScore: judged === 0 ? undefined : sum((one) => one.scores) / judged,
    failed: Object.fromEntries(counts.failed),
    waiting: Object.fromEntries(counts.waiting),
    faults: sum((one) => one.faults),
    attempts: sum((one) => one.attempts),
    retries: Object.fromEntries(counts.retries),
    stalls: Object.fromEntries(counts.stalls),
    tokens,
    ttftMs: quantilesOf(times.ttft, times.ttft),
    gapMs: quantilesOf(times.medians, times.tails, times.longest),
    startedAt: createdAt,
    ...(judged >= target && endedAt > 0 && { endedAt }),
    subjects: Object.fromEntries(
      [...subjects].map(([id, { scores, liveness, ...one }]) => [
        id,
        { ...one, meanScore: one.judged === 0 ? undefined : scores / one.judged, liveness: livenessCounts(liveness) },
      ]),
    ),
  };
}

const newSums = () => ({ judged: 0, passed: 0, failed: 0, faults: 0, attempts: 0, scores: 0, liveness: new Map<string, number>() });

function livenessCounts(counts: ReadonlyMap<string, number>): readonly LivenessCount[] {
  const all = [...counts].sort(([, a], [, b]) => b - a);
  return all.map(([key, attempts]) => {
    const [mode, why] = JSON.parse(key) as readonly [LivenessCount["mode"], string];
    return { mode, why, attempts };
  });
}

function classOf({ outcome }: Attempt): string {
  return outcome?.kind === "failed" ? outcome.failure.class : (outcome?.kind ?? "unknown");
}

function add(counts: Map<string, number>, what: string): void {
  counts.set(what, (counts.get(what) ?? 0) + 1);
}

/** The median of `medians`, the 95th percentile of `tails`. */
function quantilesOf(medians: number[], tails: number[], longest?: number): Quantiles | undefined {
  medians.sort((a, b) => a - b);
  tails.sort((a, b) => a - b);
  const [p50, p95] = [quantile(medians, 0.5), quantile(tails, 0.95)];
  return p50 === undefined || p95 === undefined ? undefined : { p50, p95, max: longest ?? tails.at(-1) ?? p95 };
}
