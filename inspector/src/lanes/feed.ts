import { type ReadonlySignal, signal } from "@preact/signals";
import type { FeedFrame } from "../../../src/lib/model/api.ts";
import { messageOf } from "../../../src/lib/model/errors.ts";
import { createSseParser } from "../../../src/lib/stream/sse-parse.ts";
import { retryDelay } from "../state/backoff.ts";
import { apiPath, readFailure } from "../state/call.ts";
import { pause } from "../state/frame.ts";

/** The feed of all streams that the caller may see, on one connection that comes back by itself from its last checkpoint. */
export interface Feed {
  readonly state: ReadonlySignal<"connecting" | "open" | "lost" | "refused">;
  /** Why it is lost or refused. */
  readonly trouble: ReadonlySignal<string | undefined>;
  close(): void;
}

/** Follows the feed: all entries of unfinished tasks, then what comes. `take` may get entries again after a reconnect, known by (task, seq); `size` is a frame's, UTF-16 units of JSON. */
export function followFeed(take: (frame: FeedFrame, size: number) => void): Feed {
  const state = signal<"connecting" | "open" | "lost" | "refused">("connecting");
  const trouble = signal<string | undefined>(undefined);
  const over = new AbortController();
  let cursor: string | undefined;

  const read = async (): Promise<"lost" | "refused"> => {
    const path = apiPath("/api/feed", { audience: "internal", ...(cursor !== undefined && { after: cursor }) });
    const response = await fetch(path, { signal: over.signal, headers: { accept: "text/event-stream" } });
    if (!response.ok || response.body === null) {
      trouble.value = (await readFailure(response)).message;
      return response.status < 500 && response.status !== 429 ? "refused" : "lost";
    }
    state.value = "open";
    trouble.value = undefined;
    const parser = createSseParser();
    for await (const bytes of response.body) {
      for (const item of parser.push(bytes)) {
        if (item.kind !== "event") continue;
        if (item.type === "checkpoint") cursor = item.id;
        else if (item.type === "message") take(JSON.parse(item.data) as FeedFrame, item.data.length);
      }
    }
    return "lost";
  };
  const run = async (): Promise<void> => {
    for (let failures = 0; !over.signal.aborted; failures += 1) {
      try {
        state.value = await read();
        if (state.value === "refused") return;
      } catch (error) {
        if (over.signal.aborted) return;
        trouble.value = messageOf(error);
        if (state.value === "open") failures = 0;
        state.value = "lost";
      }
      await pause(retryDelay(failures), over.signal);
    }
  };
  void run();
  return { state, trouble, close: () => over.abort() };
}
