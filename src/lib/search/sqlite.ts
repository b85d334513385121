import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { IasError, messageOf } from "../model/errors.ts";
import { type TaskSearch, wordsOf } from "./search.ts";

/** Of the tables; another one is made anew. */
const VERSION = "1";

/** Opens the search of a data folder, a database of its own (`search.db`), with FTS5. What is of another log, of another version, or broken, is made again from the log. */
export function createSqliteSearch({ folder, logId }: { readonly folder: string; readonly logId: string }): TaskSearch {
  const path = join(folder, "search.db");
  const stamp = `${VERSION} ${logId}`;
  let database: DatabaseSync;
  try {
    database = openTables(path, stamp);
  } catch {
    for (const end of ["", "-wal", "-shm"]) rmSync(path + end, { force: true });
    try {
      database = openTables(path, stamp);
    } catch (error) {
      throw new IasError("configuration", `The search in ${folder} cannot be made: ${messageOf(error)}.`, { cause: error });
    }
  }
  const position = database.prepare("SELECT value FROM facts WHERE name = 'position'");
  const setPosition = database.prepare("INSERT INTO facts VALUES ('position', ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value");
  const insert = database.prepare(
    "INSERT INTO documents (tenant, user, agent, task, context, status_at) VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (tenant, user, agent, task) DO UPDATE SET context = excluded.context, status_at = excluded.status_at RETURNING id",
  );
  const forget = database.prepare("DELETE FROM texts WHERE rowid = ?");
  const tell = database.prepare("INSERT INTO texts (rowid, text) VALUES (?, ?)");
  const find = database.prepare("SELECT id FROM documents WHERE tenant = ? AND user = ? AND agent = ? AND task = ?");
  const drop = database.prepare("DELETE FROM documents WHERE id = ?");
  const search = database.prepare(
    `SELECT d.agent, d.task, snippet(texts, 0, '', '', '…', 24) AS found FROM texts JOIN documents d ON d.id = texts.rowid
     WHERE texts MATCH ? AND d.tenant = ? AND d.user = ? AND (? IS NULL OR d.agent = ?) AND (? IS NULL OR d.context = ?) ORDER BY d.status_at DESC LIMIT ?`,
  );

  function atOnce(run: () => void): void {
    database.exec("BEGIN IMMEDIATE");
    try {
      run();
      database.exec("COMMIT");
    } catch (error) {
      database.exec("ROLLBACK");
      throw new IasError("unavailable", "The search cannot be written.", { retryable: true, cause: error });
    }
  }

  return {
    position: async () => Number(position.get()?.["value"] ?? 0),
    async put(documents, at) {
      atOnce(() => {
        for (const { key, context, statusAt, text } of documents) {
          const id = Number(insert.get(key.tenant, key.user, key.agent, key.task, context, statusAt)?.["id"]);
          forget.run(id);
          tell.run(id, text);
        }
        setPosition.run(String(at));
      });
    },
    async remove({ tenant, user, agent, task }) {
      const id = find.get(tenant, user, agent, task)?.["id"];
      if (id === undefined) return;
      atOnce(() => {
        forget.run(id);
        drop.run(id);
      });
    },
    async find({ tenant, user, agent = null, context = null, text, limit }) {
      const words = wordsOf(text);
      if (words.length === 0) return [];
      // Words hold letters and digits only; in quotes none is an operator of the query language.
      const query = `${words.map((word) => `"${word}"`).join(" ")}*`;
      return search.all(query, tenant, user, agent, agent, context, context, limit).map((row) => ({
        key: { tenant, user, agent: String(row["agent"]), task: String(row["task"]) },
        match: String(row["found"]).replaceAll(/\s+/g, " ").trim(),
      }));
    },
    async [Symbol.asyncDispose]() {
      if (database.isOpen) database.close();
    },
  };
}

function openTables(path: string, stamp: string): DatabaseSync {
  // For this system user alone, as the log: SQLite gives its other files the same permissions.
  writeFileSync(path, "", { flag: "a", mode: 0o600 });
  const database = new DatabaseSync(path);
  try {
    prepareTables(database, stamp);
    return database;
  } catch (error) {
    database.close();
    throw error;
  }
}

function prepareTables(database: DatabaseSync, stamp: string): void {
  // Derived: a crash may lose its end, which is then taken from the log again, as the position is in the same transaction.
  database.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; CREATE TABLE IF NOT EXISTS facts (name TEXT PRIMARY KEY, value TEXT) WITHOUT ROWID");
  const known = database.prepare("SELECT value FROM facts WHERE name = 'stamp'").get()?.["value"];
  if (known !== stamp) database.exec("DROP TABLE IF EXISTS documents; DROP TABLE IF EXISTS texts; DELETE FROM facts");
  database.exec(`
    CREATE TABLE IF NOT EXISTS documents (id INTEGER PRIMARY KEY, tenant TEXT, user TEXT, agent TEXT, task TEXT, context TEXT, status_at INTEGER, UNIQUE (tenant, user, agent, task));
    CREATE VIRTUAL TABLE IF NOT EXISTS texts USING fts5(text, tokenize = 'unicode61 remove_diacritics 2');
  `);
  database.prepare("INSERT INTO facts VALUES ('stamp', ?) ON CONFLICT (name) DO NOTHING").run(stamp);
}
