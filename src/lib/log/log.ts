import type { Entry, NewEntry } from "../model/entry.ts";
import type { StreamKey } from "../model/key.ts";
import type { IndexRow } from "./task-index.ts";
import type { RecordWrite, StoredRecord } from "./records.ts";

/**
 * Durable, numbered streams: one fenced writer each, any number of readers with cursors.
 * The rules are SEMANTICS 1 to 15. An adapter is right when `runLogConformance` passes.
 *
 * MUST:
 * - commit an append as one transaction, and show an entry to no reader before it is committed;
 * - keep `seq` without gaps; refuse an append of an epoch that is not the stream's newest (`fenced`);
 * - keep memory bounded per reader: a slow one falls back to the store;
 * - copy what it is given: a caller may reuse its objects after the call.
 */
export interface EventLog {
  /** Names this log for ever: the first half of each cursor. Matches `[a-z0-9]{4,32}`. */
  readonly id: string;
  readonly durability: Durability;

  /**
   * Takes the stream for writing, by compare-and-set: the new epoch is the old one plus 1, and older writers are fenced from here on.
   * `expect: 0` creates the stream (it exists from then on, with no entry); another number must be the present epoch;
   * `"expired"` takes any epoch whose lease has ended by the log's clock: at or after `leaseEndsAt`. A number takes the stream whether the lease has ended or not.
   * With `head` only a stream whose last entry, committed or under way, is that one is taken: who judged by what the stream said is told when it has said more.
   * Parked batches of older epochs are dropped. Throws `invalid-request` for an owner or an epoch that cannot be.
   */
  open(key: StreamKey, options: OpenOptions): Promise<Opened | Refused>;

  /**
   * Appends `batch.entries` as `firstSeq`, `firstSeq + 1` …, together with the index row, the resume state and the records. An empty batch renews the lease,
   * whatever its `firstSeq`; every append of the present epoch does.
   * Entries that the stream already has are dropped (`duplicate` when all are); a batch ahead of its turn is parked (bounded) and joined by
   * the append that closes the gap (a parked batch whose record conflicts is dropped then: its writer learns it by sending it again).
   * A terminal `index.state` or `seal` ends the stream: later appends are `sealed`, repeats of entries that it has still `duplicate`.
   * Judged in this order: `fenced`, `duplicate`, `sealed`, `gap`, `conflict`. An append to no stream is `fenced` by epoch 0.
   *
   * The promise resolves after the commit, and appends of one stream commit in the order of the calls. Adapters MAY group appends for a few ms into one
   * transaction, so a writer in a hurry does not wait for each answer. Throws `invalid-request` or `too-large` for a batch that breaks these rules (nothing is
   * written), `unavailable` if the log cannot write: then nothing of the batch is written either, and it may be sent again.
   */
  append(key: StreamKey, batch: Batch): Promise<Appended>;

  /** One page of entries after `after` (in order, at least one if there is one, then up to `maxBytes` of event text), or undefined if there is no such stream. */
  read(key: StreamKey, options: ReadOptions): Promise<Page | undefined>;

  /**
   * Every entry after `after`, in order, in batches as large as are at hand (bounded by `maxBytes`), then waits for more.
   * Ends when the stream is sealed and read to its head, when the stream is gone or does not exist, when the log closes, or when `signal` aborts (without an error).
   * `after` below the floor starts at the floor: check `read` first. The next batch is fetched only when the consumer asks. Followers at the same cursor
   * may get the same array: it is not to be changed.
   */
  follow(key: StreamKey, options: FollowOptions): AsyncIterable<readonly Entry[]>;

  /**
   * A doorbell per changed stream over all streams (of one tenant, or all), in commit order, at least once, coalesced per stream: after the
   * newest position of a stream, earlier ones need not appear. A stream changes when it is created, gets entries or is sealed. Waits for more until `signal`
   * aborts or the log closes (without an error).
   */
  changes(options: ChangesOptions): AsyncIterable<readonly Change[]>;

  /** The position of the newest change, 0 where there is none: `changes` after it has exactly what is committed from now on. */
  position(): Promise<number>;
}

/** What a commit survives: `none` nothing, `process` a killed process, `host` a power loss. */
export type Durability = "none" | "process" | "host";

/** The lease of a writer, in ms (SEMANTICS 12). */
export const LEASE_MS = 5000;

/** How a stream is taken for writing. */
export interface OpenOptions {
  /** Who writes, for people: host, process, worker. At most 200 characters. */
  readonly owner: string;
  readonly expect: number | "expired";
  /** The seq of the stream's last entry; any by default. */
  readonly head?: number;
}

/** A stream taken for writing. */
export interface Opened {
  readonly ok: true;
  readonly epoch: number;
  /** The `firstSeq` of the first append. */
  readonly nextSeq: number;
  /** When the lease ends, ms since the epoch by the log's clock; each append moves it to now + `LEASE_MS`. */
  readonly leaseEndsAt: number;
  /** Of the last entry, 0 when there is none. */
  readonly gen: number;
  /** Of the last entry, 0 when there is none. */
  readonly attempt: number;
  /** What the last writer left with `Batch.state`. */
  readonly state?: ResumeState;
}

/** Why a stream could not be taken. */
export interface Refused {
  readonly ok: false;
  /** `exists`: `expect: 0`, but it does. `epoch`: another one is present. `leased`: not expired yet. `sealed`: it has ended. `head`: it has other entries than were expected. */
  readonly reason: "exists" | "missing" | "epoch" | "leased" | "sealed" | "head";
  /** The present epoch, 0 when there is no stream. */
  readonly epoch: number;
  readonly owner?: string;
}

/** The longest resume state, version and data together, in UTF-16 units. */
export const MAX_STATE_LENGTH = 1024 * 1024;

/** An engine's opaque state between turns and at checkpoints, versioned by its maker; at most `MAX_STATE_LENGTH`. */
export interface ResumeState {
  /** Names the form of `data`, for example `openai-agents/1`. */
  readonly version: string;
  readonly data: string;
}

/** What one append commits, all or nothing. */
export interface Batch {
  readonly epoch: number;
  readonly firstSeq: number;
  readonly entries: readonly NewEntry[];
  /** The task's row in the index, given only together with a public `statusUpdate` or `task` entry; `null` removes it (a message-only reply). */
  readonly index?: IndexRow | null;
  /** Replaces the resume state; `null` removes it. */
  readonly state?: ResumeState | null;
  /** Written in the same transaction; if one's `ifVersion` does not hold, nothing is written and the result is `conflict`. */
  readonly records?: readonly RecordWrite[];
  /** Ends the stream without a terminal task state (a message-only reply). */
  readonly seal?: boolean;
}

/** What became of an append. `head` is the last committed seq. */
export type Appended =
  | { readonly kind: "ok" | "duplicate"; readonly head: number; readonly leaseEndsAt: number }
  /** Ahead of its turn; `parked` false means that the parking limit is reached and it must be sent again. */
  | { readonly kind: "gap"; readonly expected: number; readonly parked: boolean }
  | { readonly kind: "fenced"; readonly epoch: number }
  | { readonly kind: "sealed"; readonly head: number }
  /** `record` is the one that stands there; where one was expected and there is none, its `version` is 0. */
  | { readonly kind: "conflict"; readonly record: StoredRecord };

/** Which page to read. */
export interface ReadOptions {
  /** Exclusive; 0 reads from the start. */
  readonly after: number;
  /** Event text per page in UTF-16 units, default 256 KiB. 0 reads no entries: only the stream's facts. */
  readonly maxBytes?: number;
}

/** Consecutive entries of a stream, and how the stream stands. */
export interface Page {
  readonly entries: readonly Entry[];
  /** The last committed seq. */
  readonly head: number;
  /** Entries up to here are gone; `snapshot` stands for them. 0 when all are kept. */
  readonly floor: number;
  /** What stands for the entries up to `floor`, when `floor` > 0: the text that `truncate` was given (`task/view.ts` writes and reads it). */
  readonly snapshot?: string;
  readonly sealed: boolean;
  readonly epoch: number;
  readonly owner: string;
  readonly leaseEndsAt: number;
}

/** From where to follow; `after` is exclusive. */
export interface FollowOptions {
  readonly after: number;
  readonly signal: AbortSignal;
  /** Largest batch in UTF-16 units of event text, default 256 KiB. */
  readonly maxBytes?: number;
}

/** Whose changes to hear of, and from where; `after` is exclusive. */
export interface ChangesOptions {
  /** All tenants when absent. */
  readonly tenant?: string;
  /** A position that an earlier change had; 0 gives every stream once. */
  readonly after: number;
  readonly signal: AbortSignal;
}

/** A stream that was created, has grown or was sealed. */
export interface Change {
  /** Assigned inside the commit, rising over the whole log. */
  readonly position: number;
  readonly key: StreamKey;
  /** The stream's head at that commit or a later one. */
  readonly seq: number;
}
