import { z } from "zod";
import type { Api, EncodedEntry, EventStream } from "./api.ts";
import { defineRawEndpoint, type Endpoint } from "./endpoint.ts";
import { given, words } from "./query.ts";
import { audienceSchema } from "./schemas.ts";
import { AGENT_HINT } from "./tasks.ts";

const audience = z.exactOptional(audienceSchema.describe("Whose entries: public, extension (the default), or internal, with inputs and reasoning"));

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
      reply: { mediaType: "text/event-stream", about: "`open`, entries, `end`" },
      async handle({ principal, signal, params, query, raw }) {
        const { agent, after, audience } = given(query);
        const cursor = lastEventId(raw.header("last-event-id")) ?? after;
        const name = { task: params.task, ...given({ agent }) };
        const stream = await api.events({ principal, signal }, name, { transport: "sse", ...given({ after: cursor, audience }) });
        if (stream.atEnd) return { kind: "whole", status: 204, headers: { "cache-control": "no-store" }, body: "" };
        return { kind: "events", headers: {}, events: encodeStream(stream), heartbeat: () => `: hb ${stream.cursor()}\n\n` };
      },
    }),
  ];
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
