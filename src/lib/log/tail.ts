import type { Entry } from "../model/entry.ts";

/**
 * The live end of one stream: what waits for its next entry. Adapters keep one per stream in use, set `head`, `sealed` and `gone`
 * after a commit, and call `wakeFollowers`. It holds no entries, so an idle follower costs some hundred bytes.
 */
export interface Tail {
  /** The last committed seq. */
  head: number;
  sealed: boolean;
  /** The stream was removed or its store closed: followers end. */
  gone: boolean;
  /** Followers that wait, in no order; each knows its place, so that leaving costs the same with 10,000 others. */
  readonly waiting: Waiter[];
  /** Followers that have begun and not ended, waiting or not: the tail must stay the stream's only one. */
  users: number;
}

/**
 * Gives entries after a cursor: at least one if `tail.head` is greater, in order, without a gap, up to `maxBytes` of event text.
 * It is called only where there is something to give. The same arguments SHOULD give the same array while nothing was
 * appended, so that many followers share it.
 */
export type Load<T extends Tail = Tail> = (tail: T, after: number, maxBytes: number) => readonly Entry[];

interface Waiter {
  place: number;
  wake(): void;
}

/** Event text in one page or batch when the caller says nothing, in UTF-16 units. */
export const DEFAULT_PAGE_BYTES = 256 * 1024;

/** A tail at `head`. */
export function createTail(head: number, sealed: boolean): Tail {
  return { head, sealed, gone: false, waiting: [], users: 0 };
}

/** `entries` from index `start`, before index `limit`, at least one if there is one, then up to `maxBytes` of event text. */
export function pageOf(entries: readonly Entry[], start: number, maxBytes: number, limit: number = entries.length): readonly Entry[] {
  let end = start;
  let bytes = 0;
  const stop = Math.min(limit, entries.length);
  while (end < stop) {
    bytes += (entries[end] as Entry).event.length;
    if (bytes > maxBytes && end > start) break;
    end += 1;
  }
  return entries.slice(start, end);
}

/** Tells every waiting follower of `tail` that `head`, `sealed` or `gone` has changed. Their consumers run in microtasks, after the caller. */
export function wakeFollowers(tail: Tail): void {
  const waiting = tail.waiting;
  if (waiting.length === 0) return;
  // A woken follower waits again only when its consumer asks, in a microtask, or here if there was nothing for it.
  const woken = waiting.splice(0);
  for (const waiter of woken) {
    waiter.place = -1;
    waiter.wake();
  }
}

/**
 * Follows the tail that `find` gives when the consumer begins (contract: `EventLog.follow`); none is an end at once. Written by hand: a generator
 * costs about twice as much a wake. After a page that did not reach the head, the next is loaded in a later turn of the event loop, so that
 * catching up starves nobody.
 */
export function followTail<T extends Tail>(
  find: () => T | undefined,
  load: Load<T>,
  options: { after: number; maxBytes?: number; signal: AbortSignal },
): AsyncIterable<readonly Entry[]> {
  return {
    [Symbol.asyncIterator]() {
      const tail = find();
      if (tail === undefined || options.signal.aborted) return { next: () => Promise.resolve(DONE) };
      return iterate(tail, load, options.after, options.maxBytes ?? DEFAULT_PAGE_BYTES, options.signal);
    },
  };
}

type Result = IteratorResult<readonly Entry[], undefined>;

const DONE: Result = { done: true, value: undefined };

function iterate<T extends Tail>(tail: T, load: Load<T>, start: number, maxBytes: number, signal: AbortSignal): AsyncIterator<readonly Entry[], undefined> {
  let after = start;
  let ended = false;
  let behind = false;
  let pending: Promise<Result> | undefined;
  let resolve: ((result: Result) => void) | undefined;
  let reject: ((reason: unknown) => void) | undefined;

  const waiter: Waiter = { place: -1, wake: settle };
  const capture = (res: (result: Result) => void, rej: (reason: unknown) => void) => {
    resolve = res;
    reject = rej;
  };
  tail.users += 1;
  signal.addEventListener("abort", finish);

  /** Answers the pending call if there is something to say, else waits. */
  function settle(): void {
    const answer = resolve;
    if (answer === undefined) return;
    if (ended || signal.aborted || tail.gone) return finish();
    if (tail.head > after) {
      let entries: readonly Entry[];
      try {
        entries = load(tail, after, maxBytes);
      } catch (error) {
        return fail(error);
      }
      const last = entries[entries.length - 1];
      if (last !== undefined) {
        after = last.seq;
        behind = after < tail.head;
        resolve = reject = pending = undefined;
        answer({ done: false, value: entries });
        return;
      }
    }
    if (tail.sealed) return finish();
    if (waiter.place < 0) {
      waiter.place = tail.waiting.length;
      tail.waiting.push(waiter);
    }
  }

  function finish(): void {
    if (!ended) tail.users -= 1;
    ended = true;
    leave(tail, waiter);
    signal.removeEventListener("abort", finish);
    const answer = resolve;
    resolve = reject = pending = undefined;
    answer?.(DONE);
  }

  function fail(error: unknown): void {
    const refuse = reject;
    resolve = reject = pending = undefined;
    finish();
    refuse?.(error);
  }

  async function nextAfter(earlier: Promise<Result>): Promise<Result> {
    await earlier;
    return next();
  }

  function next(): Promise<Result> {
    if (ended) return Promise.resolve(DONE);
    // Calls that overlap are answered one after the other.
    if (pending !== undefined) return nextAfter(pending);
    const promise = new Promise<Result>(capture);
    pending = promise;
    if (behind) {
      behind = false;
      setImmediate(settle);
    } else {
      settle();
    }
    return promise;
  }

  return {
    next,
    return: () => {
      finish();
      return Promise.resolve(DONE);
    },
  };
}

/** Takes a waiter out by moving the last one to its place. */
function leave(tail: Tail, waiter: Waiter): void {
  const place = waiter.place;
  if (place < 0) return;
  waiter.place = -1;
  const last = tail.waiting.pop();
  if (last === undefined || last === waiter) return;
  last.place = place;
  tail.waiting[place] = last;
}
