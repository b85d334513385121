import { readExtension } from "../../model/extension.ts";
import type { BattleRow, CampaignBoard } from "../../model/api.ts";
import type { Attempt } from "../attempt.ts";
import type { Ledger, LedgerEvent } from "../ledger.ts";
import { type BattleSource, readBattles } from "../report/source.ts";
import { reasonOf, standing } from "../report/words.ts";

/** The battles that are shown, and what all of them amount to, as a campaign's summary counts. */
export interface Board extends Pick<CampaignBoard, "battles" | "total" | "judged" | "passed" | "failed" | "attempts" | "stalls" | "tokens"> {}

/** The battles of a campaign for a board: those that run first, the longest-running at the top, then those that ended, the newest first. */
export async function readBoard(
  source: BattleSource & { readonly ledger: Pick<Ledger, "events"> },
  { limit, live }: { readonly limit: number; readonly live: LivePhases },
): Promise<Board> {
  const running: Attempt[] = [];
  const ended: { readonly attempt: Attempt; readonly waits: boolean }[] = [];
  const counts = { total: 0, judged: 0, passed: 0, failed: 0, attempts: 0, stalls: 0, tokens: 0 };
  for await (const { attempts, result, state } of readBattles(source)) {
    counts.total += 1;
    counts.attempts += attempts.length;
    for (const { measured, episodes } of attempts) {
      counts.tokens += measured.tokens;
      counts.stalls += episodes.filter(({ kind }) => kind === "stalled").length;
    }
    if (state === "judged") counts.judged += 1;
    if (result.outcome?.kind === "judged" && result.outcome.verdict.pass && state === "judged") counts.passed += 1;
    if (state === "given-up") counts.failed += 1;
    const last = attempts.at(-1);
    if (last !== undefined && last.outcome === undefined) running.push(last);
    else ended.push({ attempt: result, waits: state === "waiting" });
  }
  running.sort((a, b) => a.startedAt - b.startedAt);
  ended.sort((a, b) => (b.attempt.endedAt ?? 0) - (a.attempt.endedAt ?? 0));
  const shown = running.slice(0, limit);
  const rows = await Promise.all(shown.map(async (attempt) => runningRow(attempt, await live.of(source.ledger, attempt))));
  live.keep(shown);
  return { battles: [...rows, ...ended.slice(0, Math.max(0, limit - rows.length)).map(endedRow)], ...counts };
}

/** In which phase a running attempt is, and what it has made. */
export interface LivePhase {
  readonly phase: string;
  readonly since: number;
  readonly tokens: number;
  readonly firstAt: number | undefined;
  readonly lastAt: number;
  readonly episodes: BattleRow["episodes"];
}

/** The phases of running attempts, read from their streams as these grow. */
export interface LivePhases {
  of(ledger: Pick<Ledger, "events">, attempt: Attempt): Promise<LivePhase>;
  /** Forgets all others. */
  keep(attempts: readonly Attempt[]): void;
}

interface Followed {
  seq: number;
  state: LivePhase;
  /** The phase that a slow or stalled one goes back to. */
  activity: string;
}

/** Follows no stream yet. */
export function createLivePhases(): LivePhases {
  const followed = new Map<string, Followed>();
  return {
    async of(ledger, attempt) {
      const id = idOf(attempt);
      const { startedAt } = attempt;
      const state: LivePhase = { phase: "connecting", since: startedAt, tokens: 0, firstAt: undefined, lastAt: startedAt, episodes: [] };
      const one = followed.get(id) ?? { seq: 0, state, activity: "connecting" };
      followed.set(id, one);
      for await (const event of ledger.events(attempt.battle, attempt.attempt, { after: one.seq })) {
        one.seq = event.seq;
        apply(one, event, startedAt);
      }
      return one.state;
    },
    keep(attempts) {
      const kept = new Set(attempts.map(idOf));
      for (const id of followed.keys()) if (!kept.has(id)) followed.delete(id);
    },
  };
}

function idOf({ battle, attempt }: Pick<Attempt, "battle" | "attempt">): string {
  return `${battle} ${attempt}`;
}

/** The runner notes phases, slow and stalled episodes between what arrived; an arrived chunk of text counts as a token. */
function apply(one: Followed, { at, event }: LedgerEvent, startedAt: number): void {
  const { state } = one;
  const enter = (phase: string): void => {
    if (one.state.phase !== phase) one.state = { ...one.state, phase, since: at };
  };
  const close = (): BattleRow["episodes"] =>
    one.state.episodes.map((episode) => (episode.untilMs === undefined ? { ...episode, untilMs: at - startedAt } : episode));
  const data = readExtension(event);
  if (data?.kind === "note" && data.name === "phase" && typeof data.value === "string") {
    one.activity = data.value;
    enter(data.value);
  } else if (data?.kind === "liveness" && (data.phase === "slow" || data.phase === "stalled")) {
    const activity = data.phase === "slow" ? data.activity : data.stall.activity;
    one.state = { ...state, episodes: [...close(), { kind: data.phase, fromMs: at - startedAt, activity }] };
    enter(data.phase);
  } else if (data?.kind === "liveness" && data.phase === "recovered") {
    one.state = { ...state, episodes: close() };
    enter(one.activity);
  } else if ("artifactUpdate" in event || ("statusUpdate" in event && event.statusUpdate.status.message !== undefined)) {
    one.state = { ...state, tokens: state.tokens + 1, firstAt: state.firstAt ?? at, lastAt: at };
  }
}

function runningRow(attempt: Attempt, live: LivePhase): BattleRow {
  const { firstAt, lastAt, tokens } = live;
  const spanMs = firstAt === undefined ? 0 : lastAt - firstAt;
  return {
    ...common(attempt),
    phase: live.phase,
    running: true,
    since: live.since,
    tokens,
    ...(firstAt !== undefined && { ttftMs: firstAt - attempt.startedAt }),
    ...(spanMs > 0 && { tokensPerSecond: ((tokens - 1) * 1000) / spanMs }),
    episodes: live.episodes,
  };
}

function endedRow({ attempt, waits }: { readonly attempt: Attempt; readonly waits: boolean }): BattleRow {
  const { outcome, measured, episodes } = attempt;
  const why = reasonOf(attempt);
  return {
    ...common(attempt),
    phase: waits ? "waiting to retry" : standing(attempt).word,
    running: false,
    since: attempt.endedAt ?? attempt.startedAt,
    tokens: measured.tokens,
    ...(measured.tokensPerSecond !== undefined && { tokensPerSecond: measured.tokensPerSecond }),
    ...(measured.ttftMs !== undefined && { ttftMs: measured.ttftMs }),
    ...(outcome?.kind === "judged" && { score: outcome.verdict.score }),
    ...(why !== "" && { why }),
    episodes: episodes.map(({ kind, fromMs, untilMs, activity }) => ({ kind, fromMs, activity, ...(untilMs !== undefined && { untilMs }) })),
  };
}

function common({ battle, subject, item, repeat, attempt, startedAt, liveness }: Attempt) {
  return { battle, subject, item, repeat, attempt, startedAt, ...(liveness !== undefined && { liveness }) };
}
