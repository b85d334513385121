import type { Part, StreamResponse } from "../../../model/a2a.ts";
import { readExtension } from "../../../model/extension.ts";
import type { Attempt } from "../../attempt.ts";
import type { LedgerEvent } from "../../ledger.ts";
import { quantile } from "../statistics.ts";

/** How fast one stream brought tokens, from the attempt's start to its end. */
export interface Curve {
  readonly durationMs: number;
  /** Tokens a second in each of `BINS` equal pieces of the duration. */
  readonly rates: readonly number[];
  /** Between contents, ms, by arrival. */
  readonly gaps: readonly number[];
}

/** Pieces of a curve. */
export const BINS = 60;

/**
 * The curve of a stream. Its tokens (as they were measured) are spread over its contents by their size, because a content need not be one token, and over the time
 * since the content before.
 * Undefined of a stream without content, for example of a subject that answered as a whole.
 */
export async function readCurve(
  events: AsyncIterable<LedgerEvent>,
  { startedAt, measured }: Pick<Attempt, "startedAt" | "measured">,
): Promise<Curve | undefined> {
  const sizes: Content[] = [];
  for await (const { at, event } of events) {
    const size = contentSize(event);
    if (size > 0) sizes.push({ at: at - startedAt, size });
  }
  const [first, last] = [sizes[0], sizes.at(-1)];
  if (first === undefined || last === undefined || measured.durationMs <= 0) return undefined;
  const durationMs = Math.max(measured.durationMs, last.at);
  const gaps = sizes.slice(1).map(({ at }, index) => Math.max(0, at - (sizes[index]?.at ?? at)));
  return { durationMs, rates: spread(sizes, gaps, { durationMs, tokens: measured.tokens }), gaps };
}

interface Content {
  readonly at: number;
  readonly size: number;
}

/** A content was made in the time since the one before; the first one, where nothing says it, in a usual gap. */
function spread(contents: readonly Content[], gaps: readonly number[], { durationMs, tokens }: { readonly durationMs: number; readonly tokens: number }) {
  const total = contents.reduce((sum, one) => sum + one.size, 0);
  const usual =
    quantile(
      [...gaps].sort((a, b) => a - b),
      0.5,
    ) ?? 0;
  const width = durationMs / BINS;
  const rates = Array.from({ length: BINS }, () => 0);
  for (const [index, { at, size }] of contents.entries()) {
    const from = Math.max(0, at - (gaps[index - 1] ?? usual));
    const bin = (ms: number): number => Math.min(BINS - 1, Math.max(0, Math.floor(ms / width)));
    const perSecond = ((size / total) * tokens) / (width / 1000);
    for (let one = bin(from); one <= bin(at); one += 1) {
      const overlap = Math.min(at, (one + 1) * width) - Math.max(from, one * width);
      rates[one] = (rates[one] ?? 0) + perSecond * (at > from ? Math.max(0, overlap) / (at - from) : 1);
    }
  }
  return rates;
}

/** Characters of content that an event brings; 0 of others. */
function contentSize(event: StreamResponse): number {
  if ("artifactUpdate" in event) return sizeOf(event.artifactUpdate.artifact.parts);
  if ("message" in event) return sizeOf(event.message.parts);
  if ("task" in event) return sizeOf((event.task.artifacts ?? []).flatMap(({ parts }) => parts)) + sizeOf(event.task.status.message?.parts ?? []);
  const data = readExtension(event);
  if (data === undefined || data.kind === "failure") return sizeOf(event.statusUpdate.status.message?.parts ?? []);
  return data.kind === "reasoning" && data.path === undefined ? data.size : 0;
}

function sizeOf(parts: readonly Part[]): number {
  return parts.reduce((sum, part) => sum + (part.text?.length ?? (part.data === undefined ? 1 : JSON.stringify(part.data).length)), 0);
}

/** What many curves have in common. */
export interface Band {
  /** From the attempts' start on, ms. */
  readonly durationMs: number;
  /** In each of `BINS` pieces: the 10th, 50th and 90th percentile over the streams that still run then. */
  readonly low: readonly number[];
  readonly middle: readonly number[];
  readonly high: readonly number[];
}

/** The band of curves, as long as at least a tenth of them run; undefined without curves. */
export function toBand(curves: readonly Curve[]): Band | undefined {
  const durations = curves.map((curve) => curve.durationMs).sort((a, b) => a - b);
  const durationMs = quantile(durations, 0.9);
  if (durationMs === undefined) return undefined;
  const bins = Array.from({ length: BINS }, (_, bin) => {
    const at = ((bin + 0.5) / BINS) * durationMs;
    return curves
      .filter((curve) => curve.durationMs >= at)
      .map((curve) => curve.rates[Math.min(BINS - 1, Math.floor((at / curve.durationMs) * BINS))] ?? 0)
      .sort((a, b) => a - b);
  });
  const at = (q: number): readonly number[] => bins.map((rates) => quantile(rates, q) ?? 0);
  return { durationMs, low: at(0.1), middle: at(0.5), high: at(0.9) };
}
