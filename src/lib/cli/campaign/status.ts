import type { ControlState } from "../../campaign/ledger.ts";
import { clockTime, count, counted } from "../../campaign/report/words.ts";
import { type Args, type Command, EXIT, usageError } from "../command.ts";
import { toJsonLine, toLine } from "../terminal.ts";
import { nameOf } from "./live-state.ts";
import type { CampaignParts } from "./parts.ts";
import { againText, summaryText } from "./summary-text.ts";

const MAX_TOLD = 8;

const HELP = `Usage: ias campaign status [folder] [options]

Says what a campaign has come to, also while it runs. The folder is a results folder, the campaign's
name or its file; without one it is the only one in results/.

  --json                one JSON line: { folder, summary, hasRunner, underWay, wishes }

Exit codes: 0 whatever it says; 1 error; 2 usage.

Examples:
  ias campaign status
  ias campaign status results/nightly --json
`;

/** `ias campaign status`. */
export function statusCommand(parts: CampaignParts): Command {
  return {
    name: "status",
    summary: "Say what a campaign has come to, also while it runs",
    help: HELP,
    options: {},
    async run(args, io) {
      const folder = await parts.find(oneFolder(args));
      const underWay: UnderWay[] = [];
      await using results = await parts.open(folder, ({ battle, attempt, startedAt, outcome }) => {
        if (outcome === undefined) underWay.push({ battle, attempt, startedAt });
      });
      const { summary, campaign } = results.source;
      const wishes = await results.control.read();
      underWay.sort((a, b) => a.startedAt - b.startedAt);
      io.out(
        io.json
          ? toJsonLine({ folder, summary, hasRunner: results.hasRunner, underWay, wishes })
          : `${summaryText(summary, campaign)}${againText(summary, folder)}${underWayText(underWay, parts.now(), results.hasRunner)}${wishesText(wishes)}`,
      );
      return EXIT.ok;
    },
  };
}

/** The only positional, or none. */
export function oneFolder({ positionals: [folder, ...more] }: Args): string | undefined {
  if (more.length > 0) throw usageError(`one folder at most; ${JSON.stringify(more[0])} is too many.`);
  return folder;
}

/** An attempt without an end: its runner works on it, or died and takes it up with the next run. */
interface UnderWay {
  readonly battle: string;
  readonly attempt: number;
  readonly startedAt: number;
}

function underWayText(all: readonly UnderWay[], now: number, hasRunner: boolean): string {
  if (all.length === 0) return "";
  const told = all
    .slice(0, MAX_TOLD)
    .map(({ battle, startedAt }) => `    ${toLine(nameOf(battle), 60)}${hasRunner ? `, for ${clockTime(now - startedAt)}` : ""}\n`);
  const more = all.length > told.length ? `    and ${count(all.length - told.length)} more\n` : "";
  return `  ${counted(all.length, "attempt")} ${hasRunner ? "under way" : "left by a runner that is gone; `ias campaign run` takes them up"}\n${told.join("")}${more}`;
}

function wishesText({ paused, canceled, cancelBattles, requeueBattles }: ControlState): string {
  const wishes = [
    ...(paused ? ["to be paused: `ias campaign resume` goes on"] : []),
    ...(canceled ? ["to be canceled: `ias campaign resume` takes it back"] : []),
    ...(cancelBattles.length > 0 ? [`${counted(cancelBattles.length, "battle")} to be canceled`] : []),
    ...(requeueBattles.length > 0 ? [`${counted(requeueBattles.length, "battle")} to be tried again`] : []),
  ];
  return wishes.map((wish) => `  ${wish}\n`).join("");
}
