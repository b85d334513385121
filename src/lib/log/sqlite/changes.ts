import type { DatabaseSync } from "node:sqlite";
import type { Doorbells, Rung } from "../doorbells.ts";
import type { Change } from "../log.ts";
import type { SqliteStream } from "./stream.ts";
import type { Streams } from "./streams.ts";

/** What changes are found in besides the rows. */
export interface OlderParts {
  readonly database: DatabaseSync;
  readonly streams: Streams;
  readonly bells: Pick<Doorbells<SqliteStream>, "floor" | "since">;
  /** The position where this process began. */
  readonly start: number;
}

/**
 * The changes up to where this process began, or up to the doorbells' floor if that is later, out of the streams' rows and of the doorbells that are left;
 * undefined from there on. Streams that changed since are left out: the doorbells know them.
 */
export function createOlderChanges({
  database,
  streams,
  bells,
  start,
}: OlderParts): (after: number, limit: number, tenant: string | undefined) => Rung | undefined {
  const select = database.prepare("SELECT id, changed FROM streams WHERE changed > ? AND changed <= ? AND (? IS NULL OR tenant = ?) ORDER BY changed LIMIT ?");
  return (after, limit, tenant) => {
    const end = Math.max(start, bells.floor);
    if (after >= end) return undefined;
    const found = new Map<number, Change | undefined>();
    for (const row of select.all(after, end, tenant ?? null, tenant ?? null, limit)) {
      const position = Number(row["changed"]);
      const stream = streams.byId(Number(row["id"]));
      found.set(position, stream?.changed === position ? { position, key: stream.key, seq: stream.head } : undefined);
    }
    // Rows lag behind streams that are written to; their doorbells are kept.
    for (const change of bells.since(after, limit, tenant).changes) if (change.position <= end) found.set(change.position, change);
    const inOrder = [...found].toSorted(([a], [b]) => a - b).slice(0, limit);
    const last = inOrder.at(-1);
    return {
      changes: inOrder.flatMap(([, change]) => (change === undefined ? [] : [change])),
      position: inOrder.length < limit || last === undefined ? end : last[0],
    };
  };
}
