import type { SqliteStream } from "./stream.ts";
import type { Streams } from "./streams.ts";

/** A stream as it was before the present group. */
export interface Before {
  readonly stream: SqliteStream;
  readonly created: boolean;
  /** Its row is written at the commit. */
  save: boolean;
  readonly epoch: number;
  readonly owner: string;
  readonly leaseEndsAt: number;
  readonly written: number;
  readonly gen: number;
  readonly attempt: number;
  readonly floor: number;
  readonly flushed: number;
  readonly compacted: number;
  readonly changed: number;
  readonly ended: boolean;
  readonly gone: boolean;
  /** What the group made of it, set when the group is committed. */
  after: { readonly written: number; readonly ended: boolean; readonly changed: number } | undefined;
}

/** The streams that a group changes, with what a rollback restores. */
export interface Touched {
  /** In the order of the first touch. */
  readonly list: readonly Before[];
  add(stream: SqliteStream, change: "created" | "changed"): void;
  find(stream: SqliteStream): Before | undefined;
  /** Gives the list and begins a new one. */
  take(): readonly Before[];
  /** Puts all streams back as they were, and begins a new list. */
  restore(): void;
}

/** An empty list. */
export function createTouched(streams: Streams): Touched {
  let list: Before[] = [];

  const find = (stream: SqliteStream): Before | undefined => {
    const before = list[stream.place];
    return before?.stream === stream ? before : undefined;
  };
  const take = (): readonly Before[] => {
    const taken = list;
    list = [];
    return taken;
  };

  return {
    get list() {
      return list;
    },
    add(stream, change) {
      if (find(stream) !== undefined) return;
      const { epoch, owner, leaseEndsAt, written, gen, attempt, floor, flushed, compacted, changed, ended, gone } = stream;
      stream.place = list.length;
      list.push({
        stream,
        created: change === "created",
        save: false,
        epoch,
        owner,
        leaseEndsAt,
        written,
        gen,
        attempt,
        floor,
        flushed,
        compacted,
        changed,
        ended,
        gone,
        after: undefined,
      });
    },
    find,
    take,
    restore() {
      for (const { stream, created, epoch, owner, leaseEndsAt, written, gen, attempt, floor, flushed, compacted, changed, ended, gone } of take()) {
        stream.recent.dropAfter(written);
        stream.page = undefined;
        Object.assign(stream, { epoch, owner, leaseEndsAt, written, gen, attempt, floor, flushed, compacted, changed, ended, gone });
        if (!created) continue;
        stream.gone = true;
        streams.forget(stream);
      }
    },
  };
}
