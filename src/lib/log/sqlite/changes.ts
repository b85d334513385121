import type { DatabaseSync } from "node:sqlite";
import type { Rung } from "../doorbells.ts";
import type { Change } from "../log.ts";
import type { Streams } from "./streams.ts";

/**
 * The changes up to position `start`, where this process began, out of the streams' rows; undefined from there on. Streams that changed since are left
 * out: the doorbells know them.
 */
export function createOlderChanges(
  database: DatabaseSync,
  streams: Streams,
  start: number,
): (after: number, limit: number, tenant: string | undefined) => Rung | undefined {
  const select = database.prepare("SELECT id, changed FROM streams WHERE changed > ? AND changed <= ? AND (? IS NULL OR tenant = ?) ORDER BY changed LIMIT ?");
  return (after, limit, tenant) => {
    if (after >= start) return undefined;
    const rows = select.all(after, start, tenant ?? null, tenant ?? null, limit);
    const changes: Change[] = [];
    for (const row of rows) {
      const stream = streams.byId(Number(row["id"]));
      const position = Number(row["changed"]);
      if (stream !== undefined && stream.changed === position) changes.push({ position, key: stream.key, seq: stream.head });
    }
    const last = rows.at(-1);
    return { changes, position: rows.length < limit || last === undefined ? start : Number(last["changed"]) };
  };
}
