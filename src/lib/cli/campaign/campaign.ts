import type { CommandGroup } from "../command.ts";
import { compareCommand } from "./compare.ts";
import type { CampaignParts } from "./parts.ts";
import { reportCommand } from "./report.ts";
import { runCampaignCommand } from "./run.ts";
import { statusCommand } from "./status.ts";
import { cancelCommand, pauseCommand, requeueCommand, resumeCommand } from "./steer.ts";

/** `ias campaign`. */
export function campaignCommands(parts: CampaignParts): CommandGroup {
  return {
    name: "campaign",
    summary: "Evaluate agents: many battles, judged by token liveness, never by time-out",
    about: `  ias campaign <command> --help says more. A campaign's memory is its results folder: running it
  again goes on where it stood. docs/reference/campaign.md describes its file.

Examples:
  ias campaign run nightly.yaml
  ias campaign status
  ias campaign report results/nightly
`,
    commands: [
      runCampaignCommand(parts),
      statusCommand(parts),
      pauseCommand(parts),
      resumeCommand(parts),
      cancelCommand(parts),
      requeueCommand(parts),
      compareCommand(parts),
      reportCommand(parts),
    ],
  };
}
