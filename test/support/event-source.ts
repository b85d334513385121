/** An event of server-sent events, as the HTML standard dispatches it. */
export interface SentEvent {
  readonly type: string;
  readonly data: string;
  readonly lastEventId: string;
  /** Which connection brought it, from 1. */
  readonly connection: number;
}

/** How a reading went. */
export interface EventReading {
  readonly events: readonly SentEvent[];
  readonly connections: number;
  /** The status of the answer that ended it: 204, an error's, or 200 where `until` did. */
  readonly status: number;
}

/** What a reader of server-sent events takes. */
export interface EventSourceOptions {
  readonly headers?: Readonly<Record<string, string>>;
  /** Ends the reading, as a page does that calls `close()`. */
  readonly until?: (event: SentEvent, events: readonly SentEvent[]) => boolean;
  /** Also where the stream ends: without it an ended stream is connected to again, as browsers do. */
  readonly maxConnections?: number;
  readonly signal?: AbortSignal;
}

/**
 * Reads as a browser's `EventSource` does (HTML, 9.2): connects again whenever the connection ends, with `Last-Event-ID`; an event that was cut in the middle is never
 * dispatched; anything but 200 with `text/event-stream` ends it.
 */
export async function readEvents(url: string, options: EventSourceOptions = {}): Promise<EventReading> {
  const events: SentEvent[] = [];
  let lastEventId = "";
  let connections = 0;
  let status = 0;
  for (;;) {
    connections += 1;
    if (connections > (options.maxConnections ?? 1000)) return { events, connections: connections - 1, status };
    const stop = new AbortController();
    try {
      const response = await fetch(url, {
        headers: { accept: "text/event-stream", ...options.headers, ...(lastEventId !== "" && { "last-event-id": lastEventId }) },
        signal: options.signal === undefined ? stop.signal : AbortSignal.any([stop.signal, options.signal]),
      });
      status = response.status;
      if (status !== 200 || response.headers.get("content-type") !== "text/event-stream" || response.body === null) {
        await response.body?.cancel();
        return { events, connections, status };
      }
      let text = "";
      for await (const chunk of response.body.pipeThrough(new TextDecoderStream())) {
        text += chunk;
        const blocks = text.split("\n\n");
        text = blocks.pop() ?? "";
        for (const block of blocks) {
          lastEventId = /^id: (.*)$/m.exec(block)?.[1] ?? lastEventId;
          const data = [...block.matchAll(/^data: (.*)$/gm)].map((match) => match[1]).join("\n");
          if (data === "") continue;
          const event = { type: /^event: (.*)$/m.exec(block)?.[1] ?? "message", data, lastEventId, connection: connections };
          events.push(event);
          if (options.until?.(event, events) !== true) continue;
          stop.abort();
          return { events, connections, status };
        }
      }
    } catch (error) {
      if (options.signal?.aborted === true) return { events, connections, status };
      // A connection that was cut or refused: again.
      if (!(error instanceof TypeError) && !(error instanceof Error && error.name === "AbortError")) throw error;
    }
  }
}
