import type { Json, JsonObject } from "../model/a2a.ts";

/** Deepest nesting of data and metadata. */
const MAX_DEPTH = 200;

/** What is wrong with a value of an author's: which member, what it is, and what is right. For people; `toEvent` frames it. */
export class Wrong extends Error {}

/** An object whose members are not known yet. */
export type Members = Readonly<Record<string, unknown>>;

/** A member that may be absent, as an object to spread: `undefined` is absent. All functions here throw `Wrong`; `at` is how the message names the value. */
export function maybe<Name extends string, T>(event: Members, name: Name, read: (value: unknown, at: string) => T): { readonly [N in Name]?: T } {
  const value = event[name];
  return (value === undefined ? {} : { [name]: read(value, name) }) as { readonly [N in Name]?: T };
}

/** A text that stands alone. */
export function word(value: unknown, at: string): string {
  if (typeof value !== "string") return wrong(at, value, "a text");
  if (value.isWellFormed()) return value;
  throw new Wrong(`${at} holds half a character (a lone surrogate), and must be whole: text.isWellFormed() tells, slice() by UTF-16 units cuts pairs`);
}

/** A list of texts. */
export function words(value: unknown, at: string): readonly string[] {
  return list(value, at, "a list of texts").map((each, index) => word(each, `${at}[${index}]`));
}

/** True or false. */
export function flag(value: unknown, at: string): boolean {
  return typeof value === "boolean" ? value : wrong(at, value, "true or false");
}

/** A number, 0 or more. */
export function count(value: unknown, at: string): number {
  return typeof value === "number" && Number.isFinite(value) && value >= 0 ? value : wrong(at, value, "a number, 0 or more");
}

/** One of some texts. */
export function oneOf<T extends string>(value: unknown, at: string, choices: readonly T[]): T {
  const found = choices.find((choice) => choice === value);
  return found ?? wrong(at, value, `one of ${choices.map((choice) => JSON.stringify(choice)).join(", ")}`);
}

/** A list of what is not looked at yet. */
export function list(value: unknown, at: string, what: string): readonly unknown[] {
  return Array.isArray(value) ? (value as readonly unknown[]) : wrong(at, value, what);
}

/** An object of what is not looked at yet. */
export function members(value: unknown, at: string, what: string): Members {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Members) : wrong(at, value, what);
}

/** A copy of an object, as `json`. */
export function jsonObject(value: unknown, at: string): JsonObject {
  members(value, at, "an object of JSON values");
  return json(value, at) as JsonObject;
}

/** A copy of what JSON can say. Members that are undefined are left out, as JSON.stringify does; what has a `toJSON` is what it says. */
export function json(given: unknown, at: string, above: readonly unknown[] = []): Json {
  const value = typeof given === "object" && given !== null && "toJSON" in given && typeof given.toJSON === "function" ? (given.toJSON() as unknown) : given;
  switch (typeof value) {
    case "string":
      return word(value, at);
    case "boolean":
      return value;
    case "number":
      return Number.isFinite(value) ? value : wrong(at, value, "a finite number");
    case "object":
      break;
    case "bigint":
      return wrong(at, value, "JSON: a number, or String(value)");
    default:
      return wrong(at, value, "JSON: null, true, false, a number, a text, a list or an object of these");
  }
  if (value === null) return null;
  if (above.includes(value)) throw new Wrong(`${at} holds itself (it is cyclic), and must be JSON, which ends`);
  if (above.length >= MAX_DEPTH) throw new Wrong(`${at} is ${MAX_DEPTH} levels deep; less is JSON that every reader takes`);
  const inside = [...above, value];
  if (Array.isArray(value)) return (value as readonly unknown[]).map((each, index) => json(each, `${at}[${index}]`, inside));
  if (Object.prototype.toString.call(value) !== "[object Object]") return wrong(at, value, "JSON, such as Object.fromEntries(map), [...set], error.message");
  const copy: Record<string, Json> = {};
  for (const [name, each] of Object.entries(value)) {
    if (each === undefined) continue;
    // A member of that name would become the copy's prototype.
    const kept = { value: json(each, `${at}.${name.slice(0, 40)}`, inside), enumerable: true, configurable: true, writable: true };
    Object.defineProperty(copy, word(name, `a member's name in ${at}`), kept);
  }
  return copy;
}

/** Throws `Wrong`. */
export function wrong(at: string, value: unknown, right: string): never {
  throw new Wrong(value === undefined ? `${at} is missing, and must be ${right}` : `${at} is ${nameOf(value)}, and must be ${right}`);
}

/** What a value is, without what it holds. */
export function nameOf(value: unknown): string {
  if (value === null || value === undefined) return String(value);
  if (typeof value === "number") return Number.isFinite(value) ? "a number" : String(value);
  if (typeof value === "object") {
    if (Array.isArray(value)) return "a list";
    const maker: unknown = "constructor" in value ? value.constructor : undefined;
    const name = typeof maker === "function" ? maker.name : "";
    return name === "" || name === "Object" ? "an object" : `${/^[AEIOU]/.test(name) ? "an" : "a"} ${name.slice(0, 40)}`;
  }
  return typeof value === "string" ? "a text" : `a ${typeof value}`;
}
