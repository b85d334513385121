import type { DatabaseSync } from "node:sqlite";

/** A transaction that begins with the first write. */
export interface Transaction {
  readonly begun: boolean;
  begin(): void;
  commit(): void;
  rollBack(): void;
}

/** The one transaction that is open at a time on `database`. */
export function createTransaction(database: DatabaseSync): Transaction {
  const begin = database.prepare("BEGIN IMMEDIATE");
  const commit = database.prepare("COMMIT");
  let begun = false;
  return {
    get begun() {
      return begun;
    },
    begin() {
      if (begun) return;
      begin.run();
      begun = true;
    },
    commit() {
      commit.run();
      begun = false;
    },
    rollBack() {
      if (!begun) return;
      begun = false;
      // SQLite may have rolled back by itself (disk full, input or output error).
      if (database.isTransaction) database.exec("ROLLBACK");
    },
  };
}
