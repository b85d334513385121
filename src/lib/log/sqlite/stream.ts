import type { Entry } from "../../model/entry.ts";
import type { StreamKey } from "../../model/key.ts";
import type { Parking } from "../parking.ts";
import { createRecent, type Recent } from "../recent.ts";
import { createTail, type Tail } from "../tail.ts";

/** One stream in use: its row, and its entries that are not yet in segments. */
export interface SqliteStream extends Tail {
  /** The last seq in the database; `head` follows when it is as durable as the store promises. */
  written: number;
  /** Sealed in the database; `sealed` follows. */
  ended: boolean;
  readonly id: number;
  readonly key: StreamKey;
  epoch: number;
  owner: string;
  leaseEndsAt: number;
  /** The lease's end as its row has it. */
  leaseSaved: number;
  gen: number;
  attempt: number;
  floor: number;
  /** The last seq in segments; `recent` goes on from there, or from the floor if that is higher. */
  flushed: number;
  compacted: number;
  /** The position of its newest change. */
  changed: number;
  readonly recent: Recent;
  parking: Parking | undefined;
  /** Its place in the group that is being committed. */
  place: number;
  /** The newest page: followers at the same cursor share it while it is fresh. */
  page: { readonly after: number; readonly maxBytes: number; readonly head: number; readonly entries: readonly Entry[] } | undefined;
}

/** A row of `streams`, in the order of `STREAM_COLUMNS`. */
export type StreamRow = readonly [
  number,
  string,
  string,
  string,
  string,
  number,
  string,
  number,
  number,
  number,
  number,
  number,
  number,
  number,
  number,
  number,
];

/** The columns of `StreamRow`, in its order. */
export const STREAM_COLUMNS = "id, tenant, user, agent, task, epoch, owner, lease_ends_at, head, gen, attempt, floor, flushed, compacted, changed, sealed";

/** A stream as its row has it. */
export function fromRow(row: StreamRow): SqliteStream {
  const [id, tenant, user, agent, task, epoch, owner, leaseEndsAt, head, gen, attempt, floor, flushed, compacted, changed, sealed] = row;
  return {
    ...createTail(head, sealed === 1),
    written: head,
    ended: sealed === 1,
    id,
    key: { tenant, user, agent, task },
    epoch,
    owner,
    leaseEndsAt,
    leaseSaved: leaseEndsAt,
    gen,
    attempt,
    floor,
    flushed,
    compacted,
    changed,
    recent: createRecent(),
    parking: undefined,
    place: 0,
    page: undefined,
  };
}

/** Takes the entries up to `seq` out of `recent`: after the commit that moved or dropped them, in whatever order such commits' actions run. */
export function dropRecent(stream: SqliteStream, seq: number): void {
  stream.recent.dropThrough(seq);
  stream.page = undefined;
}

/** Lets go what followers at the head have had. */
export function releaseRecent(stream: SqliteStream): void {
  stream.recent.release(stream.head);
  stream.page = undefined;
}

/** Entries after `after` out of `recent`, up to the head and up to `maxBytes`; `recent` has them. */
export function recentPage(stream: SqliteStream, after: number, maxBytes: number): readonly Entry[] {
  const { recent, page } = stream;
  if (page !== undefined && page.after === after && page.head === stream.head && page.maxBytes === maxBytes) return page.entries;
  const entries = recent.page(after, maxBytes, stream.head);
  if (recent.fresh) stream.page = { after, maxBytes, head: stream.head, entries };
  return entries;
}
