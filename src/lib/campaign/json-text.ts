import type { Json } from "../model/a2a.ts";

/** The one JSON value that a text is, also inside a Markdown fence; undefined when it is none. */
export function readJson(text: string): Json | undefined {
  const [, fenced] = /^```(?:json)?\s*\n([^]*?)\n?```$/.exec(text.trim()) ?? [];
  try {
    return JSON.parse(fenced ?? text) as Json;
  } catch {
    return undefined;
  }
}

/** Braces that open no JSON object and are looked at all the same. */
const MOST_TRIES = 50;

/** JSON objects that stand in a text beside prose, in order; an object inside another one is not counted. */
export function findObjects(text: string): readonly Json[] {
  const found: Json[] = [];
  let tries = 0;
  for (let start = text.indexOf("{"); start !== -1 && tries < MOST_TRIES;) {
    const end = endOfObject(text, start);
    const value = end === undefined ? undefined : readJson(text.slice(start, end));
    if (value === undefined) tries += 1;
    else found.push(value);
    start = text.indexOf("{", value === undefined || end === undefined ? start + 1 : end);
  }
  return found;
}

/** Behind the brace that closes the one at `start`; braces in JSON strings do not count. */
function endOfObject(text: string, start: number): number | undefined {
  let depth = 0;
  let quoted = false;
  for (let at = start; at < text.length; at += 1) {
    const character = text[at];
    if (quoted) {
      if (character === "\\") at += 1;
      else if (character === '"') quoted = false;
    } else if (character === '"') quoted = true;
    else if (character === "{") depth += 1;
    else if (character === "}" && (depth -= 1) === 0) return at + 1;
  }
  return undefined;
}
