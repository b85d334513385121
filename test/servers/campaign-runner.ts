import { runCampaign } from "../../src/lib/campaign/run-campaign.ts";
import type { Campaign } from "../../src/lib/campaign/campaign.ts";
import { connectA2A } from "../../src/lib/client/connect.ts";
import { connectSubject } from "../../src/lib/main/connect-subject.ts";
import { openLedger } from "../../src/lib/main/open-ledger.ts";
import { DEFAULT_THRESHOLDS } from "../../src/lib/liveness/thresholds.ts";
import { createGuardedFetch } from "../../src/lib/net/guarded-fetch.ts";
import { systemClock } from "../../src/lib/stream/clock.ts";

/** A runner in a process of its own, to be killed: `node campaign-runner.ts <folder> <options as JSON>`. One line of JSON for each progress. */
export interface CampaignRunnerOptions {
  /** Without infinite thresholds, which JSON does not have: the defaults stand for them. */
  readonly campaign: Omit<Campaign, "thresholds">;
  /** The subject is met as one that does not speak our extension. */
  readonly plain: boolean;
}

const [folder = "", json = "{}"] = process.argv.slice(2);
const { campaign, plain } = JSON.parse(json) as CampaignRunnerOptions;
await using ledger = openLedger(folder);
await using fetch = createGuardedFetch({ allowLocal: true });

/** The subject by its card without our extension. */
async function connectPlain(url: string) {
  const card = (await (await fetch(`${url}/.well-known/agent-card.json`, { headers: { "a2a-version": "1.0" } })).json()) as { capabilities: object };
  return connectA2A({ ...card, capabilities: { ...card.capabilities, extensions: [] } }, { fetch });
}

await runCampaign(
  { ...campaign, thresholds: DEFAULT_THRESHOLDS },
  {
    ledger,
    connect: (url, headers) => (plain ? connectPlain(url) : connectSubject(url, { headers, fetch })),
    fetch,
    clock: systemClock,
    monotonic: () => performance.now(),
    random: Math.random,
    env: {},
    loadScorer: async () => () => ({ pass: true, score: 1 }),
    verbose: true,
    onProgress: (progress) => process.stdout.write(`${JSON.stringify(progress)}\n`),
  },
  new AbortController().signal,
);
