import type { Audience, Entry } from "../model/entry.ts";

/** What entries of one kind have in common: token entries differ only in their text, so the JSON around it is kept once. An event is `prefix + text + suffix`. */
export interface Template {
  readonly prefix: string;
  readonly suffix: string;
  readonly attempt: number;
  readonly audience: Audience;
}

/** How many templates entries that are kept together may have. */
export const MAX_TEMPLATES = 32;

const TEXT_START = '"parts":[{"text":"';

/** Whether an entry is of a template. By slices: six times as fast as `startsWith` and `endsWith`. */
export function fits(
  { prefix, suffix, attempt, audience }: Template,
  { attempt: own, audience: to, event }: Pick<Entry, "attempt" | "audience" | "event">,
): boolean {
  const end = event.length - suffix.length;
  return attempt === own && audience === to && end >= prefix.length && event.slice(end) === suffix && event.slice(0, prefix.length) === prefix;
}

/** What surrounds the text of the first part; all of an event without one. */
export function templateOf({ event, attempt, audience }: Pick<Entry, "attempt" | "audience" | "event">): Template {
  const found = event.indexOf(TEXT_START);
  if (found < 0) return { prefix: event, suffix: "", attempt, audience };
  const start = found + TEXT_START.length;
  let end = event.indexOf('"', start);
  while (end > start && isEscaped(event, end)) end = event.indexOf('"', end + 1);
  if (end < 0) return { prefix: event, suffix: "", attempt, audience };
  return { prefix: event.slice(0, start), suffix: event.slice(end), attempt, audience };
}

function isEscaped(text: string, place: number): boolean {
  let backslashes = 0;
  while (text[place - 1 - backslashes] === "\\") backslashes += 1;
  return backslashes % 2 === 1;
}
