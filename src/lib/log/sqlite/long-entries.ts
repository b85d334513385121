import type { Entry } from "../../model/entry.ts";

/** Entries longer than this make garbage faster than V8 collects it, in UTF-16 units. */
const LONG = 4096;

/** Tells how long the long ones of `entries` are together, if there are any. */
export function tellLong(entries: readonly Entry[], tell: (length: number) => void): void {
  let length = 0;
  for (const { event } of entries) if (event.length > LONG) length += event.length;
  if (length > 0) tell(length);
}
