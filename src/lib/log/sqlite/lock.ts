import { readFileSync, writeFileSync } from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { IasError } from "../../model/errors.ts";
import { unusable } from "./data-folder.ts";

/** Who holds a data folder. */
export interface Holder {
  readonly pid: number;
  /** When the process started, RFC 3339. */
  readonly since: string;
  readonly host: string;
}

/** How long to try, in ms: of two processes that start at once each sees the other's attempt, and one must go on. */
const TRY_MS = 500;

/** What holds the locks, so that garbage collection does not end the lock of a store that nobody refers to. */
const held = new Set<DatabaseSync>();

/**
 * Takes a data folder for this process' life (SEMANTICS 12) and gives how to release it. The lock is an exclusive transaction on `lock.db`, so the operating
 * system ends it with the process, however that ends; `owner.json` only says who holds it.
 * `remedy` says what whoever is refused can do.
 * @throws IasError `conflict` naming the holder, `configuration` if the folder cannot be written.
 */
export function lockFolder(folder: string, remedy = "Stop it, or choose another folder."): () => void {
  let database: DatabaseSync | undefined;
  try {
    database = new DatabaseSync(join(folder, "lock.db"), { timeout: TRY_MS });
    database.exec("PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE;");
    return hold(folder, database);
  } catch (cause) {
    database?.close();
    if (!isBusy(cause)) throw unusable(folder, cause);
    const holder = readHolder(folder);
    const who = holder === undefined ? "another process" : `process ${holder.pid} on ${holder.host}, started ${holder.since}`;
    throw new IasError("conflict", `The data folder ${folder} is in use by ${who}. ${remedy}`, {
      cause,
      reason: "DATA_FOLDER_IN_USE",
      ...(holder && { details: { pid: String(holder.pid), since: holder.since, host: holder.host } }),
    });
  }
}

/** Whether a process holds the data folder at this moment, by the lock itself: `owner.json` outlives its process. A folder that cannot be looked at is held by nobody. */
export function isHeld(folder: string): boolean {
  let database: DatabaseSync | undefined;
  try {
    database = new DatabaseSync(join(folder, "lock.db"), { readOnly: true, timeout: 0 });
    database.exec("SELECT count(*) FROM sqlite_schema");
    return false;
  } catch (error) {
    return isBusy(error);
  } finally {
    database?.close();
  }
}

function hold(folder: string, database: DatabaseSync): () => void {
  const holder: Holder = { pid: process.pid, since: new Date(Date.now() - process.uptime() * 1000).toISOString(), host: hostname() };
  writeFileSync(join(folder, "owner.json"), `${JSON.stringify(holder)}\n`);
  held.add(database);
  return () => {
    held.delete(database);
    database.close();
  };
}

/** SQLITE_BUSY, in any of its extended forms. */
function isBusy(error: unknown): boolean {
  return error instanceof Error && "errcode" in error && (Number(error.errcode) & 0xff) === 5;
}

function readHolder(folder: string): Holder | undefined {
  try {
    const { pid, since, host } = JSON.parse(readFileSync(join(folder, "owner.json"), "utf8")) as Partial<Holder>;
    return typeof pid === "number" && typeof since === "string" && typeof host === "string" ? { pid, since, host } : undefined;
  } catch {
    return undefined;
  }
}
