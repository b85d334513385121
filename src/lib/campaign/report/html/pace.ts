import type { ReportSource } from "../source.ts";
import { quantile } from "../statistics.ts";
import { count, counted, duration } from "../words.ts";
import { bandChart, histogram } from "./charts.ts";
import type { Collected } from "./collect.ts";
import { toBand } from "./curves.ts";

/** How tokens came: the rate over time, and the distributions of first tokens and gaps. */
export function paceSection({ summary }: ReportSource, { curves, ttft, gaps, battles }: Collected): string {
  const band = toBand([...curves.values()]);
  const read = curves.size < battles ? ` of ${counted(curves.size, "battle")} out of ${count(battles)}` : "";
  const charts = [
    ttft.length === 0 ? "" : card("Time to first token", histogram(ttft, "times to the first token"), `${numbers(ttft)}; ${counted(ttft.length, "attempt")}`),
    gaps.length === 0
      ? ""
      : card("Gaps between contents", histogram(gaps, "gaps between contents"), `${numbers(gaps)}; ${counted(gaps.length, "gap")}${read}, as they arrived`),
  ].filter((one) => one !== "");
  if (band === undefined && charts.length === 0)
    return `<section>\n<h2>Pace</h2>\n<p>${summary.attempts === 0 ? "No attempt has begun." : "No stream was recorded that tells how tokens came."}</p>\n</section>\n`;
  return `<section>
<h2>Pace</h2>
<p class="quiet">${summary.attempts === 0 ? "" : "As contents arrived at the runner."}</p>
${band === undefined ? "" : card("Token rate", bandChart(band), `From each attempt's start: the median, and between the 10th and 90th percentile of the attempts that still run then${read === "" ? "" : `;${read}`}.`)}
${charts.length === 0 ? "" : `<div class="pair">${charts.join("\n")}</div>`}
</section>
`;
}

function card(title: string, chart: string, note: string): string {
  return `<div class="card"><h3>${title}</h3>${chart}<p class="quiet">${note}</p></div>`;
}

function numbers(sorted: readonly number[]): string {
  const [p50, p95, most] = [quantile(sorted, 0.5) ?? 0, quantile(sorted, 0.95) ?? 0, sorted.at(-1) ?? 0];
  return `p50 ${duration(p50)}, p95 ${duration(p95)}, longest ${duration(most)}`;
}
