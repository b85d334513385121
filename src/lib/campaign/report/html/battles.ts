import { htmlText } from "../escape.ts";
import { quantile } from "../statistics.ts";
import { count, duration, rate, score } from "../words.ts";
import { sparkline } from "./charts.ts";
import type { Collected, Row } from "./collect.ts";
import { table } from "./table.ts";

/** Battles a page of the table. */
const PAGE = 250;

/** Every battle, those in trouble first; long campaigns in pages that open. */
export function* battlesSection({ rows, battles, curves }: Collected): Generator<string, void, undefined> {
  const tops = [...curves.values()].map(({ rates }) => Math.max(...rates)).sort((a, b) => a - b);
  const max = Math.max(quantile(tops, 0.95) ?? 1, 0.001);
  const isMany = new Set(rows.map(({ subject }) => subject)).size > 1;
  const notes = [
    "Failed and not passed battles first, then those that stalled or were tried again.",
    curves.size > 0 ? `Each curve runs over its own battle's time; its top is ${rate(max)} tok/s for all. Shaded is a stall.` : "",
    curves.size > 0 && curves.size < battles ? `Curves of ${count(curves.size)} battles are drawn: those in trouble, and others evenly.` : "",
    battles > rows.length ? `The first ${count(rows.length)} of ${count(battles)} are here; the exports as CSV and JSON have all.` : "",
  ].filter((note) => note !== "");
  yield `<section>\n<h2>Battles</h2>\n<p class="quiet">${notes.join(" ")}</p>\n`;
  const pages = Math.ceil(rows.length / PAGE);
  for (let page = 0; page < pages; page += 1) {
    const part = rows.slice(page * PAGE, (page + 1) * PAGE);
    const label = `Battles ${count(page * PAGE + 1)} to ${count(page * PAGE + part.length)}`;
    const html = table({
      label,
      columns: [
        ["Item"],
        ["Result", "word"],
        ["Score", "n"],
        ["Token rate"],
        ["Tokens", "n"],
        ["tok/s", "n"],
        ["First token", "n"],
        ["Longest gap", "n"],
        ["Time", "n"],
        ["Attempts", "n"],
      ],
      rows: part.map((row) => cells(row, { curves, max, isMany })),
    });
    yield pages === 1 ? html : `<details class="page"${page === 0 ? " open" : ""}><summary>${label}</summary>\n${html}\n</details>\n`;
  }
  if (rows.length === 0) yield "<p>No battle has begun.</p>";
  yield "\n</section>\n";
}

function cells(row: Row, { curves, max, isMany }: Pick<Collected, "curves"> & { readonly max: number; readonly isMany: boolean }): readonly string[] {
  const { measured } = row.result;
  const curve = curves.get(row.battle);
  const stalls = row.episodes.filter(({ kind }) => kind === "stalled").map(({ fromMs, untilMs }) => [fromMs, untilMs ?? measured.durationMs] as const);
  const said = [
    isMany ? `<span class="quiet"><bdi>${htmlText(row.subject)}</bdi></span>` : "",
    row.reason === "" ? "" : `<span class="quiet"><bdi>${htmlText(row.reason)}</bdi></span>`,
    row.answer === "" ? "" : `<details><summary>Answer</summary><blockquote><bdi>${htmlText(row.answer)}</bdi></blockquote></details>`,
  ];
  const time = (ms: number | undefined): string => (ms === undefined ? "–" : duration(ms));
  return [
    `<bdi>${htmlText(row.name)}</bdi>${said.join("")}`,
    `<span class="${row.standing.tone}">${row.standing.word}</span>${stalls.length > 0 ? '<span class="quiet">stalled</span>' : ""}`,
    row.score === undefined ? "–" : score(row.score),
    curve === undefined ? "" : sparkline(curve, max, stalls),
    count(measured.tokens),
    measured.tokensPerSecond === undefined ? "–" : rate(measured.tokensPerSecond),
    time(measured.ttftMs),
    time(measured.gapMaxMs),
    time(measured.durationMs),
    count(row.attempts),
  ];
}
