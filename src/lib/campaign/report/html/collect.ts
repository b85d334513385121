import { cutText } from "../../../model/cut-text.ts";
import type { Attempt, Episode } from "../../attempt.ts";
import { readBattles, type ReportSource } from "../source.ts";
import { battleStanding, itemName, reasonOf, type Standing, standing } from "../words.ts";
import { type Curve, readCurve } from "./curves.ts";

/** What the page shows of a campaign, gathered in one reading of its attempts and one of the streams that are drawn. */
export interface Collected {
  /** Those in trouble first; at most `LIMITS.rows`. */
  readonly rows: readonly Row[];
  readonly battles: number;
  /** Attempts with slow or stalled times or a failure, stalled ones first; at most `LIMITS.lanes`. */
  readonly lanes: readonly Lane[];
  readonly lanesOf: number;
  /** From the first start to the last end, ms since the epoch. */
  readonly from: number;
  readonly until: number;
  /** Failures by class and code, the most frequent first. */
  readonly failures: readonly FailureCount[];
  /** Times to the first content, ms, of all attempts, ascending. */
  readonly ttft: readonly number[];
  /** Gaps between contents, ms, of the streams that were read, ascending. */
  readonly gaps: readonly number[];
  /** Curves of the streams that were read. */
  readonly curves: ReadonlyMap<string, Curve>;
}

/** Limits of the page; it says where one was met. */
export const LIMITS = { rows: 20_000, lanes: 60, curves: 400, text: 600 } as const;

/** One battle. */
export interface Row {
  readonly battle: string;
  readonly subject: string;
  readonly name: string;
  readonly standing: Standing;
  readonly score: number | undefined;
  readonly reason: string;
  readonly answer: string;
  readonly attempts: number;
  readonly result: Pick<Attempt, "attempt" | "measured" | "startedAt" | "endedAt" | "battle">;
  readonly episodes: readonly Episode[];
}

/** One attempt on the timeline. */
export interface Lane {
  readonly subject: string;
  readonly name: string;
  readonly attempt: number;
  readonly from: number;
  readonly until: number;
  readonly standing: Standing;
  readonly reason: string;
  readonly episodes: readonly Episode[];
}

/** How often it happened. */
export interface FailureCount {
  readonly class: string;
  readonly code: string;
  readonly times: number;
  readonly example: string;
}

/** Reads what the page shows. */
export async function collect(source: ReportSource): Promise<Collected> {
  const rows: Row[] = [];
  const lanes: Lane[] = [];
  const failures = new Map<string, { class: string; code: string; times: number; example: string }>();
  const ttft: number[] = [];
  let [battles, from, until] = [0, Number.POSITIVE_INFINITY, 0];
  for await (const one of readBattles(source)) {
    const { battle, subject, result, attempts } = one;
    battles += 1;
    for (const attempt of attempts) {
      const end = attempt.endedAt ?? attempt.startedAt + attempt.measured.durationMs;
      from = Math.min(from, attempt.startedAt);
      until = Math.max(until, end);
      if (attempt.measured.ttftMs !== undefined) ttft.push(attempt.measured.ttftMs);
      if (attempt.outcome?.kind === "failed") {
        const { class: kind, code, message } = attempt.outcome.failure;
        const key = `${kind} ${code}`;
        const known = failures.get(key) ?? { class: kind, code, times: 0, example: cut(message) };
        known.times += 1;
        failures.set(key, known);
      }
      if (attempt.episodes.length === 0 && attempt.outcome?.kind !== "failed" && attempt.outcome?.kind !== "unknown") continue;
      const { startedAt, episodes } = attempt;
      const place = { subject, name: itemName(attempt), attempt: attempt.attempt, from: startedAt, until: end };
      lanes.push({ ...place, standing: standing(attempt), reason: cut(reasonOf(attempt)), episodes });
    }
    const { outcome, measured, attempt, startedAt, endedAt, episodes } = result;
    rows.push({
      battle,
      subject,
      name: itemName(result),
      standing: battleStanding(one),
      score: outcome?.kind === "judged" ? outcome.verdict.score : undefined,
      reason: cut(reasonOf(result)),
      answer: outcome?.kind === "judged" ? cut(outcome.answer) : "",
      attempts: attempts.length,
      result: { battle, attempt, measured, startedAt, ...(endedAt !== undefined && { endedAt }) },
      episodes,
    });
  }
  rows.sort((a, b) => trouble(b) - trouble(a));
  lanes.sort((a, b) => weight(b) - weight(a));
  const { curves, gaps } = await readCurves(rows, source.ledger);
  return {
    rows: rows.slice(0, LIMITS.rows),
    battles,
    lanes: lanes.slice(0, LIMITS.lanes).sort((a, b) => a.from - b.from),
    lanesOf: lanes.length,
    from: Math.min(from, until),
    until,
    failures: [...failures.values()].sort((a, b) => b.times - a.times),
    ttft: ttft.sort((a, b) => a - b),
    gaps,
    curves,
  };
}

/** Streams are read for those in trouble first (at most half), then for battles evenly over the rest. */
async function readCurves(rows: readonly Row[], ledger: ReportSource["ledger"]): Promise<Pick<Collected, "curves" | "gaps">> {
  const troubled = rows.slice(0, rows.length <= LIMITS.curves ? rows.length : LIMITS.curves / 2);
  const rest = rows.slice(troubled.length);
  const step = Math.max(1, rest.length / (LIMITS.curves - troubled.length || 1));
  const even = Array.from({ length: Math.min(rest.length, LIMITS.curves - troubled.length) }, (_, index) => rest[Math.floor(index * step)]);
  const curves = new Map<string, Curve>();
  const gaps: number[] = [];
  for (const row of [...troubled, ...even]) {
    if (row === undefined) continue;
    const curve = await readCurve(ledger.events(row.battle, row.result.attempt), row.result);
    if (curve === undefined) continue;
    curves.set(row.battle, curve);
    for (const gap of curve.gaps) gaps.push(gap);
  }
  return { curves, gaps: gaps.sort((a, b) => a - b) };
}

const stalledIn = (episodes: readonly Episode[]): boolean => episodes.some(({ kind }) => kind === "stalled");

function trouble({ standing: { word }, attempts, episodes }: Row): number {
  const end = word === "failed" || word === "unknown" ? 8 : word === "not passed" ? 4 : 0;
  return end + (stalledIn(episodes) ? 2 : 0) + (attempts > 1 || episodes.length > 0 ? 1 : 0);
}

function weight({ standing: { word }, episodes }: Lane): number {
  return (stalledIn(episodes) ? 4 : 0) + (episodes.length > 0 ? 2 : 0) + (word === "failed" ? 1 : 0);
}

const cut = (text: string): string => cutText(text, LIMITS.text);
