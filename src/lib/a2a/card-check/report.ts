import type { Json, JsonObject } from "../../model/a2a.ts";
import { cutText } from "../../model/cut-text.ts";

/** What one rule says of a card. */
export interface CardFinding {
  /** The section of the specification and the member that it is about, for example `4.4.6 supportedInterfaces[0].url`. */
  readonly rule: string;
  readonly level: "MUST" | "SHOULD" | "MAY";
  readonly ok: boolean;
  /** What is there, shortened; `absent` when nothing is. */
  readonly found: string;
  readonly expected: string;
}

/** Collects findings. */
export interface Report {
  readonly findings: readonly CardFinding[];
  /** A rule about `value` at `path`. */
  check(rule: Rule, path: string, value: unknown, isOk: boolean): void;
}

/** What a finding is measured by. */
export interface Rule {
  /** Section of the specification. */
  readonly section: string;
  readonly level: CardFinding["level"];
  readonly expected: string;
}

/** An empty report. */
export function createReport(): Report {
  const findings: CardFinding[] = [];
  return {
    findings,
    check({ section, level, expected }, path, value, ok) {
      findings.push({ rule: `${section} ${path}`, level, ok, found: shorten(value), expected });
    },
  };
}

function shorten(value: unknown): string {
  if (value === undefined) return "absent";
  return cutText(JSON.stringify(value), 120);
}

/** Text that says something. */
export function isText(value: unknown): value is string {
  return typeof value === "string" && value !== "";
}

/** A list of whatever. */
export function isList(value: unknown): value is readonly Json[] {
  return Array.isArray(value);
}

/** `type/subtype`, with wildcards, without parameters' details. */
export function isMediaType(value: unknown): boolean {
  return isText(value) && /^[\w!#$&^.+*-]+\/[\w!#$&^.+*-]+(\s*;.*)?$/.test(value);
}

/** An absolute URL of http or https. */
export function isHttpUrl(value: unknown): boolean {
  return isText(value) && URL.canParse(value) && /^https?:$/.test(new URL(value).protocol);
}

/** Checks that each of `names` is non-empty text in `object`. */
export function checkTexts(report: Report, section: string, path: string, object: JsonObject, names: readonly string[]): void {
  for (const name of names) report.check({ section, level: "MUST", expected: "non-empty text" }, at(path, name), object[name], isText(object[name]));
}

/** Checks a member that may be absent. */
export function checkOptional(report: Report, rule: Rule, path: string, value: Json | undefined, isOk: (value: Json) => boolean): void {
  if (value !== undefined) report.check(rule, path, value, isOk(value));
}

/** The path of member `name` of what is at `path`; "" is the card itself. */
export function at(path: string, name: string): string {
  return path === "" ? name : `${path}.${name}`;
}
