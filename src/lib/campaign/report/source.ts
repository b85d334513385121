import type { Attempt } from "../attempt.ts";
import type { Campaign } from "../campaign.ts";
import type { Ledger } from "../ledger.ts";
import type { Summary } from "../progress.ts";

/** What exports are made from: a ledger that is only read, and what it amounts to. */
export interface ReportSource {
  readonly campaign: Campaign;
  readonly hash: string;
  /** ms since the epoch. */
  readonly createdAt: number;
  readonly summary: Summary;
  readonly ledger: Pick<Ledger, "attempts" | "events">;
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
}

/** The battles of a ledger in the order of their keys; memory holds one at a time. */
export async function* readBattles(attempts: AsyncIterable<Attempt>): AsyncGenerator<Battle, void, undefined> {
  let open: Attempt[] = [];
  for await (const attempt of attempts) {
    if (open.length > 0 && open[0]?.battle !== attempt.battle) {
      yield toBattle(open);
      open = [];
    }
    open.push(attempt);
  }
  if (open.length > 0) yield toBattle(open);
}

function toBattle(attempts: readonly Attempt[]): Battle {
  const counting = attempts.filter(({ discounted }) => discounted !== true);
  const result = counting.findLast(({ outcome }) => outcome?.kind === "judged") ?? counting.at(-1) ?? attempts.at(-1);
  if (result === undefined) throw new RangeError("A battle has at least one attempt.");
  const { battle, subject, item, repeat } = result;
  return { battle, subject, item, repeat, attempts, result };
}
