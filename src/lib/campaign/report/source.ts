import type { Attempt } from "../attempt.ts";
import type { Campaign, Retries } from "../campaign.ts";
import type { Ledger } from "../ledger.ts";
import type { Summary } from "../progress.ts";
import { type BattleState, stateOfBattle } from "../retry-rule.ts";

/** What exports are made from: a ledger that is only read, and what it amounts to. */
export interface ReportSource {
  readonly campaign: Campaign;
  readonly hash: string;
  /** ms since the epoch. */
  readonly createdAt: number;
  readonly summary: Summary;
  readonly ledger: Pick<Ledger, "attempts" | "attemptsOf" | "events">;
}

/** One battle: its attempts in order, and the one that stands for it. */
export interface Battle {
  readonly battle: string;
  readonly subject: string;
  readonly item: string;
  readonly repeat: number;
  readonly attempts: readonly Attempt[];
  /** The judged one that counts, else the last that counts, else the last. */
  readonly result: Attempt;
  readonly state: BattleState;
}

/** What battles are read from. */
export interface BattleSource {
  readonly campaign: { readonly retries: Retries };
  readonly ledger: Pick<Ledger, "attempts">;
  readonly summary: Pick<Summary, "state">;
}

/** The battles of a ledger in the order of their keys; memory holds one at a time. */
export async function* readBattles({ campaign, ledger, summary }: BattleSource): AsyncGenerator<Battle, void, undefined> {
  // Of a campaign that has ended nothing is tried again, whatever retries are left.
  const isOver = summary.state === "exhausted" || summary.state === "canceled";
  let open: Attempt[] = [];
  for await (const attempt of ledger.attempts()) {
    if (open.length > 0 && open[0]?.battle !== attempt.battle) {
      yield toBattle(open, campaign.retries, isOver);
      open = [];
    }
    open.push(attempt);
  }
  if (open.length > 0) yield toBattle(open, campaign.retries, isOver);
}

/** The battles that ended without a verdict: what `requeue` with `failed` means. */
export async function battlesWithoutVerdict(source: BattleSource): Promise<readonly string[]> {
  const found: string[] = [];
  for await (const { battle, result } of readBattles(source)) if (result.outcome !== undefined && result.outcome.kind !== "judged") found.push(battle);
  return found;
}

function toBattle(attempts: readonly Attempt[], retries: Retries, isOver: boolean): Battle {
  const { state, last } = stateOfBattle(attempts, retries);
  const result = last ?? attempts.at(-1);
  if (result === undefined) throw new RangeError("A battle has at least one attempt.");
  const { battle, subject, item, repeat } = result;
  return { battle, subject, item, repeat, attempts, result, state: state === "waiting" && isOver ? "given-up" : state };
}
