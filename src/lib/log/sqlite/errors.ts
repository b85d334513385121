import { IasError, type ErrorCode } from "../../model/errors.ts";

/** SQLite's primary result codes that mean something to a caller: code, what to say, whether to try again. */
const MEANINGS: ReadonlyMap<number, readonly [ErrorCode, string, boolean]> = new Map([
  [5, ["unavailable", "the database is busy", true]],
  [6, ["unavailable", "the database is busy", true]],
  [8, ["configuration", "the data folder cannot be written", false]],
  [10, ["unavailable", "the disk failed to read or write", true]],
  [11, ["corrupt", "the database is damaged; restore it from a backup", false]],
  [13, ["unavailable", "the disk is full; nothing of this was written", true]],
  [14, ["configuration", "the database file cannot be opened; check that the data folder exists and may be written", false]],
  [26, ["corrupt", "the file is not a database of this program", false]],
]);

/** An error of SQLite as an `IasError` that names what was being done. Others are passed on by `IasError.from`. */
export function toStoreError(error: unknown, doing: string): IasError {
  const code = error instanceof Error && "errcode" in error ? Number(error.errcode) & 0xff : undefined;
  const meaning = code === undefined ? undefined : MEANINGS.get(code);
  if (meaning === undefined) return IasError.from(error);
  const [name, text, retryable] = meaning;
  const said = error instanceof Error ? error.message : "";
  return new IasError(name, `Could not ${doing}: ${text} (${said}).`, { cause: error, retryable, ...(code === 13 && { reason: "DISK_FULL" }) });
}
