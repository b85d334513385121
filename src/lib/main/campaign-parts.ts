import { readdirSync, readFileSync, statSync } from "node:fs";
import { mkdir, open, rename } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { Attempt } from "../campaign/attempt.ts";
import type { Campaign } from "../campaign/campaign.ts";
import { claim } from "../campaign/claim.ts";
import { campaignHash } from "../campaign/hash.ts";
import type { LoadedCampaign } from "../campaign/load-campaign.ts";
import type { Ledger } from "../campaign/ledger.ts";
import type { Summary } from "../campaign/progress.ts";
import { summarize } from "../campaign/report/summarize.ts";
import { usageError } from "../cli/command.ts";
import type { CampaignParts } from "../cli/campaign/parts.ts";
import { folderName } from "../cli/campaign/run.ts";
import { IasError } from "../model/errors.ts";
import { isHeld } from "../log/sqlite/lock.ts";
import { openLedger } from "./open-ledger.ts";

const RESULTS = "results";
const CAMPAIGN_FILE = /\.(?:ya?ml|json|toml)$/i;

/** What the commands take of their process. */
export interface CampaignWorld {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly exit: (code: number) => void;
}

/**
 * The campaign commands on this machine: files, the SQLite ledger, the network, this process's environment. What reads files and what runs is loaded when it is
 * needed, so that `status` starts at once.
 */
export function createCampaignParts({ env, exit }: CampaignWorld): CampaignParts {
  return {
    now: Date.now,
    exit,
    async load(path, { liveness }) {
      const loaded = await loadFile(path);
      if (liveness === undefined) return loaded;
      const subjects = loaded.campaign.subjects.map(({ liveness: _own, ...subject }) => subject);
      const campaign: Campaign = { ...loaded.campaign, subjects, liveness };
      return { ...loaded, campaign, hash: campaignHash(campaign) };
    },
    async run(loaded, options) {
      await using ledger = openLedger(options.folder);
      // Another configuration is refused by name before anything is written or started.
      claim((await ledger.campaign())?.campaign, loaded.campaign, options.folder);
      const [{ runCampaign }, { runInFolder }] = await Promise.all([import("../campaign/run-campaign.ts"), import("./run-in-folder.ts")]);
      return await runInFolder({ runCampaign, loaded, ledger, options, env });
    },
    async find(given) {
      if (given === undefined) return onlyFolder();
      if (isFolder(given)) return given;
      const named = join(RESULTS, given);
      if (isFolder(named)) return named;
      if (!CAMPAIGN_FILE.test(given)) throw usageError(`there is no results folder ${given}; ${tellFolders()}.`);
      const { campaign } = await loadFile(given);
      return join(RESULTS, folderName(campaign.name));
    },
    async open(folder, onAttempt = () => undefined) {
      const ledger = openLedger(folder, { readOnly: true });
      const known = await ledger.campaign();
      if (known === undefined) {
        await ledger[Symbol.asyncDispose]();
        throw new IasError("not-found", `${folder} has no campaign yet; right is a folder in which \`ias campaign run\` has begun.`);
      }
      const summary = await summarize(known, { attempts: () => seen(ledger.attempts(), onAttempt) }, await stateOf(folder, ledger));
      return {
        folder,
        hasRunner: isHeld(join(folder, "ledger")),
        control: ledger.control,
        source: { ...known, summary, ledger },
        [Symbol.asyncDispose]: () => ledger[Symbol.asyncDispose](),
      };
    },
    async write(path, pieces) {
      await mkdir(dirname(path), { recursive: true });
      const draft = `${path}.new`;
      const file = await open(draft, "w");
      try {
        for await (const piece of pieces) await file.write(piece);
      } finally {
        await file.close();
      }
      await rename(draft, path);
    },
  };
}

async function loadFile(path: string): Promise<LoadedCampaign> {
  const { loadCampaign } = await import("../campaign/load-campaign.ts");
  return loadCampaign(path, (file) => readFileSync(file, "utf8"));
}

async function* seen(attempts: AsyncIterable<Attempt>, onAttempt: (attempt: Attempt) => void): AsyncGenerator<Attempt, void, undefined> {
  for await (const attempt of attempts) {
    onAttempt(attempt);
    yield attempt;
  }
}

/** What the last runner left, unless people wish something since: the numbers are the ledger's own. */
async function stateOf(folder: string, ledger: Ledger): Promise<Exclude<Summary["state"], "done">> {
  const { paused, canceled } = await ledger.control.read();
  if (canceled) return "canceled";
  if (paused) return "paused";
  const path = join(folder, "summary.json");
  if (statSync(path, { throwIfNoEntry: false }) === undefined) return "running";
  const { state } = JSON.parse(readFileSync(path, "utf8")) as Partial<Summary>;
  return state === "exhausted" ? state : "running";
}

function isFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
}

function folders(): readonly string[] {
  if (!isFolder(RESULTS)) return [];
  return readdirSync(RESULTS)
    .map((name) => join(RESULTS, name))
    .filter((path) => isFolder(join(path, "ledger")));
}

function onlyFolder(): string {
  const all = folders();
  const [only] = all;
  if (only !== undefined && all.length === 1) return only;
  throw usageError(`say which results folder; ${tellFolders()}.`);
}

function tellFolders(): string {
  const all = folders();
  return all.length === 0 ? "there is none in results/ yet" : `there are ${all.slice(0, 10).join(", ")}${all.length > 10 ? " and more" : ""}`;
}
