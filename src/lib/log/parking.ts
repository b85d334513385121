import type { Batch } from "./log.ts";
import type { WriteLimits } from "./admission.ts";

/** Batches of one stream that wait for the ones before them, ordered by `firstSeq` (SEMANTICS 11). */
export interface Parking {
  /** Keeps a copy of `batch`; false at the limit. A batch with the same `firstSeq` and no more entries is taken as kept already. */
  park(batch: Batch): boolean;
  /** Takes the first batch out that starts at or before `seq`. */
  take(seq: number): Batch | undefined;
  readonly empty: boolean;
}

/** An empty parking place. It holds only batches of one epoch: adapters drop it at `open`. */
export function createParking(limits: WriteLimits): Parking {
  const batches: { readonly batch: Batch; readonly bytes: number }[] = [];
  let bytes = 0;

  return {
    park(batch) {
      const size = sizeOf(batch);
      let place = batches.length;
      while (place > 0 && (batches[place - 1]?.batch.firstSeq ?? 0) >= batch.firstSeq) place -= 1;
      const found = batches[place];
      const same = found !== undefined && found.batch.firstSeq === batch.firstSeq ? found : undefined;
      if (same !== undefined && same.batch.entries.length >= batch.entries.length) return true;
      if (bytes + size - (same?.bytes ?? 0) > limits.maxParkedBytes || batches.length - (same ? 1 : 0) >= limits.maxParkedBatches) return false;
      batches.splice(place, same ? 1 : 0, { batch: copy(batch), bytes: size });
      bytes += size - (same?.bytes ?? 0);
      return true;
    },
    get empty() {
      return batches.length === 0;
    },
    take(seq) {
      const first = batches[0];
      if (first === undefined || first.batch.firstSeq > seq) return undefined;
      batches.shift();
      bytes -= first.bytes;
      return first.batch;
    },
  };
}

function copy(batch: Batch): Batch {
  return { ...batch, entries: batch.entries.map((entry) => ({ ...entry })), ...(batch.records && { records: batch.records.map((record) => ({ ...record })) }) };
}

function sizeOf(batch: Batch): number {
  let size = batch.state?.data.length ?? 0;
  for (const entry of batch.entries) size += entry.event.length;
  for (const record of batch.records ?? []) size += record.value.length;
  return size;
}
