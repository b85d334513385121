import type { Change } from "../log/log.ts";
import type { Audience, Entry } from "../model/entry.ts";
import type { JsonObject } from "../model/a2a.ts";
import { keyText, type StreamKey } from "../model/key.ts";
import { createFirstAnswer } from "../task/first-answer.ts";
import type { FeedItem, FeedOptions } from "./api.ts";
import type { ApiParts } from "./api-parts.ts";
import { encodeEntries, firstKept } from "./event-stream.ts";
import { streamMark } from "./feed-cursor.ts";

/** What the streams of a feed are read from. */
export type FeedParts = Pick<ApiParts, "store" | "media" | "limits" | "readers" | "agents" | "now">;

/** The streams of one feed, and how far each was given. */
export interface FeedStreams {
  /** What is new of these streams up to where they were, each in turn a page. */
  read(changed: readonly Changed[], signal: AbortSignal): AsyncIterable<FeedItem>;
  /** How far those that are not finished were given, the newest change last. By `streamMark`. */
  given(): ReadonlyMap<string, number>;
  /** Until when, ms since the epoch, the first of those is held back that may turn out to be no task; undefined if none is. */
  heldUntil(): number | undefined;
  /** What was held back long enough. */
  release(signal: AbortSignal): AsyncIterable<FeedItem>;
  leave(): void;
}

/** A stream that has entries up to `seq`; one that is new to the feed is given after `from` (0). */
export interface Changed extends Pick<Change, "key" | "seq"> {
  readonly from?: number;
}

/** Finished streams that a feed still knows, so that a doorbell that rings twice gives nothing twice. */
const MAX_FINISHED = 2000;

/** A stream that the feed gives. */
interface Fed {
  readonly key: StreamKey;
  readonly context: string;
  readonly mark: string;
  /** The last seq that was given, or passed over. */
  seq: number;
  reader: Disposable | undefined;
}

/** What one look at a stream gave, and whether there is more. */
interface Step {
  readonly item?: FeedItem;
  readonly more: boolean;
}

const NOTHING: Step = { more: false };

/** None yet. `before` is what a cursor said of streams, by `streamMark`. */
export function createFeedStreams(parts: FeedParts, options: FeedOptions, before: ReadonlyMap<string, number>): FeedStreams {
  const { log, index } = parts.store;
  const audience: Audience = options.audience ?? "extension";
  const maxBytes = Math.min(options.maxBytes ?? Number.POSITIVE_INFINITY, parts.limits.maxFrameBytes);
  /** Those that change last stand last. */
  const unfinished = new Map<string, Fed>();
  /** What the cursor said of streams that have not changed since. */
  const untouched = new Map(before);
  /** The last seq of finished ones. */
  const finished = new Map<string, number>();
  /** Of the unfinished, those that may turn out to be no task: until then, ms since the epoch, they are given only if they show themselves to be one (SEMANTICS 6). */
  const held = new Map<Fed, number>();

  /** The stream of a change, if the feed gives it. */
  async function enter({ key, seq, from = 0 }: Changed): Promise<Fed | undefined> {
    const text = keyText(key);
    const known = unfinished.get(text);
    if (known !== undefined || (finished.get(text) ?? -1) >= seq) return known;
    if (options.agent !== undefined && key.agent !== options.agent) return undefined;
    const row = await index.get(key);
    // Before its first entry, and after a reply without a task, it is no task.
    if (row === undefined || (options.context !== undefined && row.context !== options.context)) return undefined;
    const mark = streamMark(key);
    const told = untouched.get(mark);
    // The log lost entries that were given: those that stand there now are others.
    const earlier = told !== undefined && told > row.head ? 0 : told;
    // One that has entered stays, and gives its end too.
    if (earlier === undefined && options.states !== undefined && !options.states.includes(row.state)) return undefined;
    const mayReply = parts.agents.get(key.agent)?.replies !== "task";
    const heldUntil = row.createdAt + parts.limits.replyHoldMs;
    // What may turn out to be no task is read from its beginning, which shows it.
    const begin = mayReply && parts.now() < heldUntil ? 0 : from;
    const fed: Fed = { key, context: row.context, mark, seq: finished.get(text) ?? earlier ?? begin, reader: undefined };
    if (fed.seq === 0 && mayReply) held.set(fed, heldUntil);
    unfinished.set(text, fed);
    untouched.delete(mark);
    return fed;
  }

  function finish(fed: Fed): void {
    const text = keyText(fed.key);
    fed.reader?.[Symbol.dispose]();
    held.delete(fed);
    unfinished.delete(text);
    finished.set(text, fed.seq);
    for (const oldest of finished.keys()) {
      if (finished.size <= MAX_FINISHED) break;
      finished.delete(oldest);
    }
  }

  /** Where early entries are gone that this feed has not given: what they amounted to, and from where it goes on. */
  async function passGap(fed: Fed, floor: number): Promise<{ readonly snapshot: JsonObject; readonly floor: number } | undefined> {
    const { after, snapshot } = await firstKept(parts, fed.key, floor);
    fed.seq = Math.max(fed.seq, after);
    return snapshot && { snapshot, floor: fed.seq };
  }

  /** One page of what is new, and whether there is more up to `goal`. */
  async function step(fed: Fed, goal: number): Promise<Step> {
    const { key, context } = fed;
    let gap: Awaited<ReturnType<typeof passGap>>;
    let page = await log.read(key, { after: fed.seq, maxBytes });
    // The floor may rise again while the snapshot is folded.
    while (page !== undefined && page.floor > fed.seq) {
      gap = await passGap(fed, page.floor);
      page = await log.read(key, { after: fed.seq, maxBytes });
    }
    if (page === undefined) {
      finish(fed);
      return NOTHING;
    }
    const until = held.get(fed);
    if (until !== undefined) {
      const answer = judge(page.entries);
      if (answer === "message") {
        finish(fed);
        return NOTHING;
      }
      if (answer === "open" && parts.now() < until) return NOTHING;
      held.delete(fed);
    }
    fed.reader ??= parts.readers.enter({ key, transport: options.transport, audience, at: () => fed.seq });
    const encoded = await encodeEntries(parts, key, page.entries, { audience, prefix: "" });
    fed.seq = page.entries.at(-1)?.seq ?? fed.seq;
    const text = keyText(key);
    unfinished.delete(text);
    unfinished.set(text, fed);
    if (page.sealed && fed.seq >= page.head) finish(fed);
    const more = fed.seq < goal && page.entries.length > 0;
    if (encoded === undefined && gap === undefined) return { more };
    const json = toFrame({ agent: key.agent, task: key.task, context, ...gap }, encoded ?? []);
    return { item: { kind: "frame", agent: key.agent, task: key.task, seq: fed.seq, json }, more };
  }

  async function* read(changed: readonly Changed[], signal: AbortSignal): AsyncGenerator<FeedItem, void, undefined> {
    let waiting: { readonly fed: Fed; readonly goal: number }[] = [];
    for (const change of changed) {
      const fed = await enter(change);
      if (fed !== undefined && fed.seq < change.seq) waiting.push({ fed, goal: change.seq });
    }
    while (waiting.length > 0) {
      const again: typeof waiting = [];
      for (const one of waiting) {
        if (signal.aborted) return;
        const { item, more } = await step(one.fed, one.goal);
        if (item !== undefined) yield item;
        if (more) again.push(one);
      }
      waiting = again;
    }
  }

  return {
    read,
    given: () => new Map([...untouched, ...[...unfinished.values()].map(({ mark, seq }): [string, number] => [mark, seq])]),
    heldUntil: () => (held.size === 0 ? undefined : Math.min(...held.values())),
    release(signal) {
      const due = [...held].filter(([, until]) => until <= parts.now());
      return read(
        due.map(([{ key }]) => ({ key, seq: Number.POSITIVE_INFINITY })),
        signal,
      );
    },
    leave() {
      for (const { reader } of unfinished.values()) reader?.[Symbol.dispose]();
      unfinished.clear();
      held.clear();
    },
  };
}

/** What the first entries of a stream show it to be. */
function judge(entries: readonly Entry[]): "open" | "task" | "message" {
  const judgeNext = createFirstAnswer();
  for (const entry of entries) {
    const { kind } = judgeNext(entry);
    if (kind !== "open") return kind;
  }
  return "open";
}

function toFrame(named: object, entries: readonly { readonly json: string }[]): string {
  return `${JSON.stringify(named).slice(0, -1)},"entries":[${entries.map(({ json }) => json).join(",")}]}`;
}
