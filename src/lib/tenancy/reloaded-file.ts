import { readFile, stat } from "node:fs/promises";
import { IasError, messageOf } from "../model/errors.ts";

/** Which file, and how it is read. */
export interface ReloadedFileOptions<T> {
  readonly file: string;
  /** Throws for a content that is not right. */
  readonly parse: (text: string) => T;
  /** What stands while there is no file. */
  readonly empty: T;
  readonly now: () => number;
  /** Hears of a file that went missing or bad, once a change. */
  readonly report: (error: IasError) => void;
  /** The file is looked at no more often than this, ms. Default 1,000. */
  readonly checkEveryMs?: number;
}

/** The parsed content of a file that people edit while we run. */
export interface ReloadedFile<T> {
  /** The newest content that was right. A file that is gone is `empty`; one that is bad leaves what was there before. */
  current(): Promise<T>;
}

/** Reads the file now. @throws IasError `configuration` if it is not there or bad: at the start that must not pass unseen. */
export async function openReloadedFile<T>(options: ReloadedFileOptions<T>): Promise<ReloadedFile<T>> {
  const { file, parse, now, checkEveryMs = 1000 } = options;
  let seen = await stamp(file);
  if (seen === undefined) throw new IasError("configuration", `${file} is not there.`);
  let value: T = await load();
  let checkedAt = now();
  let checking: Promise<void> | undefined;

  async function load(): Promise<T> {
    try {
      return parse(await readFile(file, "utf8"));
    } catch (error) {
      throw new IasError("configuration", `${file}: ${messageOf(error)}`, { cause: error });
    }
  }

  async function check(): Promise<void> {
    const found = await stamp(file);
    if (found === seen) return;
    seen = found;
    try {
      if (found === undefined) throw new IasError("configuration", `${file} is gone.`);
      value = await load();
    } catch (error) {
      if (found === undefined) value = options.empty;
      options.report(IasError.from(error, "configuration"));
    }
  }

  return {
    async current() {
      if (checking === undefined && now() - checkedAt >= checkEveryMs) {
        checkedAt = now();
        checking = check().finally(() => (checking = undefined));
      }
      await checking;
      return value;
    },
  };
}

async function stamp(file: string): Promise<string | undefined> {
  try {
    const { mtimeMs, size, ino } = await stat(file);
    return `${mtimeMs} ${size} ${ino}`;
  } catch {
    return undefined;
  }
}
