import type { Attempt } from "../attempt.ts";
import { csvCell } from "./escape.ts";
import type { ReportSource } from "./source.ts";
import { standing } from "./words.ts";

type Cell = string | number | boolean | undefined;

const round = (value: number | undefined, digits = 0): number | undefined =>
  value === undefined ? undefined : Math.round(value * 10 ** digits) / 10 ** digits;

/** The columns, in order. Times are ISO 8601 in UTC, durations ms. */
const COLUMNS: Readonly<Record<string, (attempt: Attempt) => Cell>> = {
  subject: ({ subject }) => subject,
  item: ({ item }) => item,
  repeat: ({ repeat }) => repeat,
  attempt: ({ attempt }) => attempt,
  outcome: (attempt) => standing(attempt).word,
  counts: ({ discounted }) => discounted !== true,
  pass: ({ outcome }) => (outcome?.kind === "judged" ? outcome.verdict.pass : undefined),
  score: ({ outcome }) => (outcome?.kind === "judged" ? outcome.verdict.score : undefined),
  failureClass: ({ outcome }) => (outcome?.kind === "failed" ? outcome.failure.class : undefined),
  failureCode: ({ outcome }) => (outcome?.kind === "failed" ? outcome.failure.code : undefined),
  reason: ({ outcome }) =>
    outcome?.kind === "judged"
      ? outcome.verdict.reason
      : outcome?.kind === "failed"
        ? outcome.failure.message
        : outcome?.kind === "unknown"
          ? outcome.why
          : undefined,
  evidence: ({ outcome }) => (outcome?.kind === "failed" ? outcome.failure.evidence?.kind : undefined),
  answer: ({ outcome }) => (outcome?.kind === "judged" ? outcome.answer : undefined),
  startedAt: ({ startedAt }) => new Date(startedAt).toISOString(),
  durationMs: ({ measured }) => round(measured.durationMs),
  workedMs: ({ measured }) => round(measured.workedMs),
  tokens: ({ measured }) => measured.tokens,
  events: ({ measured }) => measured.events,
  tokensPerSecond: ({ measured }) => round(measured.tokensPerSecond, 2),
  ttftMs: ({ measured }) => round(measured.ttftMs),
  gapP50Ms: ({ measured }) => round(measured.gapP50Ms, 1),
  gapP95Ms: ({ measured }) => round(measured.gapP95Ms, 1),
  gapMaxMs: ({ measured }) => round(measured.gapMaxMs, 1),
  stalls: ({ episodes }) => episodes.filter(({ kind }) => kind === "stalled").length,
  slow: ({ episodes }) => episodes.filter(({ kind }) => kind === "slow").length,
  liveness: ({ liveness }) => liveness?.mode,
  livenessWhy: ({ liveness }) => liveness?.why,
  taskId: ({ taskId }) => taskId,
  contextId: ({ contextId }) => contextId,
};

/** One attempt a row, with a header; lines end in CRLF (RFC 4180). */
export async function* toCsv({ ledger }: ReportSource): AsyncGenerator<string, void, undefined> {
  yield `${Object.keys(COLUMNS).join(",")}\r\n`;
  const columns = Object.values(COLUMNS);
  for await (const attempt of ledger.attempts()) yield `${columns.map((column) => csvCell(column(attempt))).join(",")}\r\n`;
}
