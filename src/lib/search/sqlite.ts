import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { IasError, messageOf } from "../model/errors.ts";
import type { StreamKey } from "../model/key.ts";
import { type TaskSearch, wordsOf } from "./search.ts";

/** Of the tables; another one is made anew. */
const VERSION = "2";

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
    `INSERT INTO documents (tenant, user, agent, task, context, state, status_at) VALUES (?, ?, ?, ?, ?, ?, ?)
     ON CONFLICT (tenant, user, agent, task) DO UPDATE SET context = excluded.context, state = excluded.state, status_at = excluded.status_at RETURNING id`,
  );
  const forget = database.prepare("DELETE FROM texts WHERE rowid = ?");
  const tell = database.prepare("INSERT INTO texts (rowid, text) VALUES (?, ?)");
  const find = database.prepare("SELECT id FROM documents WHERE tenant = ? AND user = ? AND agent = ? AND task = ?");
  const drop = database.prepare("DELETE FROM documents WHERE id = ?");
  const from = `FROM texts JOIN documents d ON d.id = texts.rowid
     WHERE texts MATCH :words AND d.tenant = :tenant AND d.user = :user AND (:agent IS NULL OR d.agent = :agent) AND (:context IS NULL OR d.context = :context)
       AND (:states IS NULL OR d.state IN (SELECT value FROM json_each(:states))) AND d.status_at BETWEEN :least AND :most`;
  const count = database.prepare(`SELECT count(*) AS total ${from}`);
  const search = database.prepare(
    `SELECT d.agent, d.task, d.status_at, snippet(texts, 0, '', '', '…', 24) AS found ${from}
       AND (:task IS NULL OR (d.status_at, d.task) < (:time, :task)) ORDER BY d.status_at DESC, d.task DESC LIMIT :limit`,
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

  function removeOne({ tenant, user, agent, task }: StreamKey): void {
    const id = find.get(tenant, user, agent, task)?.["id"];
    if (id === undefined) return;
    forget.run(id);
    drop.run(id);
  }

  return {
    position: async () => Number(position.get()?.["value"] ?? 0),
    async put(documents, at, gone = []) {
      atOnce(() => {
        for (const { key, context, state, statusAt, text } of documents) {
          const id = Number(insert.get(key.tenant, key.user, key.agent, key.task, context, state, statusAt)?.["id"]);
          if (text === undefined) continue;
          forget.run(id);
          tell.run(id, text);
        }
        for (const key of gone) removeOne(key);
        setPosition.run(String(at));
      });
    },
    async remove(key) {
      atOnce(() => removeOne(key));
    },
    async find({ tenant, user, agent = null, context = null, states, statusAfter = 0, statusUntil = Number.MAX_SAFE_INTEGER, text, after, limit }) {
      const words = wordsOf(text);
      if (words.length === 0) return { hits: [], total: 0, more: false };
      const scope = {
        // Words hold letters and digits only; in quotes none is an operator of the query language.
        words: `${words.map((word) => `"${word}"`).join(" ")}*`,
        tenant,
        user,
        agent,
        context,
        states: states === undefined ? null : JSON.stringify(states),
        least: statusAfter,
        most: statusUntil,
      };
      const rows = search.all({ ...scope, time: after?.time ?? null, task: after?.task ?? null, limit: limit + 1 });
      return {
        hits: rows.slice(0, limit).map((row) => ({
          key: { tenant, user, agent: String(row["agent"]), task: String(row["task"]) },
          statusAt: Number(row["status_at"]),
          match: String(row["found"]).replaceAll(/\s+/g, " ").trim(),
        })),
        total: Number(count.get(scope)?.["total"]),
        more: rows.length > limit,
      };
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
    CREATE TABLE IF NOT EXISTS documents (id INTEGER PRIMARY KEY, tenant TEXT, user TEXT, agent TEXT, task TEXT, context TEXT, state TEXT, status_at INTEGER, UNIQUE (tenant, user, agent, task));
    CREATE VIRTUAL TABLE IF NOT EXISTS texts USING fts5(text, tokenize = 'unicode61 remove_diacritics 2');
  `);
  database.prepare("INSERT INTO facts VALUES ('stamp', ?) ON CONFLICT (name) DO NOTHING").run(stamp);
}
