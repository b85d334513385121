import { isTerminal } from "../model/a2a.ts";
import { IasError } from "../model/errors.ts";
import type { NewEntry } from "../model/entry.ts";
import type { StreamKey } from "../model/key.ts";
import { type Batch, MAX_STATE_LENGTH, type OpenOptions, type Refused } from "./log.ts";
import type { RecordWrite, StoredRecord } from "./records.ts";

/** Limits of a write; each is an option of the adapters. */
export interface WriteLimits {
  /** Event text parked per stream ahead of its turn, in UTF-16 units. Default 1 MiB; beyond it an append answers `gap` with `parked: false`. */
  readonly maxParkedBytes: number;
  /** Batches parked per stream. Default 1,024. */
  readonly maxParkedBatches: number;
}

/** The limits where none are given. */
export const DEFAULT_WRITE_LIMITS: WriteLimits = { maxParkedBytes: 1024 * 1024, maxParkedBatches: 1024 };

/** The longest record value, in UTF-16 units. */
const MAX_RECORD_LENGTH = 256 * 1024;
/** The longest owner text of `open`. */
const MAX_OWNER_LENGTH = 200;

/** What a batch means for a stream, before its records are looked at. Pure. */
export type Admission =
  | { readonly kind: "write"; readonly skip: number }
  | { readonly kind: "duplicate" }
  | { readonly kind: "gap" }
  | { readonly kind: "fenced" }
  | { readonly kind: "sealed" };

/**
 * Judges `batch` against a stream of `epoch` at `head`, in this order: an epoch other than the present one is `fenced`; entries that are all there are
 * `duplicate`, also on a sealed stream (an answer that got lost); a sealed stream takes nothing more; a batch ahead of its turn is a `gap`;
 * else all but the first `skip` entries are written. The place of an empty batch that carries nothing does not matter: it renews the lease.
 */
export function admit(epoch: number, head: number, sealed: boolean, batch: Batch): Admission {
  if (batch.epoch !== epoch) return FENCED;
  const count = batch.entries.length;
  const expected = head + 1;
  if (count > 0 && batch.firstSeq + count <= expected) return DUPLICATE;
  if (sealed) return SEALED;
  if (batch.firstSeq === expected) return WRITE_ALL;
  if (batch.firstSeq > expected) return count === 0 && !carries(batch) ? WRITE_ALL : GAP;
  return count === 0 ? WRITE_ALL : { kind: "write", skip: expected - batch.firstSeq };
}

const FENCED: Admission = { kind: "fenced" };
const DUPLICATE: Admission = { kind: "duplicate" };
const SEALED: Admission = { kind: "sealed" };
const GAP: Admission = { kind: "gap" };
const WRITE_ALL: Admission = { kind: "write", skip: 0 };

/** Whether a batch has more than entries. */
export function carries(batch: Batch): boolean {
  return batch.index !== undefined || batch.state !== undefined || batch.records !== undefined || batch.seal === true;
}

/** Whether a batch ends its stream. */
export function seals(batch: Batch): boolean {
  return batch.seal === true || (batch.index !== undefined && batch.index !== null && isTerminal(batch.index.state));
}

/**
 * Refuses a batch that no adapter may write, whatever the stream's state.
 * @throws IasError `invalid-request` (numbers, index row) or `too-large` (state, record).
 */
export function checkBatch(key: StreamKey, batch: Batch): void {
  if (!Number.isSafeInteger(batch.firstSeq) || batch.firstSeq < 1)
    throw new IasError("invalid-request", `firstSeq must be a whole number from 1, not ${batch.firstSeq}.`);
  if (batch.index !== undefined && batch.index !== null) {
    if (!sameKey(batch.index.key, key))
      throw new IasError(
        "invalid-request",
        `The index row is of task ${batch.index.key.task}, the stream is of task ${key.task}; a batch writes its own stream's row.`,
      );
    if (!batch.entries.some(isPublicStatus))
      throw new IasError("invalid-request", "An index row is written only together with a public status entry (SEMANTICS 11).");
  }
  if (batch.state && batch.state.data.length + batch.state.version.length > MAX_STATE_LENGTH) {
    throw new IasError(
      "too-large",
      `The resume state has ${batch.state.data.length} characters; at most ${MAX_STATE_LENGTH} are kept. Put the bulk into the blob store.`,
    );
  }
  if (batch.records !== undefined) for (const record of batch.records) checkRecord(record);
}

/** Refuses an `open` that no adapter may try. @throws IasError `invalid-request`. */
export function checkOpen({ owner, expect, head }: OpenOptions): void {
  if (owner === "" || owner.length > MAX_OWNER_LENGTH)
    throw new IasError("invalid-request", `owner must have 1 to ${MAX_OWNER_LENGTH} characters, not ${owner.length}.`);
  if (expect !== "expired" && !(Number.isSafeInteger(expect) && expect >= 0))
    throw new IasError("invalid-request", `expect must be an epoch from 0 or "expired", not ${expect}.`);
  if (head !== undefined && !(Number.isSafeInteger(head) && head >= 0)) throw new IasError("invalid-request", `head must be a seq from 0, not ${head}.`);
}

/** Why a stream that is there is not opened; undefined where it may be. `now` is ms by the clock of its lease. */
export function refusalOf(
  stream: { readonly sealed: boolean; readonly epoch: number; readonly head: number; readonly leaseEndsAt: number },
  { expect, head }: OpenOptions,
  now: number,
): Refused["reason"] | undefined {
  if (expect === 0) return "exists";
  if (stream.sealed) return "sealed";
  if (expect === "expired" && stream.leaseEndsAt > now) return "leased";
  if (expect !== "expired" && expect !== stream.epoch) return "epoch";
  return head === undefined || head === stream.head ? undefined : "head";
}

/** Refuses a record that no adapter may write. @throws IasError `too-large` or `invalid-request`. */
export function checkRecord(write: RecordWrite): void {
  if (write.value.length > MAX_RECORD_LENGTH)
    throw new IasError("too-large", `The record ${write.key} has ${write.value.length} characters; at most ${MAX_RECORD_LENGTH} are kept.`);
  if (write.key === "") throw new IasError("invalid-request", "A record needs a key.");
  if (write.ttlMs !== undefined && !(write.ttlMs > 0)) throw new IasError("invalid-request", `ttlMs must be greater than 0, not ${write.ttlMs}.`);
}

/** The record that stands in the way of one of `writes`, undefined if all may be written. A later write counts on the earlier ones of its key. */
export function findBlocker(writes: readonly RecordWrite[], find: (key: string) => StoredRecord | undefined): StoredRecord | undefined {
  for (const [place, { key, ifVersion }] of writes.entries()) {
    if (ifVersion === undefined) continue;
    const found = find(key);
    const earlier = writes.slice(0, place).filter((other) => other.key === key).length;
    if (ifVersion !== (found?.version ?? 0) + earlier) return found ?? { key, value: "null", version: 0 };
  }
  return undefined;
}

/** Whether two keys are the same stream. */
export function sameKey(a: StreamKey, b: StreamKey): boolean {
  return a === b || (a.task === b.task && a.user === b.user && a.agent === b.agent && a.tenant === b.tenant);
}

function isPublicStatus(entry: NewEntry): boolean {
  return entry.audience === "public" && (entry.event.startsWith('{"statusUpdate":') || entry.event.startsWith('{"task":'));
}
