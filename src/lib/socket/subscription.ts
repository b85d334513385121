import type { Api, EncodedEntry } from "../api/api.ts";
import type { SocketEvent, SocketRequest } from "../model/api.ts";
import { IasError } from "../model/errors.ts";
import type { Principal } from "../model/key.ts";
import { joinFrames } from "./feed-messages.ts";
import { type Lane, MESSAGE_SIZE, type Outbox } from "./outbox.ts";

/** A stream, or the feed, on its way to a page. */
export interface Subscription {
  /** The page takes so many bytes more. */
  grant(bytes: number): void;
  /** The page has dealt with everything up to there. */
  acknowledge(cursor: string): void;
  stop(): void;
  /** Resolves when the stream is over and wholly sent, or was stopped; rejects with what broke it. */
  readonly done: Promise<void>;
}

/** What a subscription needs. */
export interface SubscriptionOptions {
  readonly api: Api;
  readonly principal: Principal;
  readonly outbox: Outbox;
  /** Bytes to begin with. */
  readonly credit: number;
}

type Subscribe = SocketRequest & { readonly op: "subscribe" };
type SubscribeFeed = SocketRequest & { readonly op: "subscribe-feed" };

/** Begins to read and send. */
export function subscribe(request: Subscribe | SubscribeFeed, options: SubscriptionOptions): Subscription {
  const stopped = new AbortController();
  const { outbox } = options;
  const lane = outbox.lane(options.credit, (missing) => outbox.say(JSON.stringify({ op: "blocked", sub: request.sub, missing } satisfies SocketEvent)));
  const place = { acked: undefined as number | undefined };
  const run = request.op === "subscribe" ? sendTask(request, options, lane, stopped.signal, place) : sendFeed(request, options, lane, stopped.signal);
  return {
    grant: (bytes) => lane.grant(bytes),
    acknowledge(cursor) {
      const seq = Number(cursor.slice(cursor.lastIndexOf(".") + 1));
      if (Number.isSafeInteger(seq) && seq >= 0) place.acked = Math.max(place.acked ?? 0, seq);
    },
    stop() {
      stopped.abort();
      lane.close();
    },
    done: run
      .catch((error: unknown) => {
        if (!stopped.signal.aborted) throw error;
      })
      .finally(() => lane.close()),
  };
}

async function sendTask(
  request: Subscribe,
  options: SubscriptionOptions,
  lane: Lane,
  signal: AbortSignal,
  place: { readonly acked: number | undefined },
): Promise<void> {
  const { sub } = request;
  let sent = 0;
  const stream = await options.api.events({ principal: options.principal, signal }, request, {
    ...(request.after !== undefined && { after: request.after }),
    ...(request.audience !== undefined && { audience: request.audience }),
    transport: "websocket",
    maxBytes: MESSAGE_SIZE,
    acked: () => place.acked ?? sent,
  });
  if (signal.aborted) return;
  options.outbox.say(JSON.stringify({ op: "opened", sub, stream: stream.opened }));
  const batches = stream.batches[Symbol.asyncIterator]();
  try {
    for (;;) {
      // Asked before the log is: a stream without credit holds nothing. Its end needs none.
      if (!lane.hasCredit && (await stream.isOver())) break;
      await lane.credit();
      const { done, value } = await batches.next();
      if (done === true) break;
      // Nothing is awaited between the turn and the sending: else all lanes would see the same room.
      for (const entries of messagesOf(value)) {
        for (let wait = lane.credit() ?? lane.turn(); wait !== undefined; wait = lane.credit() ?? lane.turn()) await wait;
        if (signal.aborted) return;
        const last = entries.at(-1);
        lane.send(`{"op":"entries","sub":${sub},"cursor":"${last?.cursor ?? ""}","entries":[${entries.map(({ json }) => json).join(",")}]}`);
        sent = last?.seq ?? sent;
      }
    }
  } finally {
    await batches.return?.();
  }
  if (!signal.aborted && !(await stream.isOver()))
    throw new IasError("unavailable", "The stream goes on, but not here now: subscribe again after your cursor.", { retryable: true, retryAfterMs: 1000 });
}

/** A batch in pieces of a message each. */
function messagesOf(batch: readonly EncodedEntry[]): readonly (readonly EncodedEntry[])[] {
  const messages: EncodedEntry[][] = [];
  let size = 0;
  for (const entry of batch) {
    size += entry.json.length;
    const open = messages.at(-1);
    if (open !== undefined && size <= MESSAGE_SIZE) open.push(entry);
    else {
      messages.push([entry]);
      size = entry.json.length;
    }
  }
  return messages;
}

async function sendFeed(request: SubscribeFeed, options: SubscriptionOptions, lane: Lane, signal: AbortSignal): Promise<void> {
  const { sub, agent, context, states, after, tail, audience, live } = request;
  const feed = await options.api.feed(
    { principal: options.principal, signal },
    {
      transport: "websocket",
      maxBytes: MESSAGE_SIZE,
      ...(live !== undefined && { live }),
      ...(agent !== undefined && { agent }),
      ...(context !== undefined && { context }),
      ...(states !== undefined && { states }),
      ...(after !== undefined && { after }),
      ...(tail !== undefined && { tail }),
      ...(audience !== undefined && { audience }),
    },
  );
  let cursor = after ?? "";
  for await (const message of joinFrames(feed)) {
    for (let wait = lane.credit() ?? lane.turn(); wait !== undefined; wait = lane.credit() ?? lane.turn()) await wait;
    if (signal.aborted) return;
    ({ cursor = cursor } = message);
    lane.send(`{"op":"feed","sub":${sub},"cursor":${JSON.stringify(cursor)},"frames":[${message.frames.join(",")}]}`);
  }
}
