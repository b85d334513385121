import type { Change } from "../log/log.ts";
import type { TaskState } from "../model/a2a.ts";
import type { Audience } from "../model/entry.ts";
import { IasError } from "../model/errors.ts";
import { keyText, type StreamKey } from "../model/key.ts";
import type { Caller, FeedItem, FeedOptions, FeedStream } from "./api.ts";
import type { ApiParts } from "./api-parts.ts";
import { encodeEntries } from "./event-stream.ts";
import { readFeedCursor, streamMark, writeFeedCursor, type FeedPlace } from "./feed-cursor.ts";

type Parts = Pick<ApiParts, "store" | "media" | "limits" | "readers" | "now">;

/** Finished streams that a feed still knows, so that a doorbell that rings twice gives nothing twice. */
const MAX_FINISHED = 2000;

/** Unfinished tasks of a page, when a feed begins. */
const PAGE = 200;

const UNFINISHED: readonly TaskState[] = ["TASK_STATE_SUBMITTED", "TASK_STATE_WORKING", "TASK_STATE_INPUT_REQUIRED", "TASK_STATE_AUTH_REQUIRED"];

/** A stream that the feed gives. */
interface Fed {
  readonly key: StreamKey;
  readonly context: string;
  readonly mark: string;
  /** The last seq that was given, or passed over. */
  seq: number;
  reader: Disposable;
}

/** `Api.feed`: a follower of the log's doorbells. Each doorbell makes it read what is new of a stream, page by page, in turn with the others that rang. */
export async function openFeed(parts: Parts, caller: Caller, options: FeedOptions): Promise<FeedStream> {
  const { log } = parts.store;
  if (options.live === false && options.after !== undefined) {
    const description = "is for feeds that go on; leave it out, or leave out live=false";
    throw new IasError("invalid-params", `after ${description}.`, { fields: [{ field: "after", description }] });
  }
  const place = options.after === undefined ? undefined : options.after === "0" ? ALL : readFeedCursor(options.after, log.id);
  const from: FeedPlace = place ?? { position: await log.position(), starting: true, given: new Map() };
  const slot = parts.readers.admit();
  const giveBack = (): void => {
    caller.signal.removeEventListener("abort", giveBack);
    slot[Symbol.dispose]();
  };
  caller.signal.addEventListener("abort", giveBack);
  if (caller.signal.aborted) giveBack();
  const open = options.live === false ? readListed : feedOn;
  return {
    async *[Symbol.asyncIterator]() {
      const streams = createStreams(parts, options, from);
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
  readonly streams: ReturnType<typeof createStreams>;
}

/** The listed tasks up to where they are now, a page of the listing after the other. */
async function* readListed(
  parts: Parts,
  { principal: { tenant, user }, signal }: Caller,
  { agent, context, states }: FeedOptions,
  { streams, only = states }: Pick<Feeding, "streams"> & { readonly only?: readonly TaskState[] | undefined },
): AsyncGenerator<FeedItem, void, undefined> {
  const scope = { tenant, user, ...(agent !== undefined && { agent }), ...(context !== undefined && { context }), ...(only !== undefined && { states: only }) };
  for (let after: { time: number; task: string } | undefined; !signal.aborted;) {
    const page = await parts.store.index.list({ ...scope, order: "oldest", limit: PAGE, ...(after !== undefined && { after }) });
    yield* streams.read(
      page.tasks.map(({ key, head }) => ({ key, seq: head })),
      signal,
    );
    const last = page.tasks.at(-1);
    if (!page.more || last === undefined) return;
    after = { time: last.createdAt, task: last.key.task };
  }
}

/** What there is, and then what comes. */
async function* feedOn(parts: Parts, caller: Caller, options: FeedOptions, { from, streams }: Feeding): AsyncGenerator<FeedItem, void, undefined> {
  const { log } = parts.store;
  const { feedCheckpointMs } = parts.limits;
  const { principal, signal } = caller;
  let position = from.position;
  const checkpoint = (starting: boolean): FeedItem => ({
    kind: "checkpoint",
    cursor: writeFeedCursor(log.id, { position, starting, given: streams.given() }),
  });
  // At once, so that a reader that is cut off in the beginning knows from when it wants all.
  yield checkpoint(from.starting);
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
      // What was given and is not told yet is told when it is time, also if nothing more happens.
      const batch = untold ? await within(next, told + feedCheckpointMs - parts.now()) : await next;
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
      if (parts.now() - told < feedCheckpointMs) continue;
      told = parts.now();
      untold = false;
      yield checkpoint(false);
    }
  } finally {
    stop.abort();
    await changes.return?.();
  }
}

/** What `next` gives, or undefined after `ms`. */
async function within<T>(next: Promise<T>, ms: number): Promise<T | undefined> {
  const late = Promise.withResolvers<undefined>();
  const timer = setTimeout(() => late.resolve(undefined), Math.max(0, ms));
  try {
    return await Promise.race([next, late.promise]);
  } finally {
    clearTimeout(timer);
  }
}

/** The streams of one feed, and how far each was given. */
function createStreams(parts: Parts, options: FeedOptions, from: FeedPlace) {
  const { log, index } = parts.store;
  const audience: Audience = options.audience ?? "extension";
  const prefix = `${log.id}.`;
  /** Those that change last stand last. */
  const unfinished = new Map<string, Fed>();
  /** What the cursor said of streams that have not changed since. */
  const untouched = new Map(from.given);
  /** The last seq of finished ones. */
  const finished = new Map<string, number>();

  /** The stream of a change, if the feed gives it. */
  async function enter({ key, seq }: Pick<Change, "key" | "seq">): Promise<Fed | undefined> {
    const text = keyText(key);
    const known = unfinished.get(text);
    if (known !== undefined || (finished.get(text) ?? -1) >= seq) return known;
    if (options.agent !== undefined && key.agent !== options.agent) return undefined;
    const row = await index.get(key);
    // Before its first entry, and after a reply without a task, it is no task.
    if (row === undefined || (options.context !== undefined && row.context !== options.context)) return undefined;
    const mark = streamMark(key);
    const before = untouched.get(mark);
    // One that has entered stays, and gives its end too.
    if (before === undefined && options.states !== undefined && !options.states.includes(row.state)) return undefined;
    const fed: Fed = { key, context: row.context, mark, seq: finished.get(text) ?? before ?? 0, reader: NOBODY };
    fed.reader = parts.readers.enter({ key, transport: options.transport, audience, at: () => fed.seq });
    unfinished.set(text, fed);
    untouched.delete(mark);
    return fed;
  }

  function finish(text: string, fed: Fed): void {
    fed.reader[Symbol.dispose]();
    unfinished.delete(text);
    finished.set(text, fed.seq);
    for (const oldest of finished.keys()) {
      if (finished.size <= MAX_FINISHED) break;
      finished.delete(oldest);
    }
  }

  /** One page of what is new, and whether there is more up to `until`. */
  async function step(fed: Fed, until: number): Promise<{ readonly item?: FeedItem; readonly more: boolean }> {
    const { key, context } = fed;
    const text = keyText(key);
    const page = await log.read(key, { after: fed.seq, maxBytes: parts.limits.maxFrameBytes });
    if (page === undefined) {
      finish(text, fed);
      return { more: false };
    }
    const encoded = await encodeEntries(parts, key, page.entries, { audience, prefix });
    fed.seq = page.entries.at(-1)?.seq ?? fed.seq;
    unfinished.delete(text);
    unfinished.set(text, fed);
    if (page.sealed && fed.seq >= page.head) finish(text, fed);
    const json =
      encoded === undefined
        ? undefined
        : toFrame(
            key,
            context,
            encoded.map((entry) => entry.json),
          );
    return {
      ...(json !== undefined && { item: { kind: "frame", agent: key.agent, task: key.task, seq: fed.seq, json } }),
      more: fed.seq < until && page.entries.length > 0,
    };
  }

  return {
    /** What is new of these streams up to where they were, each in turn a page. */
    async *read(changed: readonly Pick<Change, "key" | "seq">[], signal: AbortSignal): AsyncGenerator<FeedItem, void, undefined> {
      let waiting: { readonly fed: Fed; readonly until: number }[] = [];
      for (const change of changed) {
        const fed = await enter(change);
        if (fed !== undefined && fed.seq < change.seq) waiting.push({ fed, until: change.seq });
      }
      while (waiting.length > 0) {
        const again: typeof waiting = [];
        for (const one of waiting) {
          if (signal.aborted) return;
          const { item, more } = await step(one.fed, one.until);
          if (item !== undefined) yield item;
          if (more) again.push(one);
        }
        waiting = again;
      }
    },
    /** How far those that are not finished were given, the newest change last. */
    given(): ReadonlyMap<string, number> {
      return new Map([...untouched, ...[...unfinished.values()].map(({ mark, seq }): [string, number] => [mark, seq])]);
    },
    leave(): void {
      for (const fed of unfinished.values()) fed.reader[Symbol.dispose]();
      unfinished.clear();
    },
  };
}

const NOBODY: Disposable = { [Symbol.dispose]: () => undefined };

function toFrame(key: StreamKey, context: string, entries: readonly string[]): string {
  const named = JSON.stringify({ agent: key.agent, task: key.task, context });
  return `${named.slice(0, -1)},"entries":[${entries.join(",")}]}`;
}
