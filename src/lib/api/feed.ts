import type { Change } from "../log/log.ts";
import type { TaskState } from "../model/a2a.ts";
import { invalidField } from "../model/errors.ts";
import { withinMs } from "../stream/within.ts";
import type { Caller, FeedItem, FeedOptions, FeedStream } from "./api.ts";
import { readFeedCursor, writeFeedCursor, type FeedPlace } from "./feed-cursor.ts";
import { createFeedStreams, type FeedParts, type FeedStreams } from "./feed-streams.ts";

/** Unfinished tasks of a page, when a feed begins. */
const PAGE = 200;

const UNFINISHED: readonly TaskState[] = ["TASK_STATE_SUBMITTED", "TASK_STATE_WORKING", "TASK_STATE_INPUT_REQUIRED", "TASK_STATE_AUTH_REQUIRED"];

/** `Api.feed`: a follower of the log's doorbells. Each doorbell makes it read what is new of a stream, page by page, in turn with the others that rang. */
export async function openFeed(parts: FeedParts, caller: Caller, options: FeedOptions): Promise<FeedStream> {
  const { log } = parts.store;
  if (options.live === false && options.after !== undefined) throw invalidField("after", "is for feeds that go on; leave it out, or leave out live=false");
  const position = await log.position();
  const place = options.after === undefined ? undefined : options.after === "0" ? ALL : readFeedCursor(options.after, log.id);
  // A place that the log has not reached: it lost its end (power loss, a backup that was put back), and what comes there now is something else.
  const from: FeedPlace = place !== undefined && place.position <= position ? place : { position, starting: true, given: new Map() };
  const slot = parts.readers.admit(caller.principal);
  const giveBack = (): void => {
    caller.signal.removeEventListener("abort", giveBack);
    slot[Symbol.dispose]();
  };
  caller.signal.addEventListener("abort", giveBack);
  if (caller.signal.aborted) giveBack();
  const open = options.live === false ? readListed : feedOn;
  return {
    async *[Symbol.asyncIterator]() {
      const streams = createFeedStreams(parts, options, from.given);
      try {
        yield* open(parts, caller, options, { from, streams });
      } finally {
        streams.leave();
        giveBack();
      }
    },
  };
}

const ALL: FeedPlace = { position: 0, starting: false, given: new Map() };

interface Feeding {
  readonly from: FeedPlace;
  readonly streams: FeedStreams;
}

/** The listed tasks up to where they are now, a page of the listing after the other. */
async function* readListed(
  parts: FeedParts,
  { principal: { tenant, user }, signal }: Caller,
  { agent, context, states, tail = Number.POSITIVE_INFINITY }: FeedOptions,
  { streams, only = states }: Pick<Feeding, "streams"> & { readonly only?: readonly TaskState[] | undefined },
): AsyncGenerator<FeedItem, void, undefined> {
  const scope = { tenant, user, ...(agent !== undefined && { agent }), ...(context !== undefined && { context }), ...(only !== undefined && { states: only }) };
  for (let after: { time: number; task: string } | undefined; !signal.aborted;) {
    const page = await parts.store.index.list({ ...scope, order: "oldest", limit: PAGE, ...(after !== undefined && { after }) });
    yield* streams.read(
      page.tasks.map(({ key, head }) => ({ key, seq: head, from: Math.max(0, head - tail) })),
      signal,
    );
    const last = page.tasks.at(-1);
    if (!page.more || last === undefined) return;
    after = { time: last.createdAt, task: last.key.task };
  }
}

/** What there is, and then what comes. */
async function* feedOn(parts: FeedParts, caller: Caller, options: FeedOptions, { from, streams }: Feeding): AsyncGenerator<FeedItem, void, undefined> {
  const { log } = parts.store;
  const { feedCheckpointMs } = parts.limits;
  const { principal, signal } = caller;
  let position = from.position;
  const checkpoint = (starting: boolean): FeedItem => ({
    kind: "checkpoint",
    // What is held back has rung already: a reader that comes back looks for it among the unfinished.
    cursor: writeFeedCursor(log.id, { position, starting: starting || streams.heldUntil() !== undefined, given: streams.given() }),
  });
  // At once, so that a reader that is cut off in the beginning knows from when it wants all. Whoever wants a tail begins anew then; for it the first checkpoint says
  // that what comes from now on is told whole, so that a list that is asked for after it fits.
  if (!from.starting || options.tail === undefined) yield checkpoint(from.starting);
  if (from.starting) {
    const { states = UNFINISHED } = options;
    yield* readListed(parts, caller, options, { streams, only: UNFINISHED.filter((state) => states.includes(state)) });
    if (signal.aborted) return;
    yield checkpoint(false);
  }
  let told = parts.now();
  let untold = false;
  const stop = new AbortController();
  const changes = log.changes({ tenant: principal.tenant, after: position, signal: AbortSignal.any([signal, stop.signal]) })[Symbol.asyncIterator]();
  const ask = (): Promise<IteratorResult<readonly Change[]>> => {
    const next = changes.next();
    // It may fail while nobody waits for it; whoever does is told.
    next.catch(() => undefined);
    return next;
  };
  try {
    for (let next = ask(); !signal.aborted;) {
      // What was given and is not told yet is told when it is time, also if nothing more happens; and so is given what was held back.
      const due = Math.min(untold ? told + feedCheckpointMs : Number.POSITIVE_INFINITY, streams.heldUntil() ?? Number.POSITIVE_INFINITY);
      const batch = due < Number.POSITIVE_INFINITY ? await withinMs(next, due - parts.now()) : await next;
      if (batch !== undefined) {
        if (batch.done === true) return;
        yield* streams.read(
          batch.value.filter(({ key }) => key.user === principal.user),
          signal,
        );
        if (signal.aborted) return;
        position = batch.value.at(-1)?.position ?? position;
        untold = true;
        next = ask();
      }
      if ((streams.heldUntil() ?? Number.POSITIVE_INFINITY) <= parts.now()) {
        yield* streams.release(signal);
        if (signal.aborted) return;
        untold = true;
      }
      if (!untold || parts.now() - told < feedCheckpointMs) continue;
      told = parts.now();
      untold = false;
      yield checkpoint(false);
    }
  } finally {
    stop.abort();
    await changes.return?.();
  }
}
