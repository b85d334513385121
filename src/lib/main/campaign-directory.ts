import { type ChildProcess, spawn } from "node:child_process";
import { mkdirSync, openSync, closeSync, readdirSync, readFileSync, statSync } from "node:fs";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { createFileControl } from "../campaign/control.ts";
import type { Summary } from "../campaign/progress.ts";
import { readBattles } from "../campaign/report/source.ts";
import type { CampaignDirectory } from "../campaign/web/directory.ts";
import { folderName } from "../cli/campaign/run.ts";
import { isHeld } from "../log/sqlite/lock.ts";
import type { CampaignOverview } from "../model/api.ts";
import { IasError } from "../model/errors.ts";
import { systemClock } from "../stream/clock.ts";
import { createCampaignParts } from "./campaign-parts.ts";
import { openLedger } from "./open-ledger.ts";

/** Where campaigns stand. */
export interface CampaignDirectoryOptions {
  /** Files that may be started, by name; absent: none. */
  readonly files?: string;
  /** Results folders, one a campaign. */
  readonly results: string;
}

const CAMPAIGN_FILE = /\.(?:ya?ml|json|toml)$/i;
const IAS = fileURLToPath(new URL(import.meta.url.endsWith(".ts") ? "./ias.ts" : "./ias.js", import.meta.url));
/** How long a runner has to begin, and to end in order, ms. */
const BEGIN_MS = 15_000;
const END_MS = 10_000;
const POLL_MS = 50;
/** Aborts nothing. */
const NEVER = new AbortController().signal;

/** A campaign's file, or why it is none. */
type Listed = { readonly file: string; readonly mtimeMs: number } & (
  | { readonly name: string; readonly target: number }
  | { readonly name: string; readonly problem: string }
);

/** The campaigns of two folders of this machine. Reads files of the first anew when they change. */
export function createCampaignDirectory({ files, results }: CampaignDirectoryOptions): CampaignDirectory {
  const parts = createCampaignParts({ env: process.env, exit: () => undefined });
  const runners = new Map<string, ChildProcess>();
  let listed: readonly Listed[] = [];

  async function readFiles(): Promise<readonly Listed[]> {
    const names = files === undefined ? [] : namesIn(files).filter((name) => CAMPAIGN_FILE.test(name));
    listed = await Promise.all(names.map(async (name) => readFile(join(files ?? "", name), name)));
    return listed;
  }

  async function readFile(file: string, name: string): Promise<Listed> {
    const mtimeMs = statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? 0;
    const known = listed.find((one) => one.file === file && one.mtimeMs === mtimeMs);
    if (known !== undefined) return known;
    try {
      const { campaign } = await parts.load(file, {});
      const target = campaign.target ?? campaign.items.length * campaign.subjects.length * campaign.repeat;
      return { file, mtimeMs, name: folderName(campaign.name), target };
    } catch (error) {
      return { file, mtimeMs, name: name.replace(CAMPAIGN_FILE, ""), problem: IasError.from(error).message };
    }
  }

  function folderOf(name: string): string {
    const folder = join(results, name);
    if (name === "" || name !== folderName(name) || !isFolder(join(folder, "ledger"))) {
      throw new IasError("not-found", `There are no results of a campaign ${JSON.stringify(name.slice(0, 100))}.`);
    }
    return folder;
  }

  async function list(): Promise<readonly CampaignOverview[]> {
    const begun = namesIn(results).filter((name) => isFolder(join(results, name, "ledger")));
    const overviews = new Map<string, CampaignOverview>(begun.map((name) => [name, readOverview(name, join(results, name))]));
    for (const one of await readFiles()) {
      const before = overviews.get(one.name) ?? { ...NEW, name: one.name };
      overviews.set(one.name, "problem" in one ? { ...before, problem: one.problem } : { ...before, startable: true, target: before.target ?? one.target });
    }
    return [...overviews.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  /** Who starts a campaign wants it to go on: takes back a pause and a cancel of all of it. The battles that such a cancel ended are tried again. */
  async function takeBackStop(folder: string): Promise<void> {
    const control = createFileControl(join(folder, "control"));
    const { canceled, cancelBattles } = await control.read();
    const requeueBattles: string[] = [];
    if (canceled && isFolder(join(folder, "ledger"))) {
      await using open = await parts.open(folder);
      for await (const { battle, state } of readBattles(open.source)) if (state === "canceled" && !cancelBattles.includes(battle)) requeueBattles.push(battle);
    }
    await control.write({ paused: false, canceled: false, requeueBattles });
  }

  return {
    list,
    async overview(name) {
      const found = (await list()).find((one) => one.name === name);
      if (found === undefined) throw new IasError("not-found", `There is no campaign ${JSON.stringify(name.slice(0, 100))}; GET /api/campaigns lists them.`);
      return found;
    },
    async open(name) {
      return parts.open(folderOf(name));
    },
    async control(name) {
      const folder = folderOf(name);
      // Agents may take half a minute to start, and the ledger takes the campaign after that.
      if (isHeld(join(folder, "ledger"))) return createFileControl(join(folder, "control"));
      await using open = await parts.open(folder);
      return open.control;
    },
    async start(name) {
      const found = (await readFiles()).find((one) => one.name === name);
      if (found === undefined)
        throw new IasError("not-found", `No file of the campaigns' folder (CAMPAIGNS_DIR) is the campaign ${JSON.stringify(name.slice(0, 100))}.`);
      if ("problem" in found) throw new IasError("configuration", found.problem);
      const folder = join(results, name);
      if (isHeld(join(folder, "ledger"))) throw new IasError("conflict", `The campaign ${name} runs already.`, { reason: "CAMPAIGN_RUNS" });
      await takeBackStop(folder);
      const runner = startRunner(found.file, folder);
      runners.set(name, runner);
      runner.once("exit", () => runners.delete(name));
      await untilBegun(runner, folder);
    },
    async [Symbol.asyncDispose]() {
      await Promise.all([...runners.values()].map(endRunner));
    },
  };
}

const NEW: Omit<CampaignOverview, "name"> = {
  state: "new",
  startable: false,
  judged: 0,
  passed: 0,
  failed: 0,
  attempts: 0,
  stalls: 0,
  tokens: 0,
  runner: false,
  subjects: [],
};

/** What `summary.json` says, which its runner keeps current, and whether it has one. */
function readOverview(name: string, folder: string): CampaignOverview {
  const path = join(folder, "summary.json");
  const hasRunner = isHeld(join(folder, "ledger"));
  const fault = hasRunner ? undefined : lastFault(folder);
  const problem = fault === undefined ? {} : { problem: fault };
  if (statSync(path, { throwIfNoEntry: false }) === undefined) return { ...NEW, name, state: hasRunner ? "running" : "stopped", runner: hasRunner, ...problem };
  const { state, target, judged, passed, failed, attempts, stalls, tokens, startedAt, endedAt, subjects } = JSON.parse(readFileSync(path, "utf8")) as Summary;
  const paused = statSync(join(folder, "control", "paused"), { throwIfNoEntry: false }) !== undefined;
  const goesOn = state === "running" || state === "paused";
  return {
    name,
    state: !goesOn ? state : paused ? "paused" : hasRunner ? "running" : "stopped",
    startable: false,
    ...(goesOn && problem),
    target,
    judged,
    passed,
    failed: sum(failed),
    attempts,
    stalls: sum(stalls),
    tokens,
    startedAt,
    ...(endedAt !== undefined && { endedAt }),
    runner: hasRunner,
    subjects: Object.entries(subjects).map(([id, one]) => ({ id, judged: one.judged, passed: one.passed, failed: one.failed, attempts: one.attempts })),
  };
}

/** What a runner that was started here said last, if that was an error. */
function lastFault(folder: string): string | undefined {
  const log = join(folder, "runner.log");
  if (statSync(log, { throwIfNoEntry: false }) === undefined) return undefined;
  const line = readFileSync(log, "utf8").trim().split("\n").at(-1) ?? "";
  try {
    const { error } = JSON.parse(line) as { readonly error?: { readonly message?: string } };
    return error?.message;
  } catch {
    return undefined;
  }
}

function sum(counts: Readonly<Record<string, number>>): number {
  return Object.values(counts).reduce((total, one) => total + one, 0);
}

/** The same command as on a terminal; what it has to say goes to `runner.log` of its folder. */
function startRunner(file: string, folder: string): ChildProcess {
  mkdirSync(folder, { recursive: true });
  const log = openSync(join(folder, "runner.log"), "w");
  try {
    return spawn(process.execPath, [...process.execArgv.filter(isInherited), IAS, "campaign", "run", resolve(file), "--out", resolve(folder), "--json"], {
      stdio: ["ignore", "ignore", log],
    });
  } finally {
    closeSync(log);
  }
}

/** How modules are found is the same in both processes; the rest (inspectors, profiles, tests) belongs to this one. */
function isInherited(option: string): boolean {
  return option.startsWith("--conditions=");
}

/** Until its folder can be opened and wishes reach it. One that still starts its agents after `BEGIN_MS` runs all the same. */
async function untilBegun(runner: ChildProcess, folder: string): Promise<void> {
  for (let waited = 0; waited < BEGIN_MS; waited += POLL_MS) {
    if (isHeld(join(folder, "ledger")) && (await hasCampaign(folder))) return;
    if (runner.exitCode !== null || runner.signalCode !== null) {
      if (runner.exitCode === 0 || (await createFileControl(join(folder, "control")).read()).canceled) return;
      const said = lastFault(folder) ?? readFileSync(join(folder, "runner.log"), "utf8").trim().slice(-2000);
      throw new IasError("configuration", said === "" ? `The campaign ended at once (${runner.signalCode ?? `exit code ${runner.exitCode}`}).` : said);
    }
    await systemClock.sleep(POLL_MS, NEVER);
  }
  if (isHeld(join(folder, "ledger"))) return;
  throw new IasError("timeout", `The campaign has not begun within ${BEGIN_MS / 1000} s; ${folder} has its runner.log.`);
}

/** Whether the ledger can be read and has its campaign; one that is just being made cannot. */
async function hasCampaign(folder: string): Promise<boolean> {
  try {
    await using ledger = openLedger(folder, { readOnly: true });
    return (await ledger.campaign()) !== undefined;
  } catch {
    return false;
  }
}

async function endRunner(runner: ChildProcess): Promise<void> {
  if (runner.exitCode !== null || runner.signalCode !== null) return;
  const ended = new Promise<void>((done) => runner.once("exit", () => done()));
  const late = setTimeout(() => runner.kill("SIGKILL"), END_MS);
  runner.kill("SIGINT");
  await ended;
  clearTimeout(late);
}

function namesIn(folder: string): readonly string[] {
  return isFolder(folder) ? readdirSync(folder).sort() : [];
}

function isFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
}
