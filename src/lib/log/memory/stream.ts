import type { Entry, NewEntry } from "../../model/entry.ts";
import type { StreamKey } from "../../model/key.ts";
import type { ResumeState } from "../log.ts";
import type { Parking } from "../parking.ts";
import { createTail, type Tail } from "../tail.ts";
import type { IndexRow } from "../task-index.ts";

/** One stream in memory. The store sets its fields; `push` and `truncate` keep the entries and the tail right. */
export interface MemoryStream extends Tail {
  readonly key: StreamKey;
  epoch: number;
  owner: string;
  leaseEndsAt: number;
  gen: number;
  attempt: number;
  floor: number;
  snapshot: string | undefined;
  state: ResumeState | undefined;
  row: IndexRow | undefined;
  parking: Parking;
  /** The position of its newest change. */
  changed: number;
  /** Appends copies of `entries` but the first `skip`. */
  push(entries: readonly NewEntry[], skip: number): void;
  /** Entries after `after`, up to `maxBytes` of event text. */
  load(after: number, maxBytes: number): readonly Entry[];
  truncate(floor: number, snapshot: string): void;
}

/** A stream without entries and without a writer. */
export function createMemoryStream(key: StreamKey, parking: Parking): MemoryStream {
  let entries: Entry[] = [];
  /** The newest page: readers at the same cursor share it. */
  let page: { readonly after: number; readonly maxBytes: number; readonly head: number; readonly entries: readonly Entry[] } | undefined;

  const stream: MemoryStream = {
    ...createTail(0, false),
    key: { tenant: key.tenant, user: key.user, agent: key.agent, task: key.task },
    epoch: 0,
    owner: "",
    leaseEndsAt: 0,
    gen: 0,
    attempt: 0,
    floor: 0,
    snapshot: undefined,
    state: undefined,
    row: undefined,
    parking,
    changed: 0,
    push(batch, skip) {
      for (let i = skip; i < batch.length; i += 1) {
        const { gen, at, attempt, audience, event } = batch[i] as NewEntry;
        stream.head += 1;
        entries.push({ seq: stream.head, gen, at, attempt, audience, event });
        stream.gen = gen;
        stream.attempt = attempt;
      }
    },
    load(after, maxBytes) {
      if (page !== undefined && page.after === after && page.head === stream.head && page.maxBytes === maxBytes) return page.entries;
      const start = Math.max(0, after - stream.floor);
      let end = start;
      let bytes = 0;
      while (end < entries.length) {
        bytes += entries[end]?.event.length ?? 0;
        if (bytes > maxBytes && end > start) break;
        end += 1;
      }
      page = { after, maxBytes, head: stream.head, entries: entries.slice(start, end) };
      return page.entries;
    },
    truncate(floor, snapshot) {
      entries = entries.slice(floor - stream.floor);
      page = undefined;
      stream.floor = floor;
      stream.snapshot = snapshot;
    },
  };
  return stream;
}
