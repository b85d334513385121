import { createHash } from "node:crypto";
import type { Campaign, Green } from "../../campaign.ts";
import { faultsText, rated } from "../rated.ts";
import type { Comparison } from "../compare.ts";
import { htmlText, jsonInHtml } from "../escape.ts";
import type { ReportSource } from "../source.ts";
import { wilson } from "../statistics.ts";
import { count, counted, duration, livenessText, moment, percent, score } from "../words.ts";
import { battlesSection } from "./battles.ts";
import { interval } from "./charts.ts";
import { collect, type Collected } from "./collect.ts";
import { comparisonSection } from "./comparison.ts";
import { paceSection } from "./pace.ts";
import { STYLE } from "./style.ts";
import { table } from "./table.ts";
import { troubleSection } from "./trouble.ts";

/**
 * A campaign as one HTML file that opens from disk. It has no script and asks nobody for anything: its policy admits its one style sheet and nothing else, so
 * that text of agents could not act even if it were markup (it never is). The same ledger gives the same file.
 */
export async function* toHtml(source: ReportSource, comparison?: Comparison): AsyncGenerator<string, void, undefined> {
  const collected = await collect(source);
  yield head(source.campaign.name);
  yield header(source, collected);
  yield "<main>\n";
  yield subjectsSection(source);
  if (comparison !== undefined) yield comparisonSection(comparison);
  yield paceSection(source, collected);
  yield troubleSection(source, collected);
  yield* battlesSection(collected);
  yield `</main>\n${footer(source)}`;
  const { campaign, hash, createdAt, summary } = source;
  const data = {
    campaign: campaign.name,
    hash,
    createdAt,
    summary,
    ...(comparison !== undefined && { comparison: { ...comparison, items: undefined, changed: undefined } }),
  };
  yield `<script type="application/json" id="data">${jsonInHtml(data)}</script>\n</body>\n</html>\n`;
}

function head(name: string): string {
  const hash = createHash("sha256").update(STYLE).digest("base64");
  const policy = `default-src 'none'; style-src 'sha256-${hash}'; base-uri 'none'; form-action 'none'`;
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="referrer" content="no-referrer">
<title>${htmlText(name)}: campaign report</title>
<style>${STYLE}</style>
</head>
<body>
`;
}

function header({ campaign, createdAt, summary }: ReportSource, { from, until }: Collected): string {
  const pass = wilson(summary.passed, rated(summary));
  const { passThreshold: threshold } = campaign;
  const end = { done: "Done", running: "Not done yet", paused: "Paused", canceled: "Canceled", exhausted: "Ended below its target" }[summary.state];
  const stalls = total(summary.stalls);
  const retries = total(summary.retries);
  const isMet = threshold !== undefined && pass.share >= threshold;
  const met =
    threshold === undefined ? "" : ` <span class="${isMet ? "good" : "bad"}">The threshold of ${percent(threshold)} was ${isMet ? "met" : "missed"}.</span>`;
  const facts: readonly (readonly [term: string, value: string, more?: string | undefined])[] = [
    ["Battles judged", `${count(summary.judged)} <span class="quiet">of ${count(summary.target)}</span>`, givenUp(summary)],
    ["Mean score", summary.meanScore === undefined ? "–" : score(summary.meanScore)],
    [
      "Attempts",
      count(summary.attempts),
      `${retries === 0 ? "no retries" : retries === 1 ? "1 retry" : `${count(retries)} retries`}, ${counted(summary.tokens, "token")}`,
    ],
    ["Stalls", count(stalls), stalls === 0 ? "none" : counts(summary.stalls)],
    ["First token, p50", summary.ttftMs === undefined ? "–" : duration(summary.ttftMs.p50), summary.ttftMs && `p95 ${duration(summary.ttftMs.p95)}`],
    ["Gap, p50", summary.gapMs === undefined ? "–" : duration(summary.gapMs.p50), summary.gapMs && `p95 ${duration(summary.gapMs.p95)}`],
  ];
  const rest = facts.map(([term, value, more]) => `<div><dt>${term}</dt><dd>${value}</dd>${more === undefined ? "" : `<dd>${more}</dd>`}</div>`).join("\n");
  return `<header>
<p class="eyebrow">Campaign report</p>
<h1><bdi>${htmlText(campaign.name)}</bdi></h1>
<p>${end}. Begun ${moment(createdAt)} UTC${until > 0 ? `, attempts over ${duration(until - from)}` : ""}. Judged by ${judge(campaign.green)}.${met}</p>
<dl class="facts">
<div class="wide"><dt>Passed</dt><dd>${pass.of === 0 ? "–" : percent(pass.share)}</dd><dd>${interval(pass)}${count(pass.passed)} of ${count(pass.of)}; 95 % interval ${percent(pass.low)} to ${percent(pass.high)}${summary.faults > 0 ? `; ${faultsText(summary.faults)}` : ""}</dd></div>
${rest}
</dl>
</header>
`;
}

function givenUp({ failed, waiting }: ReportSource["summary"]): string {
  const [all, later] = [total(failed), total(waiting)];
  return `${all === 0 ? "none given up" : `${count(all)} given up: ${counts(failed)}`}${later === 0 ? "" : `; ${count(later)} waiting to retry: ${counts(waiting)}`}`;
}

const total = (each: Readonly<Record<string, number>>): number => Object.values(each).reduce((sum, one) => sum + one, 0);

function counts(each: Readonly<Record<string, number>>): string {
  return Object.entries(each)
    .map(([what, times]) => `${count(times)} ${htmlText(what)}`)
    .join(", ");
}

function judge(green: Green): string {
  switch (green.kind) {
    case "exact":
      return "exact comparison";
    case "contains":
      return "what the answer contains";
    case "regex":
      return `the pattern <code>${htmlText(green.pattern)}</code>`;
    case "json-schema":
      return "a JSON schema";
    case "judge":
      return `the model <bdi>${htmlText(green.model)}</bdi>`;
    case "a2a":
      return `the green agent at <code>${htmlText(green.url)}</code>`;
    case "function":
      return `the function <code>${htmlText(green.name)}</code>`;
  }
}

function subjectsSection({ campaign, summary }: ReportSource): string {
  const rows = campaign.subjects.map(({ id, url }) => {
    const one = summary.subjects[id];
    const judged = livenessText(one?.liveness ?? []);
    const place = `<bdi>${htmlText(id)}</bdi><span class="quiet">${htmlText(url)}</span>${judged === "" ? "" : `<span class="quiet"><bdi>${htmlText(judged)}</bdi></span>`}`;
    if (one === undefined) return [place, "–", "", "–", "–", "–", "–"];
    const share = wilson(one.passed, rated(one));
    return [
      place,
      share.of === 0 ? "–" : percent(share.share),
      share.of === 0 ? "" : interval(share),
      `${count(one.passed)} of ${count(share.of)}`,
      one.meanScore === undefined ? "–" : score(one.meanScore),
      count(one.failed),
      count(one.attempts),
    ];
  });
  return `<section>
<h2>Subjects</h2>
${table({
  label: "Subjects",
  columns: [["Subject"], ["Passed", "n"], ["95 % interval"], ["Battles", "n"], ["Mean score", "n"], ["Given up", "n"], ["Attempts", "n"]],
  rows,
})}
</section>
`;
}

function footer({ campaign, hash }: ReportSource): string {
  return `<footer>
<p>Configuration <code>${htmlText(hash)}</code>: ${settings(campaign)}. Intervals are Wilson's score intervals (1927) and take battles as independent.</p>
<p>Made by infinite-agent-streams. This file holds no script and loads nothing.</p>
</footer>
`;
}

function settings({ items, repeat, concurrency, liveness, thresholds, seed }: Campaign): string {
  const said = [
    counted(items.length, "item"),
    `repeat ${repeat}`,
    `${concurrency} at once`,
    `liveness ${liveness}`,
    Number.isFinite(thresholds.gapMs) ? `a gap of ${duration(thresholds.gapMs)} is a stall` : "no gap is a stall",
    ...(seed === undefined ? [] : [`seed ${seed}`]),
  ];
  return said.join(", ");
}
