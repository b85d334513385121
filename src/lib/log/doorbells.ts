import type { StreamKey } from "../model/key.ts";
import { firstIndex } from "../stream/first-index.ts";
import type { Change, ChangesOptions } from "./log.ts";

/** What the doorbells know of a stream. Adapters have these fields on their own stream objects. */
export interface Ringing {
  readonly key: StreamKey;
  /** The position of its newest change. */
  changed: number;
  /** Its head. */
  readonly head: number;
  /** Removed: rings no more. */
  readonly gone: boolean;
}

/** The changes of all streams since this process began, coalesced per stream, but for those that a store has at hand and that are long past. */
export interface Doorbells<S extends Ringing = Ringing> {
  /** Changes up to here may be forgotten: the store gives them (`older` of `iterateChanges`). 0 where none is. */
  readonly floor: number;
  /** The newest position that was rung; 0 before the first. */
  readonly newest: number;
  /** Records that `stream` changed at `position`, greater than any before. Waiting readers are told once in a turn of the event loop. */
  ring(stream: S, position: number): void;
  /** Changes after `after`, oldest first, at most `limit`; `position` is where to go on, also past changes of other tenants. */
  since(after: number, limit: number, tenant: string | undefined): Rung;
  /** Calls `listener` once, in the turn after the next change. Returns how to leave. */
  once(listener: () => void): () => void;
}

/** Some changes, and the position up to which they are complete. */
export interface Rung {
  readonly changes: readonly Change[];
  readonly position: number;
}

/** What doorbells may forget, so that they do not grow with every stream that ever was. */
export interface Forgetting<S> {
  /** Whether the store gives the stream's newest change by itself. */
  readonly mayForget: (stream: S) => boolean;
  /** Newest changes that are kept all the same. */
  readonly keep: number;
}

/** Makes the doorbells of one log. Without `forgetting` they keep each stream's newest change: for stores that keep the streams in memory anyway. */
export function createDoorbells<S extends Ringing>(forgetting?: Forgetting<S>): Doorbells<S> {
  const least = 2 * (forgetting?.keep ?? KEEP);
  let rung: { readonly position: number; readonly stream: S }[] = [];
  let limit = least;
  let floor = 0;
  let newest = 0;
  let listeners = new Set<() => void>();
  let scheduled = false;

  const tell = () => {
    scheduled = false;
    const told = listeners;
    listeners = new Set();
    for (const listener of told) listener();
  };

  const tidy = (): void => {
    rung = rung.filter((ring) => ring.stream.changed === ring.position && !ring.stream.gone);
    if (forgetting !== undefined && rung.length > forgetting.keep) {
      const past = rung.length - forgetting.keep;
      const oldest = rung.slice(0, past);
      const kept = oldest.filter((ring) => !forgetting.mayForget(ring.stream));
      if (kept.length < oldest.length) floor = oldest.at(-1)?.position ?? floor;
      rung = [...kept, ...rung.slice(past)];
    }
    limit = Math.max(least, rung.length * 2);
  };

  return {
    get floor() {
      return floor;
    },
    get newest() {
      return newest;
    },
    ring(stream, position) {
      stream.changed = position;
      newest = position;
      rung.push({ position, stream });
      if (rung.length > limit) tidy();
      if (!scheduled && listeners.size > 0) {
        scheduled = true;
        setImmediate(tell);
      }
    },
    since(after, limit, tenant) {
      const changes: Change[] = [];
      let position = after;
      for (let i = firstAfter(rung, after); i < rung.length && changes.length < limit; i += 1) {
        const ring = rung[i];
        if (ring === undefined) break;
        position = ring.position;
        if (ring.stream.changed !== ring.position || ring.stream.gone) continue;
        if (tenant !== undefined && ring.stream.key.tenant !== tenant) continue;
        changes.push({ position: ring.position, key: ring.stream.key, seq: ring.stream.head });
      }
      return { changes, position };
    },
    once(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}

function firstAfter(rung: readonly { readonly position: number }[], after: number): number {
  return firstIndex(rung.length, (index) => (rung[index]?.position ?? 0) > after);
}

/** Newest changes that are kept before anything is forgotten. */
const KEEP = 2048;

/** Doorbells in one batch. */
const BATCH = 1000;

/**
 * The iterable of `EventLog.changes` over `bells`; `older` gives those from before `bells` began and those up to their floor (a durable store's), oldest first, or undefined if `bells` know all from there.
 * `closed` ends all iterables when the store closes.
 */
export async function* iterateChanges(
  bells: Pick<Doorbells, "since" | "once">,
  options: ChangesOptions,
  closed: AbortSignal,
  older?: (after: number, limit: number, tenant: string | undefined) => Rung | undefined,
): AsyncGenerator<readonly Change[], void, undefined> {
  let after = options.after;
  while (!options.signal.aborted && !closed.aborted) {
    const early = older?.(after, BATCH, options.tenant);
    const { changes, position } = early ?? bells.since(after, BATCH, options.tenant);
    after = position;
    if (changes.length > 0) yield changes;
    else if (early === undefined) await nextRing(bells, options.signal, closed);
  }
}

function nextRing(bells: Pick<Doorbells, "once">, signal: AbortSignal, closed: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      leave();
      signal.removeEventListener("abort", done);
      closed.removeEventListener("abort", done);
      resolve();
    };
    const leave = bells.once(done);
    signal.addEventListener("abort", done);
    closed.addEventListener("abort", done);
  });
}
