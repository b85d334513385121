import { exportReport, REPORT_FORMATS, type ReportFormat } from "../../campaign/report/exports.ts";
import { type Command, EXIT, usageError } from "../command.ts";
import { toJsonLine } from "../terminal.ts";
import { readComparison } from "./compare.ts";
import type { CampaignParts } from "./parts.ts";
import { oneFolder } from "./status.ts";

const HELP = `Usage: ias campaign report [folder] [options]

Exports a campaign, also while it runs. The page (html) is one file that opens from disk: results,
token rates, stalls on a timeline, retries; it holds no script and loads nothing. The folder is a
results folder, the campaign's name or its file; without one it is the only one in results/.

  --format <format>     html, json, jsonl, csv, junit or markdown (html)
  --out <file>          where to (report.html and so on in the folder; - for stdout)
  --against <folder>    with a comparison with this earlier campaign (html, markdown)
  --subject <a>=<b>     as with compare
  --json                one JSON line: { file, format }

Exit codes: 0 fine; 1 error; 2 usage.

Examples:
  ias campaign report results/nightly
  ias campaign report nightly --format junit --out junit.xml
  ias campaign report results/tuesday --against results/monday --out change.html
`;

/** `ias campaign report`. */
export function reportCommand(parts: CampaignParts): Command {
  return {
    name: "report",
    summary: "Export a campaign: a page, JSON, JSONL, CSV, JUnit, Markdown",
    help: HELP,
    options: { format: { type: "string" }, out: { type: "string" }, against: { type: "string" }, subject: { type: "string", multiple: true } },
    async run(args, io) {
      const given = oneFolder(args);
      const formats = Object.keys(REPORT_FORMATS) as ReportFormat[];
      const format = formats.find((each) => each === (args.text("format") ?? "html"));
      if (format === undefined) throw usageError(`--format must be one of ${formats.join(", ")}.`);
      const against = args.text("against");
      if (against !== undefined && format !== "html" && format !== "markdown") throw usageError("--against needs the format html or markdown.");
      const folder = await parts.find(given);
      const comparison = against === undefined ? undefined : await readComparison(parts, args, against, folder);
      await using results = await parts.open(folder);
      const pieces = exportReport(results.source, format, comparison === undefined ? {} : { comparison });
      const file = args.text("out") ?? `${folder}/report.${REPORT_FORMATS[format]}`;
      if (file === "-") {
        if (io.json) throw usageError("--out - and --json both want stdout.");
        // Through the cleaned stdout: line ends of CSV are LF there.
        for await (const piece of pieces) io.out(piece);
        return EXIT.ok;
      }
      await parts.write(file, pieces);
      io.out(io.json ? toJsonLine({ file, format }) : `${file}\n`);
      return EXIT.ok;
    },
  };
}
