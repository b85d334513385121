import { close, fdatasync, openSync } from "node:fs";
import { promisify } from "node:util";
import { IasError } from "../../model/errors.ts";

/** Makes commits survive a power loss, without holding up the event loop. */
export interface Hardener {
  /** Calls one of the two when all that was committed before the call is on the disk, in the order of the calls. */
  harden(done: () => void, failed: (error: unknown) => void): void;
  /** Waits for what was asked for. */
  close(): Promise<void>;
}

interface Waiter {
  readonly done: () => void;
  readonly failed: (error: unknown) => void;
}

const closeFile = promisify(close);

/** For durability `process`: a commit is enough. */
export function createNoHardener(): Hardener {
  return { harden: (done) => done(), close: async () => undefined };
}

/**
 * For durability `host`: syncs the WAL by a thread of Node's pool after each commit, which is what SQLite's `synchronous = FULL` does in the middle of one.
 * SQLite itself (`NORMAL`) still syncs when it begins the WAL anew and at checkpoints. `wal` is the path of the WAL, which exists.
 * A sync that failed is the last: the system may have dropped what it could not write, and would call the next one a success.
 */
export function createHardener(wal: string, sync: (file: number) => Promise<void> = promisify(fdatasync)): Hardener {
  const file = openSync(wal, "r+");
  let waiting: Waiter[] = [];
  let running: Promise<void> | undefined;
  let broken: IasError | undefined;

  async function run(): Promise<void> {
    while (waiting.length > 0) {
      const round = waiting;
      waiting = [];
      try {
        if (broken === undefined) await sync(file);
      } catch (cause) {
        broken = new IasError("unavailable", "The disk failed to sync the log, so it takes no more writes. Look at the disk, then restart the server.", {
          cause,
        });
      }
      for (const waiter of round) {
        if (broken === undefined) waiter.done();
        else waiter.failed(broken);
      }
    }
    running = undefined;
  }

  return {
    harden(done, failed) {
      if (broken !== undefined) return failed(broken);
      waiting.push({ done, failed });
      running ??= run();
    },
    async close() {
      await running;
      await closeFile(file);
    },
  };
}
