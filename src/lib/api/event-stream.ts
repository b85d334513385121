import { hasBlobs } from "../media/media.ts";
import type { JsonObject } from "../model/a2a.ts";
import { readCursor, toCursor } from "../model/cursor.ts";
import { type Audience, type Entry, isVisible } from "../model/entry.ts";
import { IasError } from "../model/errors.ts";
import type { StreamKey } from "../model/key.ts";
import { mapBatches } from "../stream/map-batches.ts";
import { loadView } from "../task/view.ts";
import type { Caller, EncodedEntry, EventsOptions, EventStream, TaskName } from "./api.ts";
import type { ApiParts } from "./api-parts.ts";
import { findTask } from "./find-task.ts";

type Parts = Pick<ApiParts, "store" | "media" | "agents" | "limits" | "readers">;

/** `Api.events`. */
export async function openEvents(parts: Parts, caller: Caller, name: TaskName, options: EventsOptions): Promise<EventStream> {
  const { log } = parts.store;
  const { after = "0", audience = "extension", transport } = options;
  const { key, page } = await findTask(parts, caller.principal, name);
  const place = after === "0" ? undefined : readCursor(after, { logId: log.id, head: page.head, floor: page.floor });
  const resumes = place?.kind === "resume";
  const start = resumes ? { after: place.seq } : await firstKept(parts, key, page.floor);
  const opening = resumes ? "resume" : place === undefined ? "fresh" : "reset";
  const cursorOf = (seq: number): string => toCursor(log.id, seq);
  const atEnd = resumes && page.sealed && place.seq >= page.head;
  const slot = atEnd ? undefined : parts.readers.admit(caller.principal);
  const giveBack = (): void => slot?.[Symbol.dispose]();
  caller.signal.addEventListener("abort", giveBack);
  if (caller.signal.aborted) giveBack();
  let last = start.after;
  let given = start.after;

  const batches = (): AsyncIterable<readonly EncodedEntry[]> => {
    const reader = parts.readers.enter({ key, transport, audience, at: options.acked ?? (() => given) });
    const leave = (): void => {
      caller.signal.removeEventListener("abort", leave);
      caller.signal.removeEventListener("abort", giveBack);
      giveBack();
      reader[Symbol.dispose]();
    };
    caller.signal.addEventListener("abort", leave);
    if (caller.signal.aborted) leave();
    const prefix = cursorOf(0).slice(0, -1);
    const source = log.follow(key, { after: start.after, signal: caller.signal, maxBytes: options.maxBytes ?? parts.limits.maxFrameBytes });
    return mapBatches(
      source,
      (batch) => {
        // Of a stream that rolls, entries may go while a slow reader has not had them: it comes back, and gets what they amounted to.
        if (batch[0] !== undefined && batch[0].seq !== last + 1) return null;
        last = batch.at(-1)?.seq ?? last;
        const encoded = encodeEntries(parts, key, batch, { audience, prefix });
        given = last;
        return encoded;
      },
      leave,
    );
  };

  return {
    opened: { agent: key.agent, task: key.task, opening, ...(start.snapshot !== undefined && { snapshot: start.snapshot }), cursor: cursorOf(start.after) },
    atEnd,
    batches: { [Symbol.asyncIterator]: () => batches()[Symbol.asyncIterator]() },
    async isOver() {
      if (caller.signal.aborted) return false;
      const now = await log.read(key, { after: last, maxBytes: 0 }).catch(notClosed);
      return now === "closed" ? false : now === undefined || (now.sealed && last >= now.head);
    },
    cursor: () => cursorOf(last),
  };
}

/** Before the first entry that is kept, and what stands for those that are gone. */
export async function firstKept(
  parts: Pick<Parts, "store" | "media" | "limits">,
  key: StreamKey,
  floor: number,
): Promise<{ readonly after: number; readonly snapshot?: JsonObject }> {
  if (floor === 0) return { after: 0 };
  const loaded = await loadView(parts.store.log, key, floor);
  const task = loaded?.view.fold.task();
  if (loaded === undefined || task === undefined) return { after: floor };
  const fitted = await parts.media.fitTask(key, task, parts.limits.maxInlineBytes);
  const json = JSON.stringify(fitted);
  return { after: loaded.view.fold.seq, snapshot: JSON.parse(hasBlobs(json) ? await parts.media.present(key, json) : json) as JsonObject };
}

/** Entries that a reader of `audience` sees, encoded; undefined if there is none. `prefix` is a cursor without its number. */
export function encodeEntries(
  parts: Pick<ApiParts, "media">,
  key: StreamKey,
  batch: readonly Entry[],
  { audience, prefix }: { readonly audience: Audience; readonly prefix: string },
): readonly EncodedEntry[] | undefined | Promise<readonly EncodedEntry[]> {
  const seen = batch.filter((entry) => isVisible(entry, audience));
  if (seen.length === 0) return undefined;
  const encode = (entry: Entry, event: string): EncodedEntry => ({ seq: entry.seq, cursor: `${prefix}${entry.seq}`, json: toJson(entry, event) });
  if (!seen.some(({ event }) => hasBlobs(event))) return seen.map((entry) => encode(entry, entry.event));
  return Promise.all(seen.map(async (entry) => encode(entry, hasBlobs(entry.event) ? await parts.media.present(key, entry.event) : entry.event)));
}

/** A `StreamEntry`. Its event is JSON text already (SEMANTICS 7), and stays it. */
function toJson({ seq, gen, at, attempt, audience }: Entry, event: string): string {
  return `{"seq":${seq},"gen":${gen},"at":${at},"attempt":${attempt},"audience":"${audience}","event":${event}}`;
}

function notClosed(error: unknown): "closed" {
  if (IasError.from(error).code === "unavailable") return "closed";
  throw error;
}
