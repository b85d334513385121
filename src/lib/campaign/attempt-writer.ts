import { encodeEvent, type NewEntry } from "../model/entry.ts";
import type { StreamResponse } from "../model/a2a.ts";
import { IasError } from "../model/errors.ts";
import type { StreamKey } from "../model/key.ts";
import type { Batch, EventLog } from "../log/log.ts";
import type { RecordWrite } from "../log/records.ts";
import type { Attempt } from "./attempt.ts";
import { asideEvent, attemptKey, noteEntry, toStored } from "./attempt-record.ts";
import type { AttemptWriter } from "./ledger.ts";

/** The stream of an attempt, taken for writing. */
export interface OpenedAttempt {
  readonly log: EventLog;
  readonly key: StreamKey;
  readonly epoch: number;
  readonly nextSeq: number;
  readonly gen: number;
  readonly attempt: Attempt;
  readonly now: () => number;
}

/** Characters that may wait for their commit before `ready` holds a reader back. */
const MAX_WAITING = 1024 * 1024;

/** Writes one attempt: what comes while a commit is under way goes together into the next. A failed write is thrown by whatever is awaited next. */
export function createAttemptWriter(opened: OpenedAttempt): AttemptWriter {
  const { log, key, epoch, now } = opened;
  let { attempt, gen, nextSeq } = opened;
  let entries: NewEntry[] = [];
  let waiting = 0;
  let failure: IasError | undefined;
  let ended = false;
  /** The commit that is under way, and the one that will take what has come since. */
  let current: Promise<void> | undefined;
  let room: PromiseWithResolvers<void> | undefined;

  function put(event: StreamResponse, audience: "public" | "extension"): void {
    if (ended) throw new IasError("conflict", `Attempt ${attempt.attempt} of ${attempt.battle} has ended; nothing more is written.`);
    if (audience === "public") gen += 1;
    const text = encodeEvent(event);
    entries.push({ gen, at: now(), attempt: 1, audience, event: text });
    waiting += text.length;
    void flush().catch(() => undefined);
  }

  /** Commits all that waits now; with `last`, the end. Commits follow each other. */
  async function flush(record?: RecordWrite, last = false): Promise<void> {
    if (record === undefined && current !== undefined) return current;
    while (current !== undefined) await current.catch(() => undefined);
    if (failure !== undefined) throw failure;
    current = commit(record, last);
    try {
      await current;
    } finally {
      current = undefined;
    }
    if (entries.length > 0) void flush().catch(() => undefined);
  }

  async function commit(record: RecordWrite | undefined, last: boolean): Promise<void> {
    // What is noted in one tick goes into one commit.
    await Promise.resolve();
    const taken = entries;
    const size = waiting;
    entries = [];
    const batch: Batch = { epoch, firstSeq: nextSeq, entries: taken, ...(record !== undefined && { records: [record] }), ...(last && { seal: true }) };
    try {
      const appended = await log.append(key, batch);
      if (appended.kind !== "ok")
        throw new IasError("fenced", `Attempt ${attempt.attempt} of ${attempt.battle} is written by somebody else (${appended.kind}).`);
      nextSeq += taken.length;
    } catch (error) {
      failure = IasError.from(error, "unavailable");
      throw failure;
    } finally {
      waiting -= size;
      if (waiting <= MAX_WAITING || failure !== undefined) {
        room?.resolve();
        room = undefined;
      }
    }
  }

  async function replace(change: Partial<Attempt>, last: boolean): Promise<void> {
    attempt = { ...attempt, ...change };
    while (current !== undefined) await current.catch(() => undefined);
    const { value, outcome } = toStored(attempt, nextSeq + entries.length);
    if (outcome !== undefined) entries.push(noteEntry("outcome", outcome, { at: now(), gen }));
    await flush({ key: attemptKey(attempt.battle, attempt.attempt), value }, last);
  }

  return {
    get attempt() {
      return attempt;
    },
    note: (event) => put(event, "public"),
    aside: (data) => put(asideEvent(attempt, data), "extension"),
    ready() {
      if (failure !== undefined) return Promise.reject(failure);
      if (waiting <= MAX_WAITING) return undefined;
      room ??= Promise.withResolvers();
      const { promise } = room;
      return promise.then(() => {
        if (failure !== undefined) throw failure;
      });
    },
    save: (change) => replace(change, false),
    async end(change) {
      if (ended) throw new IasError("conflict", `Attempt ${attempt.attempt} of ${attempt.battle} has ended already.`);
      ended = true;
      await replace(change, true);
    },
  };
}
