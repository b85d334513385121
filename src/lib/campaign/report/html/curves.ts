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
 * The curve of a stream. Its tokens (as they were measured) are spread over its contents by their size, because a content need not be one token.
 * Undefined of a stream without content, for example of a subject that answered as a whole.
 */
export async function readCurve(
  events: AsyncIterable<LedgerEvent>,
  { startedAt, measured }: Pick<Attempt, "startedAt" | "measured">,
): Promise<Curve | undefined> {
  const sizes: { readonly at: number; readonly size: number }[] = [];
  for await (const { at, event } of events) {
    const size = contentSize(event);
    if (size > 0) sizes.push({ at: at - startedAt, size });
  }
  const [first, last] = [sizes[0], sizes.at(-1)];
  if (first === undefined || last === undefined || measured.durationMs <= 0) return undefined;
  const durationMs = Math.max(measured.durationMs, last.at);
  const total = sizes.reduce((sum, one) => sum + one.size, 0);
  const perSize = measured.tokens / total / (durationMs / BINS / 1000);
  const rates = Array.from({ length: BINS }, () => 0);
  for (const { at, size } of sizes) {
    const bin = Math.min(BINS - 1, Math.max(0, Math.floor((at / durationMs) * BINS)));
    rates[bin] = (rates[bin] ?? 0) + size * perSize;
  }
  return { durationMs, rates, gaps: sizes.slice(1).map(({ at }, index) => Math.max(0, at - (sizes[index]?.at ?? at))) };
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
