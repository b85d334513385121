import { z } from "zod";
import { toCursor } from "../model/cursor.ts";
import type { ApiParts } from "./api-parts.ts";
import { defineRawEndpoint, type Endpoint } from "./endpoint.ts";
import { encodeEntries, firstKept } from "./event-stream.ts";
import { findTask } from "./find-task.ts";
import { given } from "./query.ts";
import { audienceSchema } from "./schemas.ts";
import { AGENT_HINT } from "./tasks.ts";

/** The endpoint that gives a stream as a file: what the inspector opens without a server. */
export function createExportEndpoint(parts: Pick<ApiParts, "store" | "media" | "agents" | "limits" | "now">): Endpoint {
  return defineRawEndpoint({
    method: "GET",
    path: "/api/tasks/{task}/export",
    tag: "Streams",
    summary: "A task's stream up to now as a file: JSON, one object a line",
    about:
      "The first line is `{ format, agent, task, context, cursor, head, floor, exportedAt }`, with `snapshot` where early entries are gone; each other line is a `StreamEntry`. Files in it are raw, or URLs that expire.",
    query: z.object({ ...AGENT_HINT, audience: z.exactOptional(audienceSchema.describe("Whose entries; internal by default, which is all")) }),
    reply: { mediaType: "application/x-ndjson", about: "One JSON object a line" },
    async handle({ principal, params, query, signal }) {
      const { agent, audience = "internal" } = given(query);
      const { key, page } = await findTask(parts, principal, { task: params.task, ...given({ agent }) });
      const { log, index } = parts.store;
      const start = await firstKept(parts, key, page.floor);
      const row = await index.get(key);
      const first = {
        format: EXPORT_FORMAT,
        agent: key.agent,
        task: key.task,
        context: row?.context ?? "",
        audience,
        cursor: toCursor(log.id, page.head),
        head: page.head,
        floor: start.after,
        exportedAt: parts.now(),
        ...(start.snapshot !== undefined && { snapshot: start.snapshot }),
      };
      async function* lines(): AsyncGenerator<Uint8Array, void, undefined> {
        yield Buffer.from(`${JSON.stringify(first)}\n`);
        for (let after = start.after; after < page.head && !signal.aborted;) {
          const { entries = [] } = (await log.read(key, { after, maxBytes: parts.limits.maxFrameBytes })) ?? {};
          const wanted = entries.filter(({ seq }) => seq <= page.head);
          const encoded = await encodeEntries(parts, key, wanted, { audience, prefix: "" });
          if (encoded !== undefined) yield Buffer.from(encoded.map(({ json }) => `${json}\n`).join(""));
          after = entries.at(-1)?.seq ?? page.head;
        }
      }
      const name = `${key.agent}-${key.task}`.replaceAll(/[^\w.-]/g, "_").slice(0, 120);
      return {
        kind: "whole",
        status: 200,
        headers: { "content-type": "application/x-ndjson", "content-disposition": `attachment; filename="${name}.ndjson"`, "cache-control": "no-store" },
        body: lines(),
      };
    },
  });
}

/** Names the form of an exported stream, in its first line. */
const EXPORT_FORMAT = "ias-stream/1";
