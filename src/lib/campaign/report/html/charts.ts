import { htmlText } from "../escape.ts";
import type { Share } from "../statistics.ts";
import { clockTime, duration, percent, rate } from "../words.ts";
import type { Lane } from "./collect.ts";
import type { Band, Curve } from "./curves.ts";

// Inline SVG. Plots stretch with the page; their words are HTML around them, so that they stay readable at 360 px. Only classes give colour.

const WIDTH = 1000;
const HEIGHT = 100;

const fixed = (value: number): string => String(Math.round(value * 10) / 10);

function plot(label: string, content: string, kind = "plot"): string {
  return `<svg class="${kind}" viewBox="0 0 ${WIDTH} ${HEIGHT}" preserveAspectRatio="none" role="img" aria-label="${htmlText(label)}">${content}</svg>`;
}

/** Values as points of a polyline, from left to right, 0 at the bottom. */
function points(values: readonly number[], max: number): readonly string[] {
  const step = WIDTH / Math.max(1, values.length - 1);
  return values.map((value, index) => `${fixed(index * step)} ${fixed(HEIGHT - (Math.min(value, max) / max) * (HEIGHT - 2) - 1)}`);
}

/** A small curve of one battle; `max` is the same for all of a table. Stalled times are shaded. */
export function sparkline(curve: Curve, max: number, stalls: readonly (readonly [fromMs: number, untilMs: number])[]): string {
  const shades = stalls.map(([from, until]) => {
    const [x, end] = [from, until].map((ms) => (Math.min(Math.max(ms, 0), curve.durationMs) / curve.durationMs) * WIDTH) as [number, number];
    return `<rect class="stalled" x="${fixed(x)}" y="0" width="${fixed(Math.max(end - x, 6))}" height="${HEIGHT}"/>`;
  });
  const line = points(curve.rates, max);
  const label = `Tokens a second over ${duration(curve.durationMs)}, at most ${rate(Math.max(...curve.rates))}${stalls.length > 0 ? `, ${stalls.length} stalled` : ""}`;
  return plot(
    label,
    `${shades.join("")}<path class="fill" d="M0 ${HEIGHT}L${line.join("L")}L${WIDTH} ${HEIGHT}Z"/><path class="line" d="M${line.join("L")}"/>`,
    "spark",
  );
}

/** The band of many curves, with its axes. */
export function bandChart(band: Band): string {
  const max = Math.max(...band.high, 0.001) * 1.05;
  const [low, middle, high] = [band.low, band.middle, band.high].map((values) => points(values, max)) as [
    readonly string[],
    readonly string[],
    readonly string[],
  ];
  const area = `<path class="fill" d="M${high.join("L")}L${low.toReversed().join("L")}Z"/>`;
  const label = `Tokens a second from the start of an attempt: the median and the range from the 10th to the 90th percentile, over ${duration(band.durationMs)}`;
  const grid = `<path class="grid" d="M0 ${HEIGHT / 2}H${WIDTH}"/>`;
  const svg = plot(label, `${grid}${area}<path class="line" d="M${middle.join("L")}"/>`, "plot tall");
  return frame(svg, `${rate(max)} tok/s`, timeTicks(band.durationMs));
}

/** Distribution of times on a logarithmic axis; `sorted` ascending, not empty. */
export function histogram(sorted: readonly number[], what: string): string {
  const [least = 1, most = 1] = [sorted[0], sorted.at(-1)].map((ms) => Math.max(1, ms ?? 1));
  const [from, to] = [Math.floor(Math.log10(least) * 3) / 3, Math.max(Math.ceil(Math.log10(most) * 3 + 0.001) / 3, Math.floor(Math.log10(least) * 3) / 3 + 1)];
  const bins = 36;
  const counts = Array.from({ length: bins }, () => 0);
  for (const ms of sorted) {
    const bin = Math.min(bins - 1, Math.floor(((Math.log10(Math.max(1, ms)) - from) / (to - from)) * bins));
    counts[bin] = (counts[bin] ?? 0) + 1;
  }
  const max = Math.max(...counts);
  const bars = counts.map((times, bin) => {
    const height = times === 0 ? 0 : Math.max(1.5, (times / max) * (HEIGHT - 2));
    return height === 0
      ? ""
      : `<rect class="bar" x="${fixed((bin / bins) * WIDTH + 1.5)}" y="${fixed(HEIGHT - height)}" width="${fixed(WIDTH / bins - 3)}" height="${fixed(height)}"/>`;
  });
  const ticks = [0, 0.5, 1].map((share) => duration(10 ** (from + (to - from) * share)));
  return frame(plot(`Distribution of ${what}, on a logarithmic scale from ${ticks[0]} to ${ticks[2]}`, bars.join("")), "", ticks);
}

/** Attempts over the campaign's time, with what was slow and stalled in them. */
export function timeline(lanes: readonly Lane[], from: number, until: number): string {
  const span = Math.max(1, until - from);
  const share = (at: number): string => `${fixed((Math.min(Math.max(at - from, 0), span) / span) * 100)}%`;
  const width = (ms: number): string => `${Math.max(0.4, Math.round((ms / span) * 1000) / 10)}%`;
  const rows = lanes.map((lane) => {
    // A stream that is given up as soon as it stalls has a stall of no length, which is to be seen all the same.
    const least = { slow: 0, stalled: span / 80 };
    const pieces = lane.episodes
      .toSorted((a, b) => Number(a.kind === "stalled") - Number(b.kind === "stalled"))
      .map(({ kind, fromMs, untilMs }) => {
        const end = untilMs ?? lane.until - lane.from;
        const long = Math.max(end - fromMs, least[kind]);
        return `<rect class="${kind}" x="${share(lane.from + end - long)}" y="2" width="${width(long)}" height="10"/>`;
      });
    const ended =
      lane.standing.word === "failed" || lane.standing.word === "unknown" ? `<rect class="failed" x="${share(lane.until)}" y="0" width="2" height="14"/>` : "";
    const said = lane.episodes.map(
      ({ kind, fromMs, untilMs }) => `${kind} at ${clockTime(fromMs)} for ${untilMs === undefined ? "good" : duration(untilMs - fromMs)}`,
    );
    const label = [`${lane.standing.word}, ran ${duration(lane.until - lane.from)}`, ...said].join("; ");
    const bar = `<rect class="ran" x="${share(lane.from)}" y="5" width="${width(lane.until - lane.from)}" height="4"/>`;
    const svg = `<svg class="lane" role="img" aria-label="${htmlText(label)}">${bar}${pieces.join("")}${ended}</svg>`;
    const name = `${lane.name}${lane.attempt > 1 ? ` (attempt ${lane.attempt})` : ""}`;
    return `<li><span class="who" title="${htmlText(`${lane.subject} · ${name}`)}"><bdi>${htmlText(name)}</bdi></span>${svg}</li>`;
  });
  return `<ol class="timeline">${rows.join("\n")}</ol><div class="timeline-axis">${axis(timeTicks(span))}</div>`;
}

/** A share with its interval, on a line from 0 to 100 %. */
export function interval({ share, low, high }: Share): string {
  const label = `${percent(share)}, 95 % interval ${percent(low)} to ${percent(high)}`;
  const x = (value: number): string => `${fixed(value * 100)}%`;
  return `<svg class="interval" role="img" aria-label="${label}"><rect class="track" x="0" y="7" width="100%" height="2"/><rect class="range" x="${x(low)}" y="4" width="${x(high - low)}" height="8"/><rect class="point" x="${x(share)}" y="1" width="3" height="14"/></svg>`;
}

/** A bar for a count of at most `max`. */
export function countBar(value: number, max: number): string {
  return `<svg class="count" aria-hidden="true"><rect class="bar" x="0" y="3" width="${fixed((value / Math.max(1, max)) * 100)}%" height="8"/></svg>`;
}

function timeTicks(ms: number): readonly string[] {
  const text = ms < 10_000 ? (at: number) => (at === 0 ? "0 s" : `${(at / 1000).toFixed(1)} s`) : clockTime;
  return [0, 0.25, 0.5, 0.75, 1].map((share) => text(ms * share));
}

const axis = (ticks: readonly string[]): string => `<div class="axis" aria-hidden="true">${ticks.map((tick) => `<span>${tick}</span>`).join("")}</div>`;

function frame(svg: string, top: string, ticks: readonly string[]): string {
  return `<div class="chart">${top === "" ? "" : `<span class="top" aria-hidden="true">${top}</span>`}${svg}${axis(ticks)}</div>`;
}
