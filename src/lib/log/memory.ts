import { randomBytes } from "node:crypto";
import { IasError } from "../model/errors.ts";
import type { Entry } from "../model/entry.ts";
import { checkBatch, checkOpen, DEFAULT_WRITE_LIMITS, type WriteLimits } from "./admission.ts";
import { createDoorbells, iterateChanges } from "./doorbells.ts";
import type { EventLog, Page } from "./log.ts";
import { createMemoryRecords } from "./memory/records.ts";
import type { MemoryStream } from "./memory/stream.ts";
import { createMemoryIndex } from "./memory/task-index.ts";
import { createMemoryUpkeep } from "./memory/upkeep.ts";
import { createMemoryWriter, type MemoryParts } from "./memory/writer.ts";
import { createRegistry } from "./registry.ts";
import type { Store } from "./store.ts";
import { DEFAULT_PAGE_BYTES, followTail, wakeFollowers } from "./tail.ts";

/** What a store in memory takes. */
export interface MemoryStoreOptions extends Partial<WriteLimits> {
  /** The log's clock for leases and times to live, in ms since the epoch. Default `Date.now`. */
  readonly now?: () => number;
}

/** A store in this process' memory: real in all but durability (`none`). A commit is synchronous, one an append; a disposed store is empty. */
export function createMemoryStore(options: MemoryStoreOptions = {}): Store {
  const now = options.now ?? Date.now;
  const streams = createRegistry<MemoryStream>();
  const parts: MemoryParts = {
    streams,
    records: createMemoryRecords(now),
    index: createMemoryIndex((key) => streams.get(key), now),
    bells: createDoorbells(),
    limits: { ...DEFAULT_WRITE_LIMITS, ...options },
    now,
  };
  const writer = createMemoryWriter(parts);
  const closing = new AbortController();

  function checkUsable(): void {
    if (closing.signal.aborted) throw new IasError("unavailable", "The store is closed.");
  }

  const log: EventLog = {
    id: randomBytes(6).toString("hex"),
    durability: "none",
    open: async (key, request) => {
      checkUsable();
      checkOpen(request);
      return writer.open(key, request);
    },
    append: async (key, batch) => {
      checkUsable();
      checkBatch(key, batch);
      return writer.append(key, batch);
    },
    read: async (key, { after, maxBytes = DEFAULT_PAGE_BYTES }) => {
      checkUsable();
      const stream = streams.get(key);
      return stream && toPage(stream, after, maxBytes);
    },
    follow(key, request) {
      checkUsable();
      const { tenant, user, agent, task } = key;
      return followTail(() => streams.get({ tenant, user, agent, task }), loadPage, request);
    },
    changes: (request) => iterateChanges(parts.bells, request, closing.signal),
    position: async () => {
      checkUsable();
      return parts.bells.newest;
    },
  };

  return {
    log,
    index: parts.index,
    records: parts.records,
    upkeep: createMemoryUpkeep(parts),
    [Symbol.asyncDispose]: async () => {
      closing.abort();
      for (const stream of streams.all()) {
        stream.gone = true;
        wakeFollowers(stream);
      }
    },
  };
}

const NONE: readonly Entry[] = [];

function toPage(stream: MemoryStream, after: number, maxBytes: number): Page {
  const { head, floor, sealed, epoch, owner, leaseEndsAt, snapshot } = stream;
  const entries = maxBytes > 0 && after < head ? stream.load(after, maxBytes) : NONE;
  return { entries, head, floor, sealed, epoch, owner, leaseEndsAt, ...(snapshot !== undefined && { snapshot }) };
}

function loadPage(stream: MemoryStream, after: number, maxBytes: number): readonly Entry[] {
  return stream.load(after, maxBytes);
}
