import type { FeedFrame, StreamEntry } from "../model/api.ts";
import type { ClientOptions, EntryStream, FeedStreamOptions, StreamOptions, Watching } from "./client.ts";
import { type ClientError, toClientError } from "./client-error.ts";
import { sleep } from "./http.ts";
import { cursorOf, type Piece, type Source, type Subscription } from "./source.ts";

/** How streams come back. */
export type Patience = Pick<ClientOptions, "backoff" | "maxReconnects">;

/** How many tasks of a feed are remembered to drop what comes twice after a reconnect. */
const MAX_REMEMBERED = 20_000;

/** A connection that lived so long, ms, was no failure, though nothing came on it but how it opened. */
const LIVED_MS = 10_000;

/** A task's entries over any number of connections, each once and in order. */
export function followTask(source: Source, task: string, options: StreamOptions, patience: Patience): EntryStream {
  const { onOpened, agent, after, audience } = options;
  let cursor = after;
  async function* entries(): AsyncGenerator<StreamEntry, void, undefined> {
    let last = 0;
    const subscription = { kind: "task", task, ...(agent && { agent }), ...(after && { after }), ...(audience && { audience }) } as const;
    for await (const piece of follow(source, subscription, options, patience)) {
      if (piece.kind === "opened") {
        // Another log, or entries that are gone: its numbers are not those from before.
        if (piece.opened.opening === "reset") last = 0;
        onOpened?.(piece.opened);
      } else if (piece.kind === "entries") {
        const fresh = piece.entries.filter(({ seq }) => seq > last);
        for (const [index, entry] of fresh.entries()) {
          last = entry.seq;
          if (index === fresh.length - 1) cursor = piece.cursor ?? cursor;
          yield entry;
        }
      }
    }
  }
  const iterator = entries();
  return {
    get cursor() {
      return cursor;
    },
    [Symbol.asyncIterator]: () => iterator,
  };
}

/** Entries of all tasks over any number of connections, each once and in order of its task. */
export async function* followFeed(source: Source, options: FeedStreamOptions, patience: Patience): AsyncGenerator<FeedFrame, void, undefined> {
  const { signal: _, onConnection: __, ...wanted } = options;
  const lastOf = new Map<string, number>();
  for await (const piece of follow(source, { kind: "feed", ...wanted }, options, patience)) {
    if (piece.kind !== "feed") continue;
    for (const frame of piece.frames) {
      const name = `${frame.agent}/${frame.task}`;
      const { floor = 0, snapshot, ...rest } = frame;
      const before = lastOf.get(name) ?? 0;
      // A snapshot of what this page has had whole says nothing new.
      const isGap = snapshot !== undefined && floor > before;
      const last = isGap ? floor : before;
      const entries = frame.entries.filter(({ seq }) => seq > last);
      const newest = entries.at(-1)?.seq ?? last;
      if (newest === before) continue;
      // The oldest by use stand first.
      lastOf.delete(name);
      lastOf.set(name, newest);
      if (lastOf.size > MAX_REMEMBERED) for (const [oldest] of lastOf) if (lastOf.size > MAX_REMEMBERED) lastOf.delete(oldest);
      yield isGap ? { ...frame, entries } : { ...rest, entries };
    }
  }
}

/** The one loop that keeps a subscription alive: comes back after its cursor as long as that can help, waiting longer each time. */
async function* follow(
  source: Source,
  subscription: Subscription,
  { signal = new AbortController().signal, onConnection }: Watching,
  { backoff = { baseMs: 250, maxMs: 15_000 }, maxReconnects = Number.POSITIVE_INFINITY }: Patience,
): AsyncGenerator<Piece, void, undefined> {
  let { after } = subscription;
  /** Since when, ms; undefined while there is no connection. */
  let open: number | undefined;
  for (let failures = 0; ;) {
    let error: ClientError;
    try {
      signal.throwIfAborted();
      for await (const piece of source({ ...subscription, after }, signal)) {
        // That it opened is not enough: one that always breaks then would be hammered at.
        if (piece.kind !== "opened") failures = 0;
        if (open === undefined) onConnection?.({ kind: "open" });
        open ??= performance.now();
        after = cursorOf(piece) ?? after;
        yield piece;
      }
      return;
    } catch (thrown) {
      signal.throwIfAborted();
      error = toClientError(thrown);
    }
    failures = open !== undefined && performance.now() - open > LIVED_MS ? 1 : failures + 1;
    open = undefined;
    if (!error.retryable || failures > maxReconnects) throw error;
    const full = Math.min(backoff.maxMs, backoff.baseMs * 2 ** (failures - 1));
    const retryInMs = error.retryAfterMs ?? Math.round((full / 2) * (1 + Math.random()));
    onConnection?.({ kind: "lost", error, attempt: failures, retryInMs });
    await sleep(retryInMs, signal);
  }
}
