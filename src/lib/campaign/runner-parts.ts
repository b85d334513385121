import type { A2AClient } from "../client/client.ts";
import type { GuardedFetch } from "../net/guarded-fetch.ts";
import type { Clock } from "../stream/clock.ts";
import type { Campaign, Scorer } from "./campaign.ts";
import type { Ledger } from "./ledger.ts";
import type { Progress, Summary } from "./progress.ts";

/** What a runner is made of. */
export interface RunnerParts {
  readonly ledger: Ledger;
  /** A client of a subject or a green agent; the runner disposes of it. */
  readonly connect: (url: string, headers: Readonly<Record<string, string>>) => Promise<A2AClient>;
  /** For metrics and judges. */
  readonly fetch: GuardedFetch;
  /** `now` of `systemClock`; liveness is judged by `monotonic`. */
  readonly clock: Clock;
  /** ms, never going back. */
  readonly monotonic: () => number;
  /** In [0, 1). */
  readonly random: () => number;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Loads the scorer of a `function` green. */
  readonly loadScorer: (module: string, name: string) => Promise<Scorer>;
  /** Must not throw. */
  readonly onProgress: (progress: Progress) => void;
  /** Tokens' text goes to `onProgress` too. */
  readonly verbose: boolean;
}

/**
 * Runs a campaign to its end, from wherever the ledger stands. Aborting stops it in order: battles that run are left to the next run (their tasks go on),
 * and it resolves with state `running`. Throws `configuration`, `conflict`, and `unavailable` when no subject can be reached at all.
 */
export type RunCampaign = (campaign: Campaign, parts: RunnerParts, signal: AbortSignal) => Promise<Summary>;
