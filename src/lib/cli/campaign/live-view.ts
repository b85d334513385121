import { gapFigure } from "../../liveness/gaps.ts";
import { clockTime, count, counted, duration, rate } from "../../campaign/report/words.ts";
import type { ScreenLine, Span, Tone } from "../screen.ts";
import { fitLine, fitText, padText, textWidth } from "../text-width.ts";
import { type LiveBattle, type LiveState, nameOf, shortName, type Spread } from "./live-state.ts";

/** Where and when it is seen. */
export interface ViewSize {
  readonly columns: number;
  readonly rows: number;
  /** Of the same clock as the state's times. */
  readonly now: number;
}

/** After so long without content a rate is not of now. */
const FRESH_MS = 3000;
const MIN_BATTLES = 3;
const MAX_RECENT = 4;
const SEPARATOR = " · ";

/** A running campaign as lines that fit the window: totals, then battles (those in trouble first, the rest summed up), then what happened last. */
export function renderLive(state: LiveState, { columns, rows, now }: ViewSize): readonly ScreenLine[] {
  const head = [...title(state, columns), ...flow(numbers(state, now), columns), ...flow(trouble(state), columns)];
  // The last row of the window belongs to the cursor.
  const room = rows - 1 - head.length;
  const battles = battleRows(state, columns, now);
  const recent = room >= battles.length + 2 + MAX_RECENT ? MAX_RECENT : Math.max(0, Math.min(MAX_RECENT, room - MIN_BATTLES - 3));
  const shownNews = recent === 0 ? [] : state.news.slice(-recent);
  const forBattles = room - 1 - (shownNews.length > 0 ? shownNews.length + 1 : 0);
  const shown = battles.length <= forBattles ? battles.length : Math.max(0, forBattles - 1);
  const lines: ScreenLine[] = [...head];
  if (battles.length > 0 && forBattles > 0) lines.push([], ...battles.slice(0, shown).map(({ line }) => line));
  if (shown < battles.length && forBattles > 0) lines.push(sumUp(battles.slice(shown), shown));
  if (shownNews.length > 0)
    lines.push(
      [],
      ...shownNews.map(({ text, tone }) => [
        { text: "› ", tone: "quiet" as const },
        { text, tone },
      ]),
    );
  return lines.slice(0, Math.max(1, rows - 1)).map((line) => fitLine(line, columns));
}

function title(state: LiveState, columns: number): readonly ScreenLine[] {
  const share = state.target === 0 ? 0 : Math.min(1, state.judged / state.target);
  const said: Span = { text: `${count(state.judged)}/${count(state.target)} judged`, tone: "strong" };
  const width = Math.max(0, Math.min(30, columns - textWidth(said.text) - 1));
  const full = Math.round(share * width);
  const bar: ScreenLine = [{ text: "━".repeat(full), tone: "good" }, { text: "━".repeat(width - full), tone: "quiet" }, { text: " " }, said];
  const name: Span = { text: fitText(state.campaign, columns), tone: "strong" };
  const both = textWidth(name.text) + 2 + width + 1 + textWidth(said.text);
  return both <= columns ? [[name, { text: "  " }, ...bar]] : [[name], bar];
}

function numbers(state: LiveState, now: number): readonly Span[] {
  const running = [...state.running.values()];
  const tokens = running.reduce((sum, battle) => sum + battle.tokens, state.tokens);
  const speed = running.reduce((sum, battle) => sum + (freshRate(battle, now) ?? 0), 0);
  const judged = state.judged - state.judgedBefore;
  const left = state.target - state.judged;
  return [
    ...(judged > 0 ? [{ text: `${count(state.passed)} of ${count(judged)} passed` }] : []),
    { text: counted(tokens, "token") },
    { text: `${rate(speed)} tok/s` },
    ...distribution("TTFT", state.ttft, state.ttft),
    ...distribution("gap", state.gapMedians, state.gapTails),
    { text: clockTime(now - state.startedAt) },
    ...eta(state, judged, left, now),
  ];
}

/** From the pace so far, but not before the last retry begins. Of what is under way the pace says nothing: when nothing else is left there is no telling. */
function eta(state: LiveState, judged: number, left: number, now: number): readonly Span[] {
  if (judged < 2 || left <= state.running.size) return [];
  const waits = Math.max(0, ...[...state.waiting.values()].map(({ until }) => until - now));
  const ms = Math.max(((now - state.startedAt) / judged) * left, waits);
  return ms < 1000 ? [] : [{ text: `ETA ${clockTime(ms)}` }];
}

function distribution(name: string, medians: Spread, tails: Spread): readonly Span[] {
  const [p50, p95] = [gapFigure(medians.gaps, 0.5, medians), gapFigure(tails.gaps, 0.95, tails)];
  return p50 === undefined || p95 === undefined ? [] : [{ text: `${name} p50 ${duration(p50)} p95 ${duration(p95)}` }];
}

function trouble({ stalls, slow, retries, attempts, running, waiting }: LiveState): readonly Span[] {
  const tried = [...retries.values()].reduce((sum, one) => sum + one, 0);
  const classes = [...retries].map(([name, times]) => `${times} ${name}`).join(", ");
  return [
    { text: `${count(running.size)} running` },
    ...(waiting.size > 0 ? [{ text: `${count(waiting.size)} waiting` }] : []),
    { text: counted(attempts, "attempt") },
    ...(stalls > 0 ? [{ text: counted(stalls, "stall"), tone: "bad" as const }] : []),
    ...(slow > 0 ? [{ text: `${count(slow)} slow`, tone: "warn" as const }] : []),
    ...(tried > 0 ? [{ text: `${tried === 1 ? "1 retry" : `${count(tried)} retries`} (${classes})`, tone: "warn" as const }] : []),
  ];
}

interface Row {
  /** What it is summed up under. */
  readonly what: string;
  readonly line: ScreenLine;
}

/** One row a battle: those in trouble first, then the oldest, then those that wait. */
function battleRows(state: LiveState, columns: number, now: number): readonly Row[] {
  const named = state.subjects.size > 1 ? nameOf : shortName;
  const rank = ({ phase }: LiveBattle): number => (phase === "stalled" ? 0 : phase === "slow" ? 1 : 2);
  const running = [...state.running].sort(([, a], [, b]) => rank(a) - rank(b) || a.startedAt - b.startedAt);
  const waiting = [...state.waiting].sort(([, a], [, b]) => a.until - b.until);
  return [
    ...running.map(([battle, live]): Row => {
      const fresh = freshRate(live, now);
      const isQuiet = live.phase === "generating" && fresh === undefined && live.contentAt !== undefined;
      const speed = fresh !== undefined ? `${rate(fresh)} tok/s` : isQuiet ? `quiet ${duration(now - (live.contentAt ?? now))}` : "";
      const name = live.attempt === 1 ? named(battle) : `${named(battle)} (attempt ${live.attempt})`;
      const phase = `${wordOf(live.phase)} ${clockTime(now - live.since)}`;
      return { what: wordOf(live.phase), line: row(columns, { name, phase, tone: toneOf(live.phase), speed, tokens: counted(live.tokens, "token") }) };
    }),
    ...waiting.map(([battle, { until, why }]): Row => ({
      what: "waiting",
      line: row(columns, { name: named(battle), phase: `retrying in ${clockTime(until - now)}`, tone: "quiet", speed: why, tokens: "" }),
    })),
  ];
}

interface Cells {
  readonly name: string;
  readonly phase: string;
  readonly tone: Tone | undefined;
  readonly speed: string;
  readonly tokens: string;
}

/** Columns go where there is no room for them: tokens first, then the speed. */
function row(columns: number, { name, phase, tone, speed, tokens }: Cells): ScreenLine {
  const phaseWidth = Math.min(20, Math.floor(columns / 2));
  const speedWidth = columns >= 56 ? 13 : 0;
  const tokensWidth = columns >= 76 ? 15 : 0;
  const nameWidth = Math.min(48, columns - phaseWidth - speedWidth - tokensWidth - 3);
  return [
    { text: "  " },
    { text: padText(name, nameWidth) },
    { text: " " },
    { text: padText(phase, phaseWidth), ...(tone !== undefined && { tone }) },
    ...(speedWidth > 0 ? [{ text: padText(speed, speedWidth, "start") }] : []),
    ...(tokensWidth > 0 ? [{ text: padText(tokens, tokensWidth, "start"), tone: "quiet" as const }] : []),
  ];
}

function sumUp(rest: readonly Row[], shown: number): ScreenLine {
  const counts = [...Map.groupBy(rest, ({ what }) => what)].map(([what, all]) => `${count(all.length)} ${what}`);
  return [{ text: `  ${shown > 0 ? "… and" : "in all"} ${count(rest.length)}${shown > 0 ? " more" : ""}: ${counts.join(", ")}`, tone: "quiet" }];
}

function freshRate({ phase, tokensPerSecond, contentAt }: LiveBattle, now: number): number | undefined {
  const isNow = contentAt !== undefined && now - contentAt <= FRESH_MS;
  return isNow && (phase === "generating" || phase === "slow") ? tokensPerSecond : undefined;
}

/** A subject that has ended is judged. */
const wordOf = (phase: LiveBattle["phase"]): string => (phase === "ended" ? "judging" : phase);

function toneOf(phase: LiveBattle["phase"]): Tone | undefined {
  if (phase === "stalled") return "bad";
  if (phase === "slow" || phase === "retry-wait" || phase === "waiting-input") return "warn";
  return phase === "generating" ? "good" : undefined;
}

/** Pieces with dots between, on as many lines as they need. */
function flow(pieces: readonly Span[], columns: number): readonly ScreenLine[] {
  const lines: Span[][] = [];
  let used = 0;
  for (const piece of pieces) {
    const width = textWidth(piece.text);
    const line = lines.at(-1);
    if (line === undefined || used + SEPARATOR.length + width > columns) {
      lines.push([piece]);
      used = width;
    } else {
      line.push({ text: SEPARATOR, tone: "quiet" }, piece);
      used += SEPARATOR.length + width;
    }
  }
  return lines;
}
