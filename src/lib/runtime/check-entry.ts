import { IasError } from "../model/errors.ts";
import type { Limits } from "../model/limits.ts";

/**
 * Gives the length of `value` as JSON text, if it may be one entry (SEMANTICS 8: an entry is at most one frame).
 * @throws IasError `too-large`, reason ENTRY_TOO_LARGE; `what` names it and `instead` says what is right.
 */
export function checkEntry(limits: Pick<Limits, "maxEntryBytes">, value: unknown, what: string, instead: string): number {
  const size = (JSON.stringify(value) ?? "").length;
  if (size <= limits.maxEntryBytes) return size;
  throw new IasError("too-large", `${what} of ${size} characters passes maxEntryBytes (${limits.maxEntryBytes}); ${instead}.`, { reason: "ENTRY_TOO_LARGE" });
}
