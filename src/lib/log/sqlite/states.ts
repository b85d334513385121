import type { DatabaseSync } from "node:sqlite";
import type { ResumeState } from "../log.ts";

/** Resume states, by stream. */
export interface States {
  get(stream: number): ResumeState | undefined;
  /** Replaces or removes; inside a transaction. */
  set(stream: number, state: ResumeState | null): void;
}

/** The states of one database. */
export function createStates(database: DatabaseSync): States {
  const select = database.prepare("SELECT version, data FROM states WHERE stream = ?");
  const upsert = database.prepare("INSERT INTO states VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET version = excluded.version, data = excluded.data");
  const remove = database.prepare("DELETE FROM states WHERE stream = ?");
  return {
    get(stream) {
      const row = select.get(stream);
      return row && { version: String(row["version"]), data: String(row["data"]) };
    },
    set(stream, state) {
      if (state === null) remove.run(stream);
      else upsert.run(stream, state.version, state.data);
    },
  };
}
