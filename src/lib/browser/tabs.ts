import type { ApiError } from "../model/api.ts";
import { fromApiError, lost, toApiError } from "./client-error.ts";
import { createInbox, type Inbox } from "./inbox.ts";
import type { Piece, Source, Subscription } from "./source.ts";
import { newId } from "./words.ts";

/** Streams of all tabs of an origin over the connections of one of them. */
export interface Tabs {
  readonly source: Source;
  /** Tells the tab that has the connections to let them go. */
  reconnect(): void;
  close(): void;
}

/** What tabs are joined by. */
export interface TabsOptions {
  /** The same in all tabs that share. */
  readonly name: string;
  /** `navigator.locks`: whoever has the lock has the connections. */
  readonly locks: {
    request(name: string, options: { readonly signal?: AbortSignal }, granted: () => Promise<unknown>): Promise<unknown>;
  };
  /** Lets this tab's own connections go. */
  readonly drop: () => void;
  /** How long a tab waits for an answer of the one that leads before it connects by itself, ms. Default 1 s. */
  readonly answerMs?: number;
  /** How often it is asked whether it is there, ms. Default 10 s. */
  readonly askMs?: number;
}

/** What a tab wants of the one that leads. */
type Wish =
  | { readonly op: "open"; readonly tab: string; readonly id: number; readonly subscription: Subscription }
  | { readonly op: "more" | "close"; readonly tab: string; readonly id: number };

/** What tabs say to all. */
type Said = Wish | { readonly op: "who" } | { readonly op: "drop" } | { readonly op: "leader"; readonly leader: string };

/** What the one that leads says to a tab. */
type Given = { readonly id: number } & ({ readonly op: "piece"; readonly piece: Piece } | { readonly op: "end" } | ({ readonly op: "error" } & ApiError));

/** Pieces that the one that leads sends ahead of a tab's reader. */
const AHEAD = 16;

/** Sends what a channel may carry. */
type Post = (said: Said) => void;

/** Shares `local` among tabs: the tab that has the lock connects, the others get their pieces from it, and when it is gone the next one takes over. */
export function shareAmongTabs(local: Source, options: TabsOptions): Tabs {
  const { name, locks, answerMs = 1000, askMs = 10_000 } = options;
  const tab = newId();
  const closed = new AbortController();
  const inboxes = new Map<number, Inbox>();
  const leads = createLeading(local, options);
  const turns = new Set<() => void>();
  let leader: string | undefined;
  let answered = true;
  let count = 0;
  let asking: ReturnType<typeof setTimeout> | undefined;
  let channels: { readonly all: BroadcastChannel; readonly own: BroadcastChannel } | undefined;

  const post: Post = (said) => channels?.all.postMessage(said);

  /** Another one leads, this tab itself, or (undefined) nobody answers. */
  const follow = (next: string | undefined): void => {
    answered = true;
    if (next !== leader) {
      leader = next;
      for (const inbox of inboxes.values()) inbox.fail(lost("Another tab has the connection now.", { retryAfterMs: 0 }));
    }
    if (next !== undefined) for (const turn of turns) turn();
  };

  const hear = (said: Said): void => {
    if (said.op === "leader") follow(said.leader);
    else if (leader === tab) {
      if (said.op === "who") post({ op: "leader", leader: tab });
      else if (said.op === "drop") options.drop();
      else leads.hear(said);
    }
  };

  const join = (): void => {
    if (channels !== undefined) return;
    channels = { all: new BroadcastChannel(name), own: new BroadcastChannel(`${name}/${tab}`) };
    channels.all.onmessage = (event: { readonly data: unknown }) => hear(event.data as Said);
    channels.own.onmessage = (event: { readonly data: unknown }) => {
      const given = event.data as Given;
      const inbox = inboxes.get(given.id);
      if (given.op === "piece") inbox?.take(given.piece, 1);
      else if (given.op === "end") inbox?.finish();
      else inbox?.fail(fromApiError(given));
    };
    const stays = new Promise((resolve) => closed.signal.addEventListener("abort", resolve));
    const hold = (lock: string, granted: () => void): void => {
      locks
        .request(lock, { signal: closed.signal }, async () => {
          granted();
          await stays;
        })
        .catch(() => undefined);
    };
    // The tab's own lock shows the others that it is there.
    hold(`${name}/${tab}`, () => post({ op: "who" }));
    hold(name, () => {
      follow(tab);
      post({ op: "leader", leader: tab });
    });
  };

  /** Whether to connect by itself: it leads, or nobody does in time. */
  const isAlone = async (signal: AbortSignal): Promise<boolean> => {
    if (leader === undefined) {
      post({ op: "who" });
      await new Promise<void>((resolve) => {
        const done = (): void => {
          clearTimeout(timer);
          turns.delete(done);
          signal.removeEventListener("abort", done);
          resolve();
        };
        const timer = setTimeout(done, answerMs);
        turns.add(done);
        signal.addEventListener("abort", done);
      });
      signal.throwIfAborted();
    }
    return leader === undefined || leader === tab;
  };

  /** As long as something comes from another tab, it has to be there. */
  const ask = (): void => {
    asking = undefined;
    if (inboxes.size === 0) return;
    if (!answered) return follow(undefined);
    answered = false;
    post({ op: "who" });
    asking = setTimeout(ask, askMs);
  };

  return {
    async *source(subscription, signal) {
      join();
      if (await isAlone(signal)) return yield* local(subscription, signal);
      const id = (count += 1);
      const inbox = createInbox(() => post({ op: "more", tab, id }));
      inboxes.set(id, inbox);
      asking ??= setTimeout(ask, askMs);
      post({ op: "open", tab, id, subscription });
      try {
        for (let piece = await inbox.next(signal); piece !== undefined; piece = await inbox.next(signal)) yield piece;
      } finally {
        inboxes.delete(id);
        post({ op: "close", tab, id });
      }
    },
    reconnect() {
      options.drop();
      post({ op: "drop" });
    },
    close() {
      clearTimeout(asking);
      leads.close();
      closed.abort();
      channels?.all.close();
      channels?.own.close();
      channels = undefined;
    },
  };
}

/** What the tab that leads does for the others. */
function createLeading(local: Source, { name, locks }: TabsOptions) {
  const served = new Map<string, { readonly stop: AbortController; more: () => void }>();
  const watched = new Set<string>();

  const leave = (tab: string): void => {
    for (const [key, { stop }] of served) if (key.startsWith(`${tab}/`)) stop.abort();
    watched.delete(tab);
  };

  const serve = async (tab: string, id: number, subscription: Subscription): Promise<void> => {
    const key = `${tab}/${id}`;
    const stop = new AbortController();
    let room = AHEAD;
    let wake: (() => void) | undefined;
    const more = (): void => {
      room += 1;
      wake?.();
    };
    served.set(key, { stop, more });
    stop.signal.addEventListener("abort", () => wake?.());
    const out = new BroadcastChannel(`${name}/${tab}`);
    const give = (given: Given): void => out.postMessage(given);
    try {
      for await (const piece of local(subscription, stop.signal)) {
        give({ id, op: "piece", piece });
        room -= 1;
        while (room <= 0 && !stop.signal.aborted) {
          await new Promise<void>((resolve) => {
            wake = resolve;
          });
        }
        stop.signal.throwIfAborted();
      }
      give({ id, op: "end" });
    } catch (error) {
      if (!stop.signal.aborted) give({ id, op: "error", ...toApiError(error) });
    } finally {
      served.delete(key);
      out.close();
    }
  };

  return {
    hear(said: Wish): void {
      const { tab, id } = said;
      if (said.op === "more") served.get(`${tab}/${id}`)?.more();
      else if (said.op === "close") served.get(`${tab}/${id}`)?.stop.abort();
      else if (said.op === "open") {
        void serve(tab, id, said.subscription);
        if (watched.has(tab)) return;
        watched.add(tab);
        // A tab that is gone has let its lock go.
        locks.request(`${name}/${tab}`, {}, async () => leave(tab)).catch(() => undefined);
      }
    },
    close(): void {
      for (const { stop } of served.values()) stop.abort();
    },
  };
}
