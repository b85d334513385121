import type { StreamEntry } from "../../../src/lib/model/api.ts";
import { kindOf } from "./describe.ts";

/** What the search field asks, read once. */
export interface FrameQuery {
  /** Lower case; each must be found somewhere in the entry's JSON. */
  readonly words: readonly string[];
  readonly kinds: readonly string[];
  readonly audiences: readonly string[];
  readonly from: number;
  readonly to: number;
  /** Only entries that break a rule. */
  readonly onlyBad: boolean;
}

/**
 * Reads `kind:tool-call audience:internal seq:10-20 bad "two words"`: conditions that all must hold, several of a kind being alternatives; whatever else is there is
 * looked for in the entry's JSON, without regard to case.
 */
export function readQuery(text: string): FrameQuery {
  const query = { words: [] as string[], kinds: [] as string[], audiences: [] as string[], from: 0, to: Number.POSITIVE_INFINITY, onlyBad: false };
  for (const [, quoted, plain = ""] of text.matchAll(/"([^"]*)"?|(\S+)/g)) {
    const [, name, value = ""] = /^(kind|audience|seq):(.+)$/i.exec(plain) ?? [];
    const range = /^(\d+)?(-)?(\d+)?$/.exec(value);
    if (quoted !== undefined) {
      if (quoted !== "") query.words.push(quoted.toLowerCase());
    } else if (name?.toLowerCase() === "kind") query.kinds.push(value.toLowerCase());
    else if (name?.toLowerCase() === "audience") query.audiences.push(value.toLowerCase());
    else if (name?.toLowerCase() === "seq" && range !== null) {
      query.from = Number(range[1] ?? 0);
      query.to = range[2] === undefined ? query.from : Number(range[3] ?? Number.POSITIVE_INFINITY);
    } else if (plain.toLowerCase() === "bad") query.onlyBad = true;
    else query.words.push(plain.toLowerCase());
  }
  return query;
}

/** Whether an entry is asked for. `isBad` is called only where the query needs it: checking costs more than reading. */
export function matches(entry: StreamEntry, query: FrameQuery, isBad: (entry: StreamEntry) => boolean): boolean {
  if (entry.seq < query.from || entry.seq > query.to) return false;
  if (query.audiences.length > 0 && !query.audiences.includes(entry.audience)) return false;
  if (query.kinds.length > 0 && !query.kinds.includes(kindOf(entry.event))) return false;
  if (query.words.length > 0) {
    const text = JSON.stringify(entry.event).toLowerCase();
    if (!query.words.every((word) => text.includes(word))) return false;
  }
  return !query.onlyBad || isBad(entry);
}

/** Whether it asks for anything. */
export function isEmpty(query: FrameQuery): boolean {
  const { words, kinds, audiences, from, to, onlyBad } = query;
  return words.length + kinds.length + audiences.length === 0 && from === 0 && to === Number.POSITIVE_INFINITY && !onlyBad;
}
