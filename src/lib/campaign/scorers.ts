import { runInNewContext } from "node:vm";
import { isDeepStrictEqual } from "node:util";
import type { Json, JsonObject } from "../model/a2a.ts";
import { IasError, messageOf } from "../model/errors.ts";
import type { Green, Item, ScoredBattle, Verdict } from "./campaign.ts";
import { readJson } from "./json-text.ts";

/** The longest that a pattern may compute on an answer, ms of processor time. */
const REGEX_MS = 250;
/** The longest that it is waited for where the machine gives it less than that, ms. */
const REGEX_WAIT_MS = 2000;

type Of<Kind extends Green["kind"]> = Extract<Green, { readonly kind: Kind }>;

/** The answer is the expected text, or, where a number, list or object is expected, the JSON of it (in the text, or as a data part). */
export function scoreExact(green: Of<"exact">, { item, answer, data }: ScoredBattle): Verdict {
  const expected = expectedOf(item, "exact");
  const fold = (text: string): string => folded(green.trim ? text.trim() : text, green.ignoreCase);
  const isEqual =
    typeof expected === "string"
      ? fold(answer) === fold(expected)
      : [readJson(answer), ...data].some((value) => value !== undefined && isDeepStrictEqual(value, expected));
  return toVerdict(isEqual, isEqual ? undefined : "The answer is not what was expected.");
}

/** The answer has the expected text, or all texts of the expected list; the score is the share that it has. */
export function scoreContains(green: Of<"contains">, { item, answer }: ScoredBattle): Verdict {
  const expected = expectedOf(item, "contains");
  const wanted = (Array.isArray(expected) ? (expected as readonly Json[]) : [expected]).map((one) => (typeof one === "string" ? one : JSON.stringify(one)));
  const text = folded(answer, green.ignoreCase);
  const missing = wanted.filter((one) => !text.includes(folded(one, green.ignoreCase)));
  const score = wanted.length === 0 ? 1 : 1 - missing.length / wanted.length;
  return {
    pass: missing.length === 0,
    score,
    ...(missing.length > 0 && { reason: `The answer lacks ${missing.map((one) => JSON.stringify(one)).join(", ")}.` }),
  };
}

/** The pattern is found in the answer. Throws `timeout` with reason REGEX_TOO_SLOW when it backtracks without end. */
export function scoreRegex({ pattern, flags }: Of<"regex">, { answer }: ScoredBattle): Verdict {
  for (let waitMs = REGEX_MS; ; waitMs *= 2) {
    const before = process.cpuUsage();
    try {
      // V8 looks for an interruption while a pattern backtracks, so a thread of its own is not needed.
      const found: unknown = runInNewContext("new RegExp(pattern, flags).test(answer)", { pattern, flags, answer }, { timeout: waitMs });
      return toVerdict(found === true, found === true ? undefined : "The answer does not fit the pattern.");
    } catch (error) {
      // Errors of another context are not instances of this one's `Error`.
      const isSlow = typeof error === "object" && error !== null && "code" in error && error.code === "ERR_SCRIPT_EXECUTION_TIMEOUT";
      if (!isSlow) throw new IasError("configuration", `The regex ${JSON.stringify(pattern)} cannot be used: ${String(error)}`, { cause: error });
      // The time-out is by the clock on the wall: on a busy machine it says nothing of the pattern, which then gets more.
      const { user, system } = process.cpuUsage(before);
      if ((user + system) / 1000 < REGEX_MS / 2 && waitMs < REGEX_WAIT_MS) continue;
      throw new IasError(
        "timeout",
        `The regex ${JSON.stringify(pattern)} took more than ${REGEX_MS} ms on ${answer.length} characters; nested repetitions such as (a+)+ do that.`,
        {
          reason: "REGEX_TOO_SLOW",
        },
      );
    }
  }
}

/** The answer is one JSON value (in a Markdown fence too), or has one data part, that fits the schema. */
export async function scoreJsonSchema({ schema }: Of<"json-schema">, { answer, data }: ScoredBattle): Promise<Verdict> {
  const value = answer.trim() === "" && data.length === 1 ? data[0] : readJson(answer);
  const check = await compileSchema(schema);
  if (value === undefined) return toVerdict(false, "The answer is not one JSON value.");
  const faults = check(value);
  return toVerdict(faults.length === 0, faults.length === 0 ? undefined : `The answer does not fit the schema: ${faults.join("; ")}.`);
}

/** A check of values by a JSON Schema 2020-12, which gives what is wrong. Throws `configuration` for what is no schema. */
export async function compileSchema(schema: JsonObject): Promise<(value: Json) => readonly string[]> {
  // Loaded when needed: most campaigns have no schema.
  const { Ajv2020 } = await import("ajv/dist/2020.js");
  const ajv = new Ajv2020({ strict: false, validateFormats: false, logger: false });
  try {
    const validate = ajv.compile(schema);
    return (value) =>
      validate(value) ? [] : (validate.errors ?? []).slice(0, 3).map(({ instancePath, message = "is wrong" }) => `${instancePath || "it"} ${message}`);
  } catch (error) {
    throw new IasError("configuration", `The JSON schema cannot be used: ${messageOf(error)}`, { cause: error });
  }
}

function expectedOf(item: Item, scorer: string): Json {
  if (item.expected !== undefined) return item.expected;
  throw new IasError("configuration", `Item ${JSON.stringify(item.id)} has no expected answer; the scorer ${scorer} compares with it.`);
}

function folded(text: string, ignoreCase: boolean): string {
  const normal = text.normalize("NFC");
  return ignoreCase ? normal.toLowerCase() : normal;
}

function toVerdict(pass: boolean, reason: string | undefined): Verdict {
  return { pass, score: pass ? 1 : 0, ...(reason !== undefined && { reason }) };
}
