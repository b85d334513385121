import type { Entry, NewEntry } from "../../model/entry.ts";
import type { StreamKey } from "../../model/key.ts";
import { firstIndex } from "../../stream/first-index.ts";
import type { ResumeState } from "../log.ts";
import type { Parking } from "../parking.ts";
import { createRecent, numbered } from "../recent.ts";
import { decodeSegment, encodeSegments } from "../segment.ts";
import { createTail, pageOf, type Tail } from "../tail.ts";
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
  /** Readers that waited have had the entries that there are. */
  release(): void;
  /** Some were pushed since `release`. */
  fresh: boolean;
  /** Entries after `after`, up to `maxBytes` of event text. */
  load(after: number, maxBytes: number): readonly Entry[];
  truncate(floor: number, snapshot: string): void;
}

/** Entries, and bytes of their texts, that go into segments together. */
const PACKED = 512;
const PACKED_BYTES = 256 * 1024;

interface Packed {
  /** Of its last entry. */
  readonly seq: number;
  readonly body: string;
}

/** A stream without entries and without a writer. */
export function createMemoryStream(key: StreamKey, parking: Parking): MemoryStream {
  let packed: Packed[] = [];
  const recent = createRecent();
  /** The segment that was read last: a catching-up reader goes through it page by page. */
  let unpacked: { readonly seq: number; readonly entries: readonly Entry[] } | undefined;
  /** The newest page: readers at the same cursor share it. */
  let page: { readonly after: number; readonly maxBytes: number; readonly head: number; readonly entries: readonly Entry[] } | undefined;

  function pack(): void {
    for (const { seq, body } of encodeSegments(recent.page(packed.at(-1)?.seq ?? stream.floor, Infinity, stream.head))) packed.push({ seq, body });
    recent.dropThrough(stream.head);
  }

  function unpack(after: number): readonly Entry[] {
    const segment = packed[firstAfter(packed, after)];
    if (segment === undefined) return [];
    if (unpacked?.seq !== segment.seq) unpacked = { seq: segment.seq, entries: decodeSegment(segment.seq, segment.body) };
    return unpacked.entries;
  }

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
        stream.head += 1;
        const entry = numbered(batch[i] as NewEntry, stream.head);
        recent.push(entry);
        stream.gen = entry.gen;
        stream.attempt = entry.attempt;
        if (recent.length >= PACKED || recent.bytes >= PACKED_BYTES) pack();
      }
    },
    fresh: false,
    release() {
      stream.fresh = false;
      page = undefined;
      recent.release(stream.head);
    },
    load(after, maxBytes) {
      if (page !== undefined && page.after === after && page.head === stream.head && page.maxBytes === maxBytes) return page.entries;
      const start = Math.max(after, stream.floor);
      if (!recent.has(start + 1)) {
        const source = unpack(start);
        return pageOf(source, start + 1 - (source[0]?.seq ?? 0), maxBytes);
      }
      const entries = recent.page(start, maxBytes, stream.head);
      if (stream.fresh) page = { after, maxBytes, head: stream.head, entries };
      return entries;
    },
    truncate(floor, snapshot) {
      packed = packed.slice(firstAfter(packed, floor));
      recent.dropThrough(floor);
      page = undefined;
      stream.floor = floor;
      stream.snapshot = snapshot;
    },
  };
  return stream;
}

/** Index of the first segment that has an entry after `after`. */
function firstAfter(packed: readonly Packed[], after: number): number {
  return firstIndex(packed.length, (index) => (packed[index]?.seq ?? 0) > after);
}
