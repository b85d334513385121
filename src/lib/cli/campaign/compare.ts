import { compareCampaigns, type Comparison } from "../../campaign/report/compare.ts";
import { exportComparison } from "../../campaign/report/exports.ts";
import { count, score } from "../../campaign/report/words.ts";
import { type Args, type Command, EXIT, usageError } from "../command.ts";
import { toJsonLine, toJsonText, toLine } from "../terminal.ts";
import { padText, textWidth } from "../text-width.ts";
import type { CampaignParts } from "./parts.ts";

const FORMATS = ["text", "json", "markdown"] as const;
const MAX_ITEMS = 40;

const HELP = `Usage: ias campaign compare <base> <next> [options]

Sets two campaigns against each other, battle by battle: what passed before and fails now, and the
other way round, with Wilson's 95 % intervals and an exact two-sided sign test over the items, so
that chance is called chance. Both are results folders, or names of campaigns.

  --subject <a>=<b>     a of base belongs to b of next; may be given several times (equal ids, or
                        the only one of each). Twice the same folder compares two of its subjects
  --format <format>     text, json or markdown (text)
  --out <file>          into a file
  --json                the comparison as one JSON line

Exit codes: 0 whatever differs; 1 error; 2 usage.

Examples:
  ias campaign compare results/monday results/tuesday
  ias campaign compare nightly nightly --subject llama=qwen --format markdown --out change.md
`;

/** `ias campaign compare`. */
export function compareCommand(parts: CampaignParts): Command {
  return {
    name: "compare",
    summary: "Set two campaigns against each other, and say what is chance",
    help: HELP,
    options: { subject: { type: "string", multiple: true }, format: { type: "string" }, out: { type: "string" } },
    async run(args, io) {
      const [one, other, ...more] = args.positionals;
      if (one === undefined || other === undefined) throw usageError("two folders are needed.");
      if (more.length > 0) throw usageError(`two folders; ${JSON.stringify(more[0])} is too many.`);
      const given = args.text("format") ?? (io.json ? "json" : "text");
      const format = FORMATS.find((each) => each === given);
      if (format === undefined) throw usageError(`--format must be one of ${FORMATS.join(", ")}.`);
      const comparison = await readComparison(parts, args, one, other);
      const text = format === "json" ? toJsonText(comparison) : format === "markdown" ? exportComparison(comparison) : comparisonText(comparison);
      const file = args.text("out");
      if (file !== undefined) await parts.write(file, piece(text));
      if (io.json) io.out(toJsonLine(file === undefined ? comparison : { file, format }));
      else io.out(file === undefined ? text : `${file}\n`);
      return EXIT.ok;
    },
  };
}

/** Opens both and compares them. */
export async function readComparison(parts: CampaignParts, args: Args, base: string, next: string): Promise<Comparison> {
  const subjects = subjectsOf(args);
  const [from, to] = [await parts.find(base), await parts.find(next)];
  await using before = await parts.open(from);
  await using now = await parts.open(to);
  return await compareCampaigns(before.source, now.source, subjects === undefined ? {} : { subjects });
}

function subjectsOf(args: Args): Readonly<Record<string, string>> | undefined {
  const pairs = args.texts("subject").map((pair) => {
    const at = pair.indexOf("=");
    if (at <= 0 || at === pair.length - 1) throw usageError(`--subject must be <of base>=<of next>, not ${JSON.stringify(pair)}.`);
    return [pair.slice(0, at), pair.slice(at + 1)] as const;
  });
  return pairs.length === 0 ? undefined : Object.fromEntries(pairs);
}

function comparisonText({ says, items }: Comparison): string {
  const differing = items.filter((one) => one.basePassed !== one.nextPassed || Math.abs(one.baseScore - one.nextScore) > 1e-9);
  const names = differing.slice(0, MAX_ITEMS).map(({ subject, item }) => toLine(`${subject} · ${item}`, 60));
  const width = Math.max(0, ...names.map(textWidth));
  const rows = differing.slice(0, MAX_ITEMS).map((one, index) => {
    const change = one.nextPassed === one.basePassed ? "same " : one.nextPassed > one.basePassed ? "better" : "worse";
    const passed = `${one.basePassed}/${one.battles} → ${one.nextPassed}/${one.battles}`;
    return `  ${padText(names[index] ?? "", width)}  ${change.padEnd(6)}  passed ${passed}  score ${score(one.baseScore)} → ${score(one.nextScore)}\n`;
  });
  const more = differing.length > rows.length ? `  and ${count(differing.length - rows.length)} more items that differ; --format json has all\n` : "";
  return `${says.join("\n")}\n${rows.length > 0 ? "\n" : ""}${rows.join("")}${more}`;
}

async function* piece(text: string): AsyncGenerator<string, void, undefined> {
  yield text;
}
