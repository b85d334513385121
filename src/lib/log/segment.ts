import type { Audience, Entry } from "../model/entry.ts";
import { fits, MAX_TEMPLATES, type Template, templateOf } from "./template.ts";

/**
 * A segment: consecutive entries of one stream as one text, exactly reversible (SEMANTICS 14). Token entries differ only in their text, so the JSON around
 * it is kept once, as a template; each entry keeps its size, generation and time delta. An entry that fits no template is one of its own.
 *
 * Form: a JSON array `[1, count, templates, template per entry | 0, lengths, generations, times]`, a line feed, the entries' own texts one after the other.
 * `templates` are `[prefix, suffix, attempt, audience]`; generations and times are the first value and then differences; 0 in place of the template list
 * means that all entries have the first one, a number in place of the generations that each is 1 more than the one before.
 */
export interface Segment {
  /** Of its last entry. */
  readonly seq: number;
  readonly gen: number;
  readonly attempt: number;
  readonly body: string;
}

/** The longest segment, in UTF-16 units; only a single entry may be longer. */
export const MAX_SEGMENT_LENGTH = 64 * 1024;

const AUDIENCES: readonly Audience[] = ["public", "extension", "internal"];

type Header = [1, number, [string, string, number, number][], number[] | 0, number[], number[] | number, number[]];

/** Encodes consecutive entries into one or more segments of about equal size, each at most `maxLength` (a single longer entry aside). */
export function encodeSegments(entries: readonly Entry[], maxLength: number = MAX_SEGMENT_LENGTH): Segment[] {
  const whole = encodePrefix(entries, 0, maxLength);
  if (whole.end === entries.length) return [whole.segment];
  // Cut evenly: a small rest would be merged again and again.
  const total = estimate(entries);
  const share = Math.ceil(total / Math.ceil(total / maxLength)) + 1024;
  const segments: Segment[] = [];
  for (let start = 0; start < entries.length;) {
    const { segment, end } = encodePrefix(entries, start, Math.min(maxLength, share));
    segments.push(segment);
    start = end;
  }
  return segments;
}

/** Decodes the segment that ends with entry `seq`. */
export function decodeSegment(seq: number, body: string): Entry[] {
  const line = body.indexOf("\n");
  const [, count, templates, which, lengths, gens, times] = JSON.parse(body.slice(0, line)) as Header;
  const entries: Entry[] = [];
  const decoded = templates.map(([prefix, suffix, attempt, audience]): Template => ({ prefix, suffix, attempt, audience: AUDIENCES[audience] ?? "internal" }));
  let place = line + 1;
  let gen = 0;
  let at = 0;
  for (let i = 0; i < count; i += 1) {
    const { prefix, suffix, attempt, audience } = decoded[which === 0 ? 0 : (which[i] ?? 0)] as Template;
    const length = lengths[i] ?? 0;
    gen += typeof gens === "number" ? (i === 0 ? gens : 1) : (gens[i] ?? 0);
    at += times[i] ?? 0;
    entries.push({ seq: seq - count + 1 + i, gen, at, attempt, audience, event: prefix + body.slice(place, place + length) + suffix });
    place += length;
  }
  return entries;
}

/** Encodes as many entries from `start` as fit, at least one. */
function encodePrefix(entries: readonly Entry[], start: number, maxLength: number): { readonly segment: Segment; readonly end: number } {
  const templates: Template[] = [];
  const which: number[] = [];
  const lengths: number[] = [];
  const gens: number[] = [];
  const times: number[] = [];
  /** Joined at the end: a string added to piece by piece would keep each whole event in memory as long as the segment. */
  const texts: string[] = [];
  let size = 40;
  let counting = true;
  let current = -1;
  let last: Entry | undefined;
  let end = start;
  for (; end < entries.length; end += 1) {
    const entry = entries[end] as Entry;
    let template = templates[current];
    if (template === undefined || !fits(template, entry)) {
      current = templates.findIndex((other) => fits(other, entry));
      if (current < 0) {
        if (templates.length === MAX_TEMPLATES) break;
        template = templateOf(entry);
        size += (template.prefix.length + template.suffix.length) * 1.25 + 10;
        if (last !== undefined && size + entry.event.length - template.prefix.length - template.suffix.length > maxLength) break;
        current = templates.push(template) - 1;
      }
      template = templates[current] as Template;
    }
    const length = entry.event.length - template.prefix.length - template.suffix.length;
    const gen = last === undefined ? entry.gen : entry.gen - last.gen;
    const at = last === undefined ? entry.at : entry.at - last.at;
    size += length + 12;
    if (last !== undefined && size > maxLength) break;
    texts.push(entry.event.slice(template.prefix.length, template.prefix.length + length));
    which.push(current);
    lengths.push(length);
    gens.push(gen);
    times.push(at);
    if (last !== undefined && gen !== 1) counting = false;
    last = entry;
  }
  if (last === undefined) throw new RangeError("A segment has at least one entry.");
  const header: Header = [
    1,
    lengths.length,
    templates.map(({ prefix, suffix, attempt, audience }) => [prefix, suffix, attempt, AUDIENCES.indexOf(audience)]),
    templates.length === 1 ? 0 : which,
    lengths,
    counting ? (gens[0] ?? 0) : gens,
    times,
  ];
  return { segment: { seq: last.seq, gen: last.gen, attempt: last.attempt, body: [JSON.stringify(header), "\n", ...texts].join("") }, end };
}

/** About how long the entries are when encoded, for cutting evenly. */
function estimate(entries: readonly Entry[]): number {
  let total = 0;
  let template: Template | undefined;
  for (const entry of entries) {
    if (template === undefined || !fits(template, entry)) {
      template = templateOf(entry);
      total += 200;
    }
    total += entry.event.length - template.prefix.length - template.suffix.length + 12;
  }
  return total;
}
