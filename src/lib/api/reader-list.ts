import { z } from "zod";
import type { ReaderInfo } from "../model/api.ts";
import type { ApiParts } from "./api-parts.ts";
import { defineEndpoint, type Endpoint } from "./endpoint.ts";
import { given, words } from "./query.ts";
import { readerSchema } from "./schemas.ts";

/** The endpoint that says who reads the caller's streams, by whichever way. */
export function createReaderEndpoints(parts: Pick<ApiParts, "readers" | "store">): readonly Endpoint[] {
  return [
    defineEndpoint({
      method: "GET",
      path: "/api/readers",
      tag: "Streams",
      summary: "Who reads the caller's streams at this server: A2A's own ways, event streams, sockets and bridges",
      query: z.object({ task: words("Only readers of this task") }),
      reply: z.array(readerSchema),
      async handle({ principal, query }) {
        const listed = parts.readers.list(principal, given(query).task);
        // One look at each stream, however many read it.
        const heads = new Map<string, number>();
        const found: ReaderInfo[] = [];
        for (const { key, ...reader } of listed) {
          const name = `${key.agent}/${key.task}`;
          const head = heads.get(name) ?? (await parts.store.log.read(key, { after: 0, maxBytes: 0 }))?.head ?? reader.seq;
          heads.set(name, head);
          found.push({ ...reader, lag: Math.max(0, head - reader.seq) });
        }
        return { body: found };
      },
    }),
  ];
}
