import { signal as signalOf } from "@preact/signals";
import type { StreamEntry } from "../../../src/lib/model/api.ts";
import { server } from "../state/server.ts";
import { connectSse } from "../state/sse.ts";
import type { StreamStore } from "../state/stream.ts";
import type { FetchPage } from "./pages.ts";

/** Nothing holds it back. */
const GOOD = signalOf(undefined);

/** Fetches entries of a task's stream from the server, on a connection of its own that ends with the last of them. */
export function pageOf({ agent, task }: Pick<StreamStore, "agent" | "task">): FetchPage {
  return async (first, count, signal) => {
    const entries: StreamEntry[] = [];
    const after = server.peek() === undefined || first === 1 ? undefined : `${server.peek()?.logId}.${first - 1}`;
    for await (const told of connectSse({ agent, task, ...(after !== undefined && { after }) }, { signal, conditions: GOOD })) {
      if (told.kind === "end") break;
      if (told.kind === "entries") entries.push(...told.entries);
      if (entries.length >= count) break;
    }
    return entries.slice(0, count);
  };
}
