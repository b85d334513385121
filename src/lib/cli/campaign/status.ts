import type { ControlState } from "../../campaign/ledger.ts";
import { counted } from "../../campaign/report/words.ts";
import { type Args, type Command, EXIT, usageError } from "../command.ts";
import { toJsonLine } from "../terminal.ts";
import type { CampaignParts } from "./parts.ts";
import { summaryText } from "./summary-text.ts";

const HELP = `Usage: ias campaign status [folder] [options]

Says what a campaign has come to, also while it runs. The folder is a results folder, the campaign's
name or its file; without one it is the only one in results/.

  --json                one JSON line: { folder, summary, wishes }

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
      await using results = await parts.open(folder);
      const { summary, campaign } = results.source;
      const wishes = await results.control.read();
      io.out(io.json ? toJsonLine({ folder, summary, wishes }) : `${summaryText(summary, campaign)}${wishesText(wishes)}`);
      return EXIT.ok;
    },
  };
}

/** The only positional, or none. */
export function oneFolder({ positionals: [folder, ...more] }: Args): string | undefined {
  if (more.length > 0) throw usageError(`one folder at most; ${JSON.stringify(more[0])} is too many.`);
  return folder;
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
