import type { Attempt } from "../../src/lib/campaign/attempt.ts";
import type { Campaign, Scorer } from "../../src/lib/campaign/campaign.ts";
import type { Ledger } from "../../src/lib/campaign/ledger.ts";
import type { Progress, Summary } from "../../src/lib/campaign/progress.ts";
import { runCampaign } from "../../src/lib/campaign/run-campaign.ts";
import type { RunnerParts } from "../../src/lib/campaign/runner-parts.ts";
import { connectSubject } from "../../src/lib/main/connect-subject.ts";
import { createMemoryLedger } from "../../src/lib/main/open-ledger.ts";
import { createGuardedFetch } from "../../src/lib/net/guarded-fetch.ts";
import { systemClock } from "../../src/lib/stream/clock.ts";

/** What a test's run gave. */
export interface Ran {
  readonly summary: Summary;
  readonly attempts: readonly Attempt[];
  readonly progress: readonly Progress[];
}

/** Runs a campaign with everything real; the ledger is one in memory unless given, and then stays open. */
export async function run(
  campaign: Campaign,
  options: {
    readonly ledger?: Ledger;
    readonly signal?: AbortSignal;
    readonly score?: Scorer;
    readonly onProgress?: (progress: Progress) => void;
    readonly parts?: Partial<RunnerParts>;
  } = {},
): Promise<Ran> {
  const ledger = options.ledger ?? createMemoryLedger();
  await using fetch = createGuardedFetch({ allowLocal: true });
  const progress: Progress[] = [];
  const parts: RunnerParts = {
    ledger,
    connect: (url, headers) => connectSubject(url, { headers, fetch }),
    fetch,
    clock: systemClock,
    monotonic: () => performance.now(),
    random: Math.random,
    env: {},
    loadScorer: async () => options.score ?? (() => ({ pass: true, score: 1 })),
    verbose: true,
    onProgress(one) {
      progress.push(one);
      options.onProgress?.(one);
    },
    ...options.parts,
  };
  const summary = await runCampaign(campaign, parts, options.signal ?? new AbortController().signal);
  const attempts: Attempt[] = [];
  for await (const attempt of ledger.attempts()) attempts.push(attempt);
  if (options.ledger === undefined) await ledger[Symbol.asyncDispose]();
  return { summary, attempts, progress };
}
