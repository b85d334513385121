import { cutText } from "../model/cut-text.ts";

const MAX_TOLD = 6;
const MAX_VALUE = 40;

/** What differs between the campaign that a folder has and the one that is given, or between parts of them, in a line for people: `concurrency: 4 → 8; items[2].prompt: "a" → "b"`. */
export function tellDifferences(found: object, given: object): string {
  const all = [...differences(found, given, "")];
  const more = all.length > MAX_TOLD ? `; and ${all.length - MAX_TOLD} more` : "";
  return `${all.slice(0, MAX_TOLD).join("; ")}${more}`;
}

function* differences(found: unknown, given: unknown, path: string): Generator<string, void, undefined> {
  if (Object.is(found, given)) return;
  if (Array.isArray(found) && Array.isArray(given) && found.length !== given.length) {
    yield `${path}: ${found.length} → ${given.length} of them`;
    return;
  }
  if (isObject(found) && isObject(given)) {
    for (const name of new Set([...Object.keys(found), ...Object.keys(given)])) {
      const inner = Array.isArray(found) ? `${path}[${name}]` : path === "" ? name : `${path}.${name}`;
      yield* differences(found[name], given[name], inner);
    }
    return;
  }
  yield `${path}: ${short(found)} → ${short(given)}`;
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return value !== null && typeof value === "object";
}

function short(value: unknown): string {
  if (value === undefined) return "none";
  const text = typeof value === "number" ? String(value) : JSON.stringify(value);
  return cutText(text, MAX_VALUE);
}
