import { htmlText } from "../escape.ts";
import type { ReportSource } from "../source.ts";
import { clockTime, count, duration } from "../words.ts";
import { countBar, timeline } from "./charts.ts";
import type { Collected, Lane } from "./collect.ts";
import { table } from "./table.ts";

const MAX_EPISODES = 200;

/** Stalls on a timeline and one by one, with whose fault they were; retries and failures by class. */
export function troubleSection({ summary }: ReportSource, { lanes, lanesOf, from, until, failures }: Collected): string {
  const retries = Object.entries(summary.retries).sort(([, a], [, b]) => b - a);
  if (lanes.length === 0 && retries.length === 0)
    return "<section>\n<h2>Stalls and retries</h2>\n<p>None: no stream was slow or stalled, and no attempt was made twice.</p>\n</section>\n";
  const most = Math.max(...retries.map(([, times]) => times), ...failures.map(({ times }) => times));
  const bars = retries.map(([what, times]) => [htmlText(what), count(times), countBar(times, most)]);
  const causes = failures.map((one) => [
    htmlText(one.class),
    `<code>${htmlText(one.code)}</code>`,
    count(one.times),
    countBar(one.times, most),
    `<bdi>${htmlText(one.example)}</bdi>`,
  ]);
  return `<section>
<h2>Stalls and retries</h2>
${lanes.length === 0 ? "" : timelineCard(lanes, lanesOf, from, until)}
${episodesTable(lanes)}
${causes.length === 0 ? "" : table({ label: "Failed attempts by class", columns: [["Failed attempts"], ["Code"], ["Times", "n"], [""], ["For example", "why"]], rows: causes })}
${bars.length === 0 ? "" : table({ label: "Retries by class", columns: [["Retries after"], ["Times", "n"], [""]], rows: bars })}
</section>
`;
}

function timelineCard(lanes: readonly Lane[], lanesOf: number, from: number, until: number): string {
  const key = (
    [
      ["ran", "ran"],
      ["slow", "slow"],
      ["stalled", "stalled"],
      ["failed", "ended in failure"],
    ] as const
  ).map(
    ([kind, word]) =>
      `<li><svg aria-hidden="true"><rect class="${kind}" x="${kind === "failed" ? 9 : 0}" y="${kind === "ran" ? 3 : 0}" width="${kind === "failed" ? 2 : 20}" height="${kind === "ran" ? 4 : 10}"/></svg>${word}</li>`,
  );
  const note =
    lanesOf > lanes.length
      ? `<p class="quiet">${count(lanes.length)} of ${count(lanesOf)} attempts that were slow, stalled or failed; stalled ones first.</p>`
      : "";
  return `<div class="card"><h3>Attempts that were slow, stalled or failed, over the campaign's time</h3>
<ul class="key">${key.join("")}</ul>
${timeline(lanes, from, until)}${note}</div>`;
}

function episodesTable(lanes: readonly Lane[]): string {
  const all = lanes.flatMap((lane) => lane.episodes.map((episode) => ({ lane, episode })));
  if (all.length === 0) return "";
  const rows = all
    .toSorted((a, b) => Number(b.episode.kind === "stalled") - Number(a.episode.kind === "stalled"))
    .slice(0, MAX_EPISODES)
    .map(({ lane, episode: { kind, fromMs, untilMs, activity, evidence } }) => [
      `<bdi>${htmlText(lane.name)}</bdi>${lane.attempt > 1 ? ` (attempt ${lane.attempt})` : ""}<span class="quiet"><bdi>${htmlText(lane.subject)}</bdi></span>`,
      `<span class="${kind === "stalled" ? "bad" : "warn"}">${kind}</span>`,
      clockTime(fromMs),
      untilMs === undefined ? "until its end" : duration(untilMs - fromMs),
      htmlText(activity),
      evidence === undefined ? "–" : `${htmlText(evidence.kind)}<span class="quiet"><bdi>${htmlText(evidence.text)}</bdi></span>`,
    ]);
  const html = table({
    label: "Slow and stalled episodes",
    columns: [["Episode of"], ["What", "word"], ["At", "n"], ["For", "n"], ["While"], ["Evidence", "why"]],
    rows,
  });
  return all.length > rows.length ? `${html}<p class="quiet">${count(rows.length)} of ${count(all.length)} episodes; JSON and JSONL have all.</p>` : html;
}
