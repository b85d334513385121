import type { StoredRecord } from "./records.ts";

/** The lowest seq that the holds allow as a floor (contract: `Upkeep.truncate`); Infinity without holds. A hold that cannot be read holds everything. */
export function lowestHold(holds: readonly StoredRecord[]): number {
  let lowest = Infinity;
  for (const hold of holds) lowest = Math.min(lowest, seqOf(hold.value));
  return lowest;
}

function seqOf(value: string): number {
  try {
    const seq = (JSON.parse(value) as { seq?: unknown } | null)?.seq;
    return typeof seq === "number" ? seq : 0;
  } catch {
    return 0;
  }
}
