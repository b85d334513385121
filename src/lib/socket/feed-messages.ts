import type { FeedItem, FeedStream } from "../api/api.ts";
import { MESSAGE_SIZE } from "./outbox.ts";

/** What goes out at once of a feed. */
export interface FeedMessage {
  /** `FeedFrame`s as JSON text. */
  readonly frames: readonly string[];
  /** Of the checkpoint that stands behind these frames. */
  readonly cursor?: string;
}

/**
 * A feed in messages: frames that come within one turn of the event loop go together, up to `MESSAGE_SIZE` of them (a single longer one alone); nothing waits for more
 * than the end of its turn. A checkpoint ends its message, so all that stands before it has gone out with it. At most one item is asked for beyond what was given.
 * Returning it ends the feed, once the item that was asked for has come: whoever stops aborts the feed's signal first.
 */
export async function* joinFrames(feed: FeedStream): AsyncGenerator<FeedMessage, void, undefined> {
  const items = feed[Symbol.asyncIterator]();
  const ask = (): Promise<IteratorResult<FeedItem, unknown>> => {
    const next = items.next();
    // It may fail while a message is on its way; whoever waits for it then is told.
    next.catch(() => undefined);
    return next;
  };
  try {
    let frames: string[] = [];
    let size = 0;
    let turn: Promise<undefined> | undefined;
    for (let next = ask(); ;) {
      // What has come goes out, also before an error.
      const step = turn === undefined ? await next : await Promise.race([next.catch(() => undefined), turn]);
      if (turn === undefined && step?.done === true) return;
      const item = step?.done === true ? undefined : step?.value;
      if (item?.kind === "frame" && (turn === undefined || size + item.json.length <= MESSAGE_SIZE)) {
        frames.push(item.json);
        size += item.json.length;
        turn ??= endOfTurn();
      } else {
        yield { frames, ...(item?.kind === "checkpoint" && { cursor: item.cursor }) };
        frames = [];
        size = 0;
        turn = undefined;
        // It comes to the next message.
        if (item?.kind !== "checkpoint") continue;
      }
      next = ask();
    }
  } finally {
    await items.return?.();
  }
}

function endOfTurn(): Promise<undefined> {
  return new Promise((resolve) => {
    setImmediate(resolve, undefined);
  });
}
