import { z } from "zod";
import type { Api, EncodedEntry, EventStream, FeedStream } from "./api.ts";
import { defineRawEndpoint, type Endpoint } from "./endpoint.ts";
import { given, statesParameter, wholeNumber, words } from "./query.ts";
import { audienceSchema } from "./schemas.ts";
import { AGENT_HINT } from "./tasks.ts";

const audience = z.exactOptional(audienceSchema.describe("Whose entries: public, extension (the default), or internal, with inputs and reasoning"));

/** Longest tail, entries: for how tasks stand now, and not to page through them. */
const MAX_TAIL = 1000;

/** Endpoints that stream: a task's entries, and the feed of all streams. */
export function createStreamEndpoints(api: Api): readonly Endpoint[] {
  return [
    defineRawEndpoint({
      method: "GET",
      path: "/api/tasks/{task}/events",
      tag: "Streams",
      summary: "A task's stream, for a browser's own EventSource",
      about: [
        "First an event `open` (`StreamOpened`), then unnamed events (`StreamEntry`), each with its cursor as `id`; once the task has ended and all was sent, an event `end`.",
        "An `EventSource` resumes by itself. A reconnect at the end of an ended task gets 204, after which an `EventSource` stays closed.",
      ].join(" "),
      query: z.object({ ...AGENT_HINT, after: words("Cursor after which to begin; `Last-Event-ID` goes before it"), audience }),
      reply: { mediaType: "text/event-stream", about: "`open`, entries, `end`", empty: "The task has ended, and the cursor is at its end" },
      async handle({ principal, signal, params, query, raw }) {
        const { agent, after, audience } = given(query);
        const cursor = lastEventId(raw.header("last-event-id")) ?? after;
        const name = { task: params.task, ...given({ agent }) };
        const stream = await api.events({ principal, signal }, name, { transport: "sse", ...given({ after: cursor, audience }) });
        if (stream.atEnd) return { kind: "whole", status: 204, headers: { "cache-control": "no-store" }, body: "" };
        return { kind: "events", headers: {}, events: encodeStream(stream), heartbeat: () => `: hb ${stream.cursor()}\n\n` };
      },
    }),
    defineRawEndpoint({
      method: "GET",
      path: "/api/feed",
      tag: "Streams",
      summary: "The streams of all tasks that the caller may see, on one connection",
      about: [
        "Unnamed events (`FeedFrame`): entries of one task each, each once within a connection. Events `checkpoint`, at most one a second, carry the cursor as `id`:",
        "an `EventSource` comes back with it by itself, misses nothing, and may get entries again that came after it, which are known by (agent, task, seq).",
        "Without a cursor the feed begins with all entries of tasks that are not finished, or with the `tail` of each.",
        "Where early entries of a task are gone a frame has its `snapshot` in their place. A reply without a task shows nothing.",
      ].join(" "),
      query: z.object({
        agent: words("Only this agent's tasks"),
        context: words("Only those of this conversation (contextId)"),
        states: statesParameter.describe("Only tasks that are in one of these states; once in the feed a task stays until its end"),
        after: words("Cursor of a checkpoint, or 0 for every task that there is; `Last-Event-ID` goes before it"),
        tail: wholeNumber(0, MAX_TAIL, "Of the tasks that there are when the feed begins only the last so many entries; all by default"),
        audience,
        live: z.exactOptional(z.enum(["true", "false"], "must be true or false").describe("false: every task up to now, then an event `end`")),
      }),
      reply: { mediaType: "text/event-stream", about: "frames, `checkpoint`, and `end` where live is false" },
      async handle({ principal, signal, query, raw }) {
        const { after, live, ...rest } = given(query);
        const cursor = lastEventId(raw.header("last-event-id")) ?? after;
        const isLive = live !== "false";
        const feed = await api.feed({ principal, signal }, { ...rest, ...given({ after: cursor }), live: isLive, transport: "feed" });
        return { kind: "events", headers: {}, events: encodeFeed(feed, isLive) };
      },
    }),
  ];
}

async function* encodeFeed(feed: FeedStream, isLive: boolean): AsyncGenerator<string, void, undefined> {
  for await (const item of feed) yield item.kind === "frame" ? `data: ${item.json}\n\n` : `id: ${item.cursor}\nevent: checkpoint\ndata: {}\n\n`;
  if (!isLive) yield "event: end\ndata: {}\n\n";
}

function lastEventId(header: string | undefined): string | undefined {
  return header === undefined || header === "" ? undefined : header;
}

/** Server-sent events of a stream. By hand, because each token passes here. */
function encodeStream(stream: EventStream): AsyncIterable<string> {
  return {
    [Symbol.asyncIterator]() {
      let batches: AsyncIterator<readonly EncodedEntry[]> | undefined;
      let ended = false;
      return {
        async next() {
          if (batches === undefined) {
            batches = stream.batches[Symbol.asyncIterator]();
            return { done: false, value: `event: open\ndata: ${JSON.stringify(stream.opened)}\n\n` };
          }
          const { done, value } = ended ? { done: true as const, value: undefined } : await batches.next();
          if (done !== true) return { done: false, value: encodeBatch(value) };
          if (ended || !(await stream.isOver())) return { done: true, value: undefined };
          ended = true;
          // With the very last cursor: entries that this reader does not see may come after the last that it got.
          return { done: false, value: `id: ${stream.cursor()}\nevent: end\ndata: {}\n\n` };
        },
        async return() {
          await batches?.return?.();
          return { done: true, value: undefined };
        },
      };
    },
  };
}

function encodeBatch(batch: readonly EncodedEntry[]): string {
  let text = "";
  for (const { cursor, json } of batch) text += `id: ${cursor}\ndata: ${json}\n\n`;
  return text;
}
