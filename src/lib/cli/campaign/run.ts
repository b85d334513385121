import type { LivenessMode } from "../../campaign/campaign.ts";
import { type Args, type Command, EXIT, usageError } from "../command.ts";
import type { CampaignParts } from "./parts.ts";
import { showProgress } from "./show-progress.ts";
import { againText, exitOf, summaryText } from "./summary-text.ts";

const MODES: readonly LivenessMode[] = ["auto", "stream", "metrics", "timeout"];

const HELP = `Usage: ias campaign run <file> [options]

Runs the battles of a campaign (YAML or JSON; docs/reference/campaign.md), or of a scenario.toml of
AgentBeats, until its target is reached. The results folder is its memory: the same command goes on
where it stood, after any crash. A battle is alive as long as tokens come, however slowly.

  --out <folder>        results folder (results/<name of the campaign>)
  --liveness <mode>     how stalls are judged, over the file's: auto, stream, metrics or timeout;
                        stream and metrics are demands, auto takes the best that there is
  --verbose             tell every phase and every token
  --json                progress as JSON lines on stdout; tokens only with --verbose

Ctrl-C leaves the battles that run to the next run; a second one stops at once.

Exit codes: 0 fine; 100 under the pass threshold, or the target cannot be reached; 1 error; 2 usage;
130 interrupted or canceled.

Examples:
  ias campaign run nightly.yaml
  ias campaign run nightly.yaml --json | jq 'select(.kind == "attempt-ended")'
  ias campaign run scenario.toml --out results/first
`;

/** `ias campaign run`. */
export function runCampaignCommand(parts: CampaignParts): Command {
  return {
    name: "run",
    summary: "Run a campaign, or go on with it",
    help: HELP,
    options: { out: { type: "string" }, liveness: { type: "string" }, verbose: { type: "boolean" } },
    async run(args, io) {
      const [file, ...more] = args.positionals;
      if (file === undefined) throw usageError("the campaign's file is needed.");
      if (more.length > 0) throw usageError(`one file at most; ${JSON.stringify(more[0])} is too many.`);
      const liveness = modeOf(args);
      const loaded = await parts.load(file, liveness === undefined ? {} : { liveness });
      const folder = args.text("out") ?? `results/${folderName(loaded.campaign.name)}`;
      const verbose = args.flag("verbose");
      const show = showProgress(io, { verbose, now: parts.now });
      const stop = new AbortController();
      const off = io.onInterrupt(() => {
        if (stop.signal.aborted) {
          show.end();
          parts.exit(EXIT.interrupted);
          return;
        }
        stop.abort();
        show.say("Stopping: nothing new starts, battles that run are left to the next run. Again to stop at once.");
      });
      try {
        const { onProgress, say } = show;
        const summary = await parts.run(loaded, { file, folder, signal: stop.signal, verbose, onProgress, say });
        show.end();
        if (!io.json)
          io.out(`${summaryText(summary, loaded.campaign)}${againText(summary, folder)}  ${folder}: \`ias campaign report ${folder}\` makes a page of it.\n`);
        return stop.signal.aborted && summary.state !== "done" ? EXIT.interrupted : exitOf(summary, loaded.campaign);
      } finally {
        off();
        show.end();
      }
    },
  };
}

function modeOf(args: Args): LivenessMode | undefined {
  const given = args.text("liveness");
  const mode = MODES.find((one) => one === given);
  if (given !== undefined && mode === undefined) throw usageError(`--liveness must be one of ${MODES.join(", ")}.`);
  return mode;
}

/** A campaign's name as a folder's. */
export function folderName(name: string): string {
  const safe = name.replaceAll(/[^\p{L}\p{N} ._-]+/gu, "-").replace(/^[. -]+/, "");
  return safe === "" ? "campaign" : safe;
}
