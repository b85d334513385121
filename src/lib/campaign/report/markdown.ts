import { cutText } from "../../model/cut-text.ts";
import { faultsText, rated } from "./rated.ts";
import type { Comparison } from "./compare.ts";
import { markdownText } from "./escape.ts";
import { readBattles, type ReportSource } from "./source.ts";
import { wilson } from "./statistics.ts";
import { battleStanding, count, counted, duration, itemName, livenessText, moment, percent, reasonOf, score } from "./words.ts";

/** Rows of battles; more make a comment on a pull request unreadable. */
const MAX_ROWS = 200;
const MAX_REASON = 200;

/** A campaign as GitHub-flavoured Markdown: totals, subjects, and the battles that did not pass. */
export async function* toMarkdown(source: ReportSource, comparison?: Comparison): AsyncGenerator<string, void, undefined> {
  const { campaign, hash, createdAt, summary } = source;
  const pass = wilson(summary.passed, rated(summary));
  yield `# ${markdownText(campaign.name)}\n\n`;
  yield `${summary.state}, ${counted(summary.judged, "battle")} of ${count(summary.target)} judged, **${percent(pass.share)} passed** (${count(summary.passed)}; 95 % interval ${percent(pass.low)} to ${percent(pass.high)})${summary.meanScore === undefined ? "" : `, mean score ${score(summary.meanScore)}`}. `;
  yield `${counted(summary.attempts, "attempt")}, ${counted(summary.tokens, "token")}. Begun ${moment(createdAt)} UTC, configuration \`${hash.slice(0, 12)}\`.\n\n`;
  yield table(
    ["subject", "judged", "passed", "mean score", "given up", "attempts"],
    Object.entries(summary.subjects).map(([subject, one]) => [
      markdownText(subject),
      count(one.judged),
      `${count(one.passed)} (${rated(one) === 0 ? "–" : percent(one.passed / rated(one))})`,
      one.meanScore === undefined ? "–" : score(one.meanScore),
      count(one.failed),
      count(one.attempts),
    ]),
  );
  for (const [subject, { liveness }] of Object.entries(summary.subjects))
    if (liveness.length > 0) yield `\n${markdownText(subject)}: ${markdownText(livenessText(liveness))}.\n`;
  if (summary.faults > 0) yield `\n${faultsText(summary.faults)}.\n`;
  const { ttftMs, gapMs } = summary;
  const times = [ttftMs && ["time to first token", ttftMs], gapMs && ["gap between contents", gapMs]].filter((one) => one !== undefined) as [
    string,
    NonNullable<typeof ttftMs>,
  ][];
  if (times.length > 0) {
    yield "\n";
    yield table(
      ["", "p50", "p95", "longest"],
      times.map(([name, { p50, p95, max }]) => [name, duration(p50), duration(p95), duration(max)]),
    );
  }
  for (const [name, counts] of Object.entries({
    Retries: summary.retries,
    Stalls: summary.stalls,
    "Given up": summary.failed,
    "Waiting to retry": summary.waiting,
  })) {
    const parts = Object.entries(counts).map(([what, times]) => `${count(times)} ${markdownText(what)}`);
    if (parts.length > 0) yield `\n${name}: ${parts.join(", ")}.\n`;
  }
  if (comparison !== undefined) yield `\n${compareToMarkdown(comparison, "##")}`;

  const rows: string[][] = [];
  let more = 0;
  for await (const battle of readBattles(source)) {
    const { result, attempts } = battle;
    const { word } = battleStanding(battle);
    if (word === "passed") continue;
    if (rows.length >= MAX_ROWS) more += 1;
    else
      rows.push([
        markdownText(result.subject),
        markdownText(itemName(result)),
        word,
        count(attempts.length),
        markdownText(cutText(reasonOf(result), MAX_REASON)),
      ]);
  }
  if (rows.length > 0) {
    yield "\n## Battles that did not pass\n\n";
    yield table(["subject", "item", "end", "attempts", "why"], rows);
    if (more > 0) yield `\nand ${count(more)} more.\n`;
  }
}

/** A comparison as Markdown; `heading` is the level of its title. */
export function compareToMarkdown(comparison: Comparison, heading: "#" | "##"): string {
  const { base, next, says, items } = comparison;
  const differing = items.filter((one) => one.basePassed !== one.nextPassed || Math.abs(one.baseScore - one.nextScore) > 1e-9);
  const rows = differing
    .slice(0, MAX_ROWS)
    .map((one) => [
      markdownText(one.subject),
      markdownText(one.item),
      `${one.basePassed}/${one.battles} → ${one.nextPassed}/${one.battles}`,
      `${score(one.baseScore)} → ${score(one.nextScore)}`,
    ]);
  const title = base.name === next.name ? markdownText(next.name) : `${markdownText(base.name)} → ${markdownText(next.name)}`;
  return [
    `${heading} Comparison: ${title}\n\n`,
    `Before: begun ${moment(base.createdAt)} UTC, configuration \`${base.hash.slice(0, 12)}\`. Now: begun ${moment(next.createdAt)} UTC, \`${next.hash.slice(0, 12)}\`.\n\n`,
    ...says.map((sentence) => `- ${sentence}\n`),
    rows.length > 0 ? `\n${table(["subject", "item", "passed", "mean score"], rows)}` : "",
    differing.length > rows.length ? `\nand ${count(differing.length - rows.length)} more items that differ.\n` : "",
  ].join("");
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(" | ")} |\n`;
  return `${line(head)}${line(head.map(() => "---"))}${rows.map(line).join("")}`;
}
