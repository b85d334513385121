import type { Comparison, Side } from "../compare.ts";
import { htmlText } from "../escape.ts";
import { count, moment, percent, score } from "../words.ts";
import { interval } from "./charts.ts";
import { table } from "./table.ts";

const MAX_ITEMS = 300;

/** Two campaigns side by side, what differs first. */
export function comparisonSection({ base, next, says, items, fixed, broken, subjects }: Comparison): string {
  const side = (what: string, { name, pass, meanScore, hash, createdAt }: Side): readonly string[] => [
    `${what}<span class="quiet"><bdi>${htmlText(name)}</bdi>, ${moment(createdAt)} UTC, <code>${htmlText(hash.slice(0, 12))}</code></span>`,
    percent(pass.share),
    interval(pass),
    `${count(pass.passed)} of ${count(pass.of)}`,
    score(meanScore),
  ];
  const differing = items.filter((one) => one.basePassed !== one.nextPassed || Math.abs(one.baseScore - one.nextScore) > 1e-9);
  const isMany = subjects.length > 1;
  const rows = differing.slice(0, MAX_ITEMS).map((one) => {
    const change = one.nextPassed - one.basePassed;
    const word = change > 0 ? "better" : change < 0 ? "worse" : "same verdicts";
    return [
      `<bdi>${htmlText(one.item)}</bdi>${isMany ? `<span class="quiet"><bdi>${htmlText(one.subject)}</bdi></span>` : ""}`,
      `<span class="${change > 0 ? "good" : change < 0 ? "bad" : "quiet"}">${word}</span>`,
      `${one.basePassed}/${one.battles} → ${one.nextPassed}/${one.battles}`,
      `${score(one.baseScore)} → ${score(one.nextScore)}`,
    ];
  });
  const more = differing.length > rows.length ? `<p class="quiet">${count(rows.length)} of ${count(differing.length)} items that differ.</p>` : "";
  return `<section>
<h2>Compared with ${base.name === next.name ? "the campaign before" : `<bdi>${htmlText(base.name)}</bdi>`}</h2>
<ul class="says">${says.map((sentence) => `<li>${htmlText(sentence)}</li>`).join("")}</ul>
${table({ label: "Both campaigns", columns: [["Campaign"], ["Passed", "n"], ["95 % interval"], ["Battles", "n"], ["Mean score", "n"]], rows: [side("Before", base), side("Now", next)] })}
${rows.length === 0 ? "" : table({ label: `Items that differ: ${fixed} battles fixed, ${broken} broken`, columns: [["Item"], ["Now", "word"], ["Passed", "n"], ["Mean score", "n"]], rows })}${more}
</section>
`;
}
