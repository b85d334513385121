import { closeSync, fsyncSync, mkdirSync, openSync, statSync, writeFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { IasError, messageOf } from "../../model/errors.ts";

/** How a data folder is made. */
export interface DataFolderOptions {
  /** With `host` what is made is named on the disk too: a power loss takes away no folder and no file that was there before a commit. */
  readonly durability: "process" | "host";
  /** Writes a folder's list of names to the disk. Default: `fsync`. */
  readonly sync?: (folder: string) => void;
}

/**
 * Makes a data folder if it is not there, with an empty `log.db`, for this system user alone: conversations are nobody else's to read.
 * A folder that is there already keeps the permissions that somebody chose.
 * @throws IasError `configuration` when it is no folder, or cannot be made or written.
 */
export function makeDataFolder(folder: string, { durability, sync = syncFolder }: DataFolderOptions): void {
  const whole = resolve(folder);
  try {
    const made = makeFolders(whole);
    // An empty file is an empty database; SQLite gives its other files the same permissions.
    if (made.length > 0) writeFileSync(join(whole, "log.db"), "", { flag: "a", mode: 0o600 });
    if (durability === "host") for (const each of made) sync(dirname(each));
  } catch (cause) {
    throw unusable(folder, cause);
  }
}

/** After the files of a data folder were opened: their names are on the disk from here on. */
export function syncDataFolder(folder: string, { durability, sync = syncFolder }: DataFolderOptions): void {
  if (durability === "host") sync(resolve(folder));
}

/** An error of the file system, or any other, as one that says what is wrong with a data folder and what to do. */
export function unusable(folder: string, cause: unknown): IasError {
  if (cause instanceof IasError) return cause;
  const said = messageOf(cause);
  return new IasError(
    "configuration",
    `The data folder ${folder} cannot be used: ${said}. Name a folder that this user can make and write, with --data or DATA_DIR, or keep streams in memory with --log memory.`,
    { cause },
  );
}

/** Makes a folder and those above it, and gives what it made, uppermost first. One by one: Node's `recursive` never ends where a system says ENOENT to a parent that is there (`/proc`). */
function makeFolders(folder: string): readonly string[] {
  const missing: string[] = [];
  let above = folder;
  for (let found = statSync(above, { throwIfNoEntry: false }); found?.isDirectory() !== true; found = statSync(above, { throwIfNoEntry: false })) {
    if (found !== undefined) throw new Error(`${above} is there and is no folder`);
    missing.unshift(above);
    above = dirname(above);
  }
  return missing.filter((each) => {
    try {
      mkdirSync(each, { mode: 0o700 });
      return true;
    } catch (error) {
      // Another process that starts at the same time was faster; the lock says which of the two goes on.
      if (statSync(each, { throwIfNoEntry: false })?.isDirectory() === true) return false;
      throw error;
    }
  });
}

function syncFolder(folder: string): void {
  // Windows has no way to sync a folder, and needs none.
  if (process.platform === "win32") return;
  const file = openSync(folder, "r");
  try {
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}
