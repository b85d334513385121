import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Attempt } from "../campaign/attempt.ts";
import { agentBeatsResults, type LoadedCampaign, type StartAgentsOptions } from "../campaign/load-campaign.ts";
import type { Ledger } from "../campaign/ledger.ts";
import { checkNeeds } from "../campaign/preflight.ts";
import type { Summary } from "../campaign/progress.ts";
import { openResultsFile, type ResultsFile, writeSummary } from "../campaign/results-file.ts";
import { summarize } from "../campaign/report/summarize.ts";
import type { RunCampaign } from "../campaign/runner-parts.ts";
import type { RunOptions } from "../cli/campaign/parts.ts";

import { IasError } from "../model/errors.ts";
import { createGuardedFetch } from "../net/guarded-fetch.ts";
import { MAX_TIMER_MS, systemClock } from "../stream/clock.ts";
import { connectSubject } from "./connect-subject.ts";
import { createScorerLoader } from "./load-scorer.ts";
import { startAgents } from "./start-agents.ts";

/** What a campaign in a results folder is run with. */
export interface FolderRun {
  readonly runCampaign: RunCampaign;
  readonly loaded: LoadedCampaign;
  /** Of the folder; the campaign is in it. */
  readonly ledger: Ledger;
  readonly options: RunOptions;
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** Runs a campaign with everything around it: its agents are started and stopped, and the folder's files follow the ledger. */
export async function runInFolder({ runCampaign, loaded, ledger, options, env }: FolderRun): Promise<Summary> {
  const { folder, signal, verbose, say } = options;
  // Waits for a retry or for the end of a pause hold no process alive by themselves.
  using _alive = holdProcess();
  const loadScorer = createScorerLoader(options.file);
  const onAgent: StartAgentsOptions["onAgent"] = ({ role, url, log, takenOver }) =>
    say(`${role} ${takenOver ? "still runs" : "is started"} at ${url}; its output goes to ${log}`);
  // Nothing is started for a campaign that has to be put right first.
  if (loaded.commands.length > 0) await checkNeeds(loaded.campaign, { env, loadScorer });
  await using _agents = loaded.commands.length === 0 ? undefined : await startAgents(loaded.commands, { folder, signal, onAgent });
  await using results = await openResultsFile(join(folder, "results.jsonl"), ledger);
  // The operator chose every address of the campaign's file.
  await using fetch = createGuardedFetch({ allowLocal: true, allowPrivate: true });
  const files = keepFiles({ folder, loaded, ledger, results });
  await using _files = files;
  let failure: unknown;
  const summary = await runCampaign(
    loaded.campaign,
    {
      ledger,
      connect: (url, headers) => connectSubject(url, { headers, fetch }),
      fetch,
      clock: systemClock,
      monotonic: () => performance.now(),
      random: Math.random,
      env,
      loadScorer,
      verbose,
      onProgress(progress) {
        if (progress.kind === "attempt-ended") results.add(progress.attempt).catch((error: unknown) => (failure ??= error));
        if (progress.kind === "attempt-started" && progress.attempt.attempt > 1) files.onAgain(progress.attempt);
        options.onProgress(progress);
      },
    },
    signal,
  );
  if (failure !== undefined)
    throw new IasError("unavailable", `results.jsonl cannot be written; the ledger has everything. ${IasError.from(failure).message}`, { cause: failure });
  await files[Symbol.asyncDispose]();
  await writeSummary(join(folder, "summary.json"), summary);
  if (loaded.agentBeats !== undefined) await writeAgentBeats(join(folder, "agentbeats.json"), loaded.agentBeats, ledger);
  return summary;
}

function holdProcess(): Disposable {
  const timer = setInterval(() => undefined, MAX_TIMER_MS);
  return { [Symbol.dispose]: () => clearInterval(timer) };
}

/** Between two writings of `summary.json`, ms; longer where the ledger is so long that it would take more than a fiftieth of the time. */
const SUMMARY_MS = 2000;

/** Keeps `summary.json` current while the campaign runs, and the lines of attempts that stopped counting. */
function keepFiles({ folder, loaded, ledger, results }: Pick<FolderRun, "loaded" | "ledger"> & { readonly folder: string; readonly results: ResultsFile }) {
  const over = new AbortController();
  let isStale = false;
  const known = { campaign: loaded.campaign, hash: loaded.hash, createdAt: systemClock.now() };
  const keep = async (): Promise<void> => {
    const { createdAt = known.createdAt } = (await ledger.campaign()) ?? {};
    while (!over.signal.aborted) {
      const began = performance.now();
      if (isStale) await results.rewrite();
      isStale = false;
      const { paused } = await ledger.control.read();
      await writeSummary(join(folder, "summary.json"), await summarize({ ...known, createdAt }, ledger, paused ? "paused" : "running"));
      await systemClock.sleep(Math.max(SUMMARY_MS, 50 * (performance.now() - began)), over.signal);
    }
    if (isStale) await results.rewrite();
  };
  // A summary that cannot be written now is written at the end, where it is told.
  const kept = keep().catch(() => undefined);
  return {
    /** A battle is tried again: were its attempts taken out of the count? */
    onAgain({ battle, attempt }: Attempt): void {
      ledger
        .attemptsOf(battle)
        .then((attempts) => (isStale ||= attempts.some((one) => one.attempt === attempt - 1 && one.discounted === true)))
        .catch(() => undefined);
    },
    async [Symbol.asyncDispose]() {
      over.abort();
      await kept;
    },
  };
}

/** What AgentBeats' runner writes, beside our own files. A scenario is one assessment, so that its attempts are few. */
async function writeAgentBeats(path: string, participants: NonNullable<LoadedCampaign["agentBeats"]>, ledger: Ledger): Promise<void> {
  const attempts: Attempt[] = [];
  for await (const attempt of ledger.attempts()) if (attempt.discounted !== true) attempts.push(attempt);
  await writeFile(path, `${JSON.stringify(agentBeatsResults(participants, attempts), undefined, 2)}\n`);
}
