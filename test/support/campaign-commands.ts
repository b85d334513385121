import assert from "node:assert/strict";
import { campaignOf } from "./campaigns.ts";
import { runIas, type IasWorld } from "./run-ias.ts";
import { sampleAttempts, sourceOf } from "./sample-report.ts";
import type { Campaign } from "../../src/lib/campaign/campaign.ts";
import type { ControlState } from "../../src/lib/campaign/ledger.ts";
import type { Summary } from "../../src/lib/campaign/progress.ts";
import type { ReportSource } from "../../src/lib/campaign/report/source.ts";
import { IasError } from "../../src/lib/model/errors.ts";
import { usageError } from "../../src/lib/cli/command.ts";
import { campaignCommands } from "../../src/lib/cli/campaign/campaign.ts";
import type { CampaignParts, OpenedResults, RunOptions } from "../../src/lib/cli/campaign/parts.ts";

export interface World extends IasWorld {
  readonly campaign?: Partial<Campaign>;
  /** What `run` does. */
  readonly runs?: (options: RunOptions, summary: Summary) => Promise<Summary> | Summary;
  /** A process runs it; true. */
  readonly hasRunner?: boolean;
  readonly sources?: Readonly<Record<string, ReportSource>>;
}

/** The commands on results that a test made up; what is written and wished is kept. */
export async function campaign(argv: readonly string[], world: World = {}) {
  const source = await sourceOf(sampleAttempts(20), { campaign: world.campaign ?? {} });
  const sources: Readonly<Record<string, ReportSource>> = world.sources ?? { "results/sample": source };
  const files = new Map<string, string>();
  const exits: number[] = [];
  const loads: unknown[] = [];
  let wishes: ControlState = { paused: false, canceled: false, cancelBattles: [], requeueBattles: [] };
  const parts: CampaignParts = {
    async load(path, options) {
      if (path !== "nightly.yaml") throw new IasError("configuration", `The campaign ${path} cannot be read.`);
      loads.push(options);
      return { campaign: campaignOf({ name: "nightly \u001b[2J/x", ...world.campaign }), hash: "h", commands: [], agentBeats: undefined };
    },
    run: async (_loaded, options) => (world.runs ?? ((_options, summary) => summary))(options, { ...source.summary, state: "done" }),
    async find(given) {
      const folder = given ?? "results/sample";
      if (sources[folder] === undefined) throw usageError(`there is no results folder ${folder}.`);
      return folder;
    },
    async open(folder, onAttempt = () => undefined) {
      const found = sources[folder] ?? assert.fail(folder);
      for await (const attempt of found.ledger.attempts()) onAttempt(attempt);
      let isOpen = true;
      const check = () => assert.ok(isOpen, "the folder is closed already");
      const ledger: ReportSource["ledger"] = {
        async *attempts() {
          for await (const attempt of found.ledger.attempts()) {
            check();
            yield attempt;
          }
        },
        attemptsOf: found.ledger.attemptsOf,
        events: found.ledger.events,
      };
      const control: OpenedResults["control"] = {
        async read() {
          check();
          return wishes;
        },
        async write(change) {
          check();
          wishes = { ...wishes, ...change };
        },
        done: async () => undefined,
      };
      return { folder, hasRunner: world.hasRunner ?? true, source: { ...found, ledger }, control, [Symbol.asyncDispose]: async () => void (isOpen = false) };
    },
    async write(path, pieces) {
      let text = "";
      for await (const piece of pieces) text += piece;
      files.set(path, text);
    },
    exit: (code) => void exits.push(code),
    now: () => 1_767_225_600_000,
  };
  const ran = await runIas([campaignCommands(parts)], ["campaign", ...argv], world);
  return { ...ran, files, exits, wishes: () => wishes, source, loads };
}
