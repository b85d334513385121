import type { Entry, NewEntry } from "../model/entry.ts";
import { fits, MAX_TEMPLATES, type Template, templateOf } from "./template.ts";
import { pageOf } from "./tail.ts";

/**
 * The newest entries of one stream, consecutive. They are kept as bytes outside of the JavaScript heap, about 60 a token: as objects, 450 bytes each, every
 * one of them would be copied twice by the garbage collector while the event loop stands still. Only what readers at the head are about to ask for are
 * objects, until `release`: were each stream's last one kept till its next, the collector would find that they all live long, and make them in the old
 * space from then on, where they hold on to what they refer to until a full collection.
 */
export interface Recent {
  /** How many there are. */
  readonly length: number;
  /** The seq of the last one, or of the one that was last before all were dropped; 0 before the first. */
  readonly last: number;
  /** Bytes of their texts. */
  readonly bytes: number;
  /** Some are objects still. */
  readonly fresh: boolean;
  /** Adds the entry `last + 1`, or any as the first one. It keeps the object until `release` and changes nothing in it. */
  push(entry: Entry): void;
  /** Lets the objects of entries up to `head` go: readers that wait for them have had them. To be called soon after they were offered. */
  release(head: number): void;
  /** Whether the entry `seq` can be had by `page`. */
  has(seq: number): boolean;
  /** Entries after `after`, not after `head`: at least one if there is one, then up to `maxBytes` of event text in UTF-16 units. */
  page(after: number, maxBytes: number, head: number): readonly Entry[];
  /** Drops entries up to `seq`, and nothing else. */
  dropThrough(seq: number): void;
  /** Takes back entries after `seq`. */
  dropAfter(seq: number): void;
}

/**
 * A copy of an entry with its number. By a spread: an object written out member by member has an allocation site, of which V8 learns in a burst (when all that
 * wait for one turn of the event loop outlive a small collection) that it makes long-lived objects, and from then on each token's is made in the old space.
 */
export function numbered({ gen, at, attempt, audience, event }: NewEntry, seq: number): Entry {
  return { ...BLANK, seq, gen, at, attempt, audience, event };
}

const BLANK: Entry = { seq: 0, gen: 0, at: 0, attempt: 0, audience: "public", event: "" };

/** Numbers kept of an entry: the end of its text, its template (twice, and 1 for UTF-16), `gen`, `at`. */
const FACTS = 4;
/** Entries and bytes for which there is room at first. */
const FIRST_ENTRIES = 16;
const FIRST_BYTES = 512;
/** Objects kept of entries; of more, the earlier ones are bytes only. */
const MAX_NEWEST = 1024;
/** So few that remain are written anew, which forgets templates that are not used any more. */
const REWRITTEN = 64;

const NO_TEXT = Buffer.alloc(0);
const NO_FACTS = new Float64Array(0);

/** None yet. */
export function createRecent(): Recent {
  let first = 1;
  let length = 0;
  let text: Buffer = NO_TEXT;
  let facts = NO_FACTS;
  let used = 0;
  let templates: Template[] = [];
  let current = 0;
  let newest: Entry[] = [];

  /** The place of the entry's template; all of an event that has no text to take out is its text. */
  function place(entry: Entry): number {
    const likely = templates[current];
    if (likely !== undefined && fits(likely, entry)) return current;
    const known = templates.findIndex((template) => fits(template, entry));
    if (known >= 0) return known;
    const found = templateOf(entry);
    const kept = found.prefix === entry.event || templates.length >= MAX_TEMPLATES ? { ...found, prefix: "", suffix: "" } : found;
    return templates.push(kept) - 1;
  }

  function write(entry: Entry): void {
    current = place(entry);
    const { prefix, suffix } = templates[current] as Template;
    const own = entry.event.slice(prefix.length, entry.event.length - suffix.length);
    // What UTF-8 cannot say is kept as it is.
    const wide = !own.isWellFormed();
    const most = own.length * (wide ? 2 : 3);
    if (used + most > text.length) text = growText(text, used, used + most);
    used += text.write(own, used, wide ? "utf16le" : "utf8");
    const at = length * FACTS;
    if (at + FACTS > facts.length) facts = growFacts(facts, at);
    facts[at] = used;
    facts[at + 1] = current * 2 + (wide ? 1 : 0);
    facts[at + 2] = entry.gen;
    facts[at + 3] = entry.at;
    length += 1;
  }

  function read(index: number): Entry {
    const at = index * FACTS;
    const start = index === 0 ? 0 : (facts[at - FACTS] as number);
    const kind = facts[at + 1] as number;
    const { prefix, suffix, attempt, audience } = templates[kind >> 1] as Template;
    const own = text.toString((kind & 1) === 1 ? "utf16le" : "utf8", start, facts[at]);
    return { seq: first + index, gen: facts[at + 2] as number, at: facts[at + 3] as number, attempt, audience, event: prefix + own + suffix };
  }

  function clear(): void {
    first += length;
    length = used = current = 0;
    text = NO_TEXT;
    facts = NO_FACTS;
    templates = [];
  }

  return {
    get length() {
      return length;
    },
    get last() {
      return first + length - 1;
    },
    get bytes() {
      return used;
    },
    get fresh() {
      return newest.length > 0;
    },
    push(entry) {
      if (length === 0) first = entry.seq;
      if (newest.length === 0 || newest.length >= MAX_NEWEST || (newest.at(-1) as Entry).seq + 1 !== entry.seq) newest = [entry];
      else newest.push(entry);
      write(entry);
    },
    release(head) {
      if (newest.length > 0) newest = (newest.at(-1) as Entry).seq <= head ? [] : newest.filter((entry) => entry.seq > head);
    },
    has: (seq) => seq < first + length && seq >= Math.min(length === 0 ? Infinity : first, newest[0]?.seq ?? Infinity),
    page(after, maxBytes, head) {
      const kept = newest[0]?.seq;
      if (kept !== undefined && after + 1 >= kept) return pageOf(newest, after + 1 - kept, maxBytes, head + 1 - kept);
      const entries: Entry[] = [];
      const end = Math.min(length, head + 1 - first);
      let size = 0;
      for (let index = Math.max(0, after + 1 - first); index < end; index += 1) {
        const entry = read(index);
        size += entry.event.length;
        if (size > maxBytes && entries.length > 0) break;
        entries.push(entry);
      }
      return entries;
    },
    dropThrough(seq) {
      const count = Math.min(length, seq + 1 - first);
      if (count <= 0) return;
      if (length - count > REWRITTEN) {
        const start = facts[(count - 1) * FACTS] as number;
        text.copyWithin(0, start, used);
        facts.copyWithin(0, count * FACTS, length * FACTS);
        for (let at = 0; at < (length - count) * FACTS; at += FACTS) facts[at] = (facts[at] as number) - start;
        used -= start;
        first += count;
        length -= count;
        return;
      }
      const rest: Entry[] = [];
      for (let index = count; index < length; index += 1) rest.push(read(index));
      const next = first + count;
      clear();
      first = next;
      for (const entry of rest) write(entry);
    },
    dropAfter(seq) {
      newest = newest.filter((entry) => entry.seq <= seq);
      length = Math.max(0, Math.min(length, seq + 1 - first));
      used = length === 0 ? 0 : (facts[(length - 1) * FACTS] as number);
    },
  };
}

/** Twice as long, or as long as needed. */
function growText(text: Buffer, used: number, needed: number): Buffer {
  const grown = Buffer.allocUnsafeSlow(Math.max(FIRST_BYTES, text.length * 2, needed));
  text.copy(grown, 0, 0, used);
  return grown;
}

function growFacts(facts: Float64Array<ArrayBuffer>, used: number): Float64Array<ArrayBuffer> {
  const grown = new Float64Array(Math.max(FIRST_ENTRIES * FACTS, facts.length * 2));
  grown.set(facts.subarray(0, used));
  return grown;
}
