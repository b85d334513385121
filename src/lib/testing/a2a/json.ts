import type { Json } from "../../model/a2a.ts";
import { isObject } from "../../model/json.ts";

/** The value under `path`, or undefined where a step is missing. */
export function at(value: Json | undefined, ...path: readonly (string | number)[]): Json | undefined {
  let current: Json | undefined = value;
  for (const step of path) {
    if (typeof step === "number") current = Array.isArray(current) ? (current as readonly Json[])[step] : undefined;
    else current = isObject(current) ? current[step] : undefined;
  }
  return current;
}

/** The text under `path`, or "" where there is none. */
export function textAt(value: Json | undefined, ...path: readonly (string | number)[]): string {
  const found = at(value, ...path);
  return typeof found === "string" ? found : "";
}

/** The items of the array under `path`, or none. */
export function itemsAt(value: Json | undefined, ...path: readonly (string | number)[]): readonly Json[] {
  const found = at(value, ...path);
  return Array.isArray(found) ? (found as readonly Json[]) : [];
}

/** Every member name in `value`, at any depth, with the value it holds. */
export function* members(value: Json | undefined): Generator<readonly [string, Json]> {
  if (Array.isArray(value)) for (const item of value as readonly Json[]) yield* members(item);
  if (!isObject(value)) return;
  for (const [name, member] of Object.entries(value)) {
    yield [name, member];
    yield* members(member);
  }
}
