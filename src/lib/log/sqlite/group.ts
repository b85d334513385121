import type { DatabaseSync } from "node:sqlite";
import { IasError } from "../../model/errors.ts";
import { createBlockWriter } from "../block.ts";
import type { Doorbells } from "../doorbells.ts";
import { wakeFollowers } from "../tail.ts";
import { toStoreError } from "./errors.ts";
import { releaseRecent, type SqliteStream } from "./stream.ts";
import type { Streams } from "./streams.ts";
import { createTouched, type Before } from "./touched.ts";
import { createTransaction } from "./transaction.ts";

/** Where a commit can be interrupted by tests; `failPoint` is called with the name, and does nothing in earnest. */
export type FailPoint = "before-commit" | "after-commit" | "during-flush" | "during-compaction" | "during-checkpoint";

/** Writes wait here for the end of the event loop's turn, and are committed together, in the order of the calls. */
export interface Group {
  /** Runs `run` inside the next transaction; the promise resolves with its result after the commit. `run` throws `IasError`s only before its first write. */
  submit<T>(run: () => T): Promise<T>;
  /** Before a change of `stream` inside `run`: what a rollback restores. Its new entries, seal and doorbell are taken care of at the commit. */
  touch(stream: SqliteStream, change: "created" | "changed"): void;
  /** Before a statement that writes inside `run`. */
  begin(): void;
  /** The stream's row is written at the commit. */
  saveLater(stream: SqliteStream): void;
  /** `action` runs after the commit, or never. */
  afterCommit(action: () => void): void;
  /** The last position that was given. */
  readonly position: number;
  /** Holds commits back until `resume`; appends wait, nothing blocks. */
  pause(): void;
  resume(): void;
  /** Refuses everything from here on, after a last commit. */
  close(): void;
}

/** What group commit is made of. */
export interface GroupParts {
  readonly database: DatabaseSync;
  readonly streams: Streams;
  readonly bells: Doorbells;
  readonly now: () => number;
  /** The last position that was given. */
  readonly position: number;
  readonly lastBlock: number;
  readonly failPoint?: ((name: FailPoint) => void) | undefined;
  /** Calls one of the two when what is committed is as durable as the store promises, in the order of the calls. */
  harden(done: () => void, failed: (error: unknown) => void): void;
  /** Told of each committed block: its id, and its text's length. */
  onCommit(block: number, length: number): void;
}

interface Request {
  run: () => unknown;
  resolve: (value: never) => void;
  reject: (error: unknown) => void;
  result: unknown;
  error: unknown;
}

/** Commits that need not wait, and how many more each ms allows. */
const BURST = 16;
const COMMITS_PER_MS = 1;

/** A commit costs as much as ten entries, so in a sustained stream they are gathered: a token bucket of commits. */
function createPace(): { take(): boolean } {
  let tokens = BURST;
  let filledAt = performance.now();
  return {
    take() {
      const now = performance.now();
      tokens = Math.min(BURST, tokens + (now - filledAt) * COMMITS_PER_MS) - 1;
      filledAt = now;
      if (tokens >= 0) return true;
      tokens = 0;
      return false;
    },
  };
}

function nothing(): void {}

/** Those who waited for the streams' entries have had them. */
function release(changed: readonly Before[]): void {
  for (const { stream } of changed) releaseRecent(stream);
}

/** Makes the group of one database. */
export function createGroup(parts: GroupParts): Group {
  const { database, streams, bells, failPoint } = parts;
  const transaction = createTransaction(database);
  const insertBlock = database.prepare("INSERT INTO blocks (id, body) VALUES (?, ?)");
  const block = createBlockWriter(parts.now);
  let waiting: Request[] = [];
  const touched = createTouched(streams);
  let actions: (() => void)[] = [];
  let { position, lastBlock } = parts;
  let scheduled = false;
  const pace = createPace();
  let paused = false;
  let closed = false;

  function flush(): void {
    scheduled = false;
    if (paused || waiting.length === 0) return;
    const requests = waiting;
    waiting = [];
    let length = 0;
    try {
      for (const request of requests) execute(request);
      length = writeBlock();
      if (transaction.begun) {
        failPoint?.("before-commit");
        transaction.commit();
        failPoint?.("after-commit");
      }
    } catch (error) {
      rollBack();
      const failure = toStoreError(error, "write to the log");
      for (const request of requests) request.reject(failure);
      return;
    }
    const changed = touched.take();
    for (const action of actions.splice(0)) action();
    if (length > 0) parts.onCommit(lastBlock, length);
    parts.harden(
      () => publish(requests, changed),
      (error) => {
        for (const request of requests) request.reject(error);
      },
    );
  }

  /** The group is as durable as promised: answers its requests, and shows its entries. */
  function publish(requests: readonly Request[], changed: readonly Before[]): void {
    for (const request of requests) {
      if (request.error === undefined) request.resolve(request.result as never);
      else request.reject(request.error);
      // One that the garbage collector has taken for long-lived must not hold on to its entries.
      request.run = request.resolve = request.reject = nothing;
      request.result = undefined;
    }
    for (const { stream, after } of changed) {
      if (after === undefined) continue;
      stream.head = after.written;
      stream.sealed = after.ended;
      if (!stream.gone) bells.ring(stream, after.changed);
      wakeFollowers(stream);
    }
    if (changed.length > 0) setImmediate(release, changed);
  }

  function execute(request: Request): void {
    try {
      request.result = request.run();
    } catch (error) {
      if (!(error instanceof IasError)) throw error;
      request.error = error;
    }
  }

  /** Writes the new entries of all touched streams, and the rows that were asked for. */
  function writeBlock(): number {
    for (const before of touched.list) {
      const { stream } = before;
      const grown = stream.written > before.written;
      const ended = stream.ended !== before.ended;
      if (grown || ended || before.created) {
        position += 1;
        stream.changed = position;
        before.after = { written: stream.written, ended: stream.ended, changed: position };
      }
      if (grown) block.add(stream.id, position, stream.recent.page(before.written, Number.POSITIVE_INFINITY, stream.written), 0);
      if (before.save || ended) {
        transaction.begin();
        streams.save(stream);
      }
    }
    if (block.empty) return 0;
    transaction.begin();
    lastBlock += 1;
    const body = block.take();
    insertBlock.run(lastBlock, body);
    return body.length;
  }

  function rollBack(): void {
    transaction.rollBack();
    if (!block.empty) block.take();
    actions = [];
    touched.restore();
  }

  function schedule(): void {
    if (scheduled || paused) return;
    scheduled = true;
    // At the end of this turn; in a burst, after a pause in which more comes in.
    if (pace.take()) setImmediate(flush);
    else setTimeout(flush, 1);
  }

  return {
    submit: <T>(run: () => T) =>
      new Promise<T>((resolve, reject) => {
        if (closed) throw new IasError("unavailable", "The store is closed.");
        waiting.push({ run, resolve, reject, result: undefined, error: undefined });
        schedule();
      }),
    touch: touched.add,
    begin: transaction.begin,
    saveLater(stream) {
      const before = touched.find(stream);
      if (before !== undefined) before.save = true;
    },
    afterCommit(action) {
      actions.push(action);
    },
    get position() {
      return position;
    },
    pause() {
      paused = true;
    },
    resume() {
      paused = false;
      if (waiting.length > 0) schedule();
    },
    close() {
      paused = false;
      flush();
      closed = true;
    },
  };
}
