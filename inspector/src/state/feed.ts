import { type ReadonlySignal, signal } from "@preact/signals";
import { ClientError, toClientError } from "../../../src/lib/browser/client-error.ts";
import { followFeed } from "../../../src/lib/browser/follow.ts";
import type { Source } from "../../../src/lib/browser/source.ts";
import type { FeedFrame } from "../../../src/lib/model/api.ts";
import { callApi } from "./call.ts";
import { pause } from "./frame.ts";
import { pageSource } from "./shared.ts";

/** The feed of all streams that the caller may see. It comes back by itself; whoever made it closes it. */
export interface Feed {
  readonly state: ReadonlySignal<"connecting" | "open" | "lost" | "refused">;
  /** Why it is lost or refused, and what comes then. */
  readonly trouble: ReadonlySignal<string | undefined>;
  close(): void;
}

/** Who hears what the feed says. */
export interface FeedListener {
  /** Entries of a task: each once, in order, and without a gap from the first that came. */
  take(frame: FeedFrame): void;
  /** What was taken so far is void: the feed begins anew. */
  restart(): void;
  /** Connected; everything that happens from now on is told, so that a list that is asked for now fits. */
  ready?(): void;
}

/** What is followed, and by which source; tests give another. */
export interface FollowOptions {
  /** Of unfinished tasks only the last so many entries, to begin with; all by default. */
  readonly tail?: number;
  readonly source?: Source;
}

const AGAIN_MS = 1000;
const UNREACHED = "The server cannot be reached just now. The page goes on by itself when it is back.";
const AGAIN = "It is tried again by itself.";
const WITH_KEY = "The page goes on when a key is given.";
const OTHER_LOG = "The server has another log.";

/** Follows the feed over the page's one connection. */
export function followAll(listener: FeedListener, { tail, source = pageSource }: FollowOptions = {}): Feed {
  const state = signal<"connecting" | "open" | "lost" | "refused">("connecting");
  const trouble = signal<string | undefined>(undefined);
  const over = new AbortController();
  let log: string | undefined;
  /** How often in a row it was another log. */
  let others = 0;

  /** The source, and what its pieces say of the feed as a whole. */
  const watched: Source = async function* (subscription, signal) {
    if (subscription.after === undefined) listener.restart();
    let isReady = false;
    for await (const piece of source(subscription, signal)) {
      const cursor = piece.kind === "feed" ? piece.cursor : undefined;
      if (cursor !== undefined) {
        const [now = ""] = cursor.split(".", 1);
        const isOther = log !== undefined && log !== now;
        log = now;
        // A server with another log has taken the cursor for none; what it gave so far is mixed with what the first one gave.
        if (isOther) throw new ClientError("aborted", OTHER_LOG);
        others = 0;
      }
      yield piece;
      if (cursor === undefined || isReady) continue;
      isReady = true;
      listener.ready?.();
    }
  };
  const read = async (): Promise<void> => {
    const frames = followFeed(
      watched,
      {
        audience: "internal",
        ...(tail !== undefined && { tail }),
        signal: over.signal,
        onConnection(told) {
          state.value = told.kind;
          trouble.value = told.kind === "open" ? undefined : told.error.code === "unavailable" ? UNREACHED : `${told.error.message} ${AGAIN}`;
        },
      },
      {},
    );
    for await (const frame of frames) listener.take(frame);
  };
  const run = async (): Promise<void> => {
    while (!over.signal.aborted) {
      try {
        await read();
        return;
      } catch (thrown) {
        if (over.signal.aborted) return;
        const error = toClientError(thrown);
        if (error.message === OTHER_LOG) {
          others += 1;
          // Behind one address may stand two servers, each with a log of its own.
          if (others > 1) await pause(AGAIN_MS, over.signal);
          continue;
        }
        trouble.value = error.code === "unauthenticated" ? `${error.message} ${WITH_KEY}` : error.message;
        state.value = "refused";
        if (error.code !== "unauthenticated") return;
        // The person is asked for a key; then it is tried again.
        const isKnown = await callApi("/api/session", { signal: over.signal }).then(
          () => true,
          () => false,
        );
        if (!isKnown) return;
        await pause(AGAIN_MS, over.signal);
      }
    }
  };
  void run();
  return { state, trouble, close: () => over.abort() };
}
