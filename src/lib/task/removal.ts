import type { RecordWrite, StoredRecord } from "../log/records.ts";
import { joinKey, keyText, splitKey, type StreamKey } from "../model/key.ts";

/** A task that its caller asked not to keep. */
export interface Removal {
  readonly key: StreamKey;
  /** So long after its end it goes, ms. */
  readonly afterMs: number;
}

/** Notes of removals stand here, the next one first. */
export const REMOVALS = "removal/";

/** What to write with a task that is not to be kept: when to look for it, and, with the task, that it is so. */
export function removalRecords(removal: Removal, now: number): readonly RecordWrite[] {
  return [removalNote(removal, now + removal.afterMs), { key: removalMark(removal.key), value: JSON.stringify({ afterMs: removal.afterMs }) }];
}

/** When to look for a task that goes; ms since the epoch. */
export function removalNote(removal: Removal, dueAt: number): RecordWrite {
  // Padded, so that keys are in the order of time.
  return { key: joinKey("removal", String(Math.ceil(dueAt)).padStart(16, "0"), keyText(removal.key)), value: JSON.stringify(removal) };
}

/** Reads a note, and when it is due. */
export function readRemoval(note: StoredRecord): Removal & { readonly dueAt: number } {
  return { ...(JSON.parse(note.value) as Removal), dueAt: Number(splitKey(note.key)[1]) };
}

/** Where it stands that a task is not kept: `{ afterMs }`; 0: its caller has deleted it. It goes with the task. */
export function removalMark(key: StreamKey): string {
  return joinKey("task", keyText(key), "removal");
}

/** What a mark says of its task. */
export function readMark(mark: StoredRecord | undefined): "kept" | "unstored" | "deleted" {
  if (mark === undefined) return "kept";
  return (JSON.parse(mark.value) as { readonly afterMs: number }).afterMs === 0 ? "deleted" : "unstored";
}
