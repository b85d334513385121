import type { Json, JsonObject, Part } from "../model/a2a.ts";
import { IasError } from "../model/errors.ts";
import { isObject } from "../model/json.ts";
import type { Green, Item, Subject, Verdict } from "./campaign.ts";
import { findObjects, readJson } from "./json-text.ts";

/** A green agent that does battles itself. */
export type A2AGreen = Extract<Green, { readonly kind: "a2a" }>;

/** Whom a battle's message goes to, and what it says. */
export interface BattleRequest {
  readonly url: string;
  readonly headersFromEnv: Readonly<Record<string, string>>;
  readonly parts: readonly Part[];
}

/**
 * What a battle sends: the item's prompt to the subject, or to an `a2a` green an assessment in AgentBeats' form, of which it does the battle itself.
 * Either way the answer goes to `judge`, and liveness is that of the agent which was asked. A subject's headers are its own: a green does not get them.
 */
export function battleRequest(green: Green, subject: Subject, item: Item): BattleRequest {
  if (green.kind !== "a2a") return { url: subject.url, headersFromEnv: subject.headersFromEnv, parts: [{ text: item.prompt }] };
  return { url: green.url, headersFromEnv: {}, parts: [{ text: JSON.stringify(assessmentOf(green, subject, item)) }] };
}

/**
 * `{ participants, config }`: AgentBeats' greens read it from the message's text. An item that asks something is added to `config` as `item`;
 * a scenario's only item asks nothing, so that its config is as in the file.
 */
export function assessmentOf(green: A2AGreen, subject: Pick<Subject, "url">, item: Item): { readonly participants: JsonObject; readonly config: JsonObject } {
  const { id, prompt, expected, metadata } = item;
  const asked: JsonObject = { id, prompt, ...(expected !== undefined && { expected }), ...(metadata !== undefined && { metadata }) };
  return { participants: { [green.role]: subject.url, ...green.others }, config: { ...green.config, ...(prompt !== "" && { item: asked }) } };
}

/** The share of the score from which a result that names neither winner nor pass counts as passed. */
const PASS_SCORE = 0.5;

/**
 * The verdict of a green agent's results: JSON objects in its artifacts, as data or as text. `pass` says it; else `winner` is the subject's role;
 * else the score is at least half. The score is `score` (of `max_score`), `pass_rate` in percent, or 1 and 0. Throws `remote-failed` with reason JUDGE_FAILED when
 * no result says any of these.
 */
export function verdictOfResults(text: string, data: readonly Json[], role: string): Verdict {
  const results = resultsOf(text, data);
  const told = results.findLast((result) => scoreOf(result) !== undefined || typeof passOf(result, role) === "boolean");
  if (told === undefined) {
    throw new IasError("remote-failed", "The green agent's artifacts have no JSON result with a winner, a pass or a score.", {
      reason: "JUDGE_FAILED",
      retryable: true,
    });
  }
  const given = scoreOf(told);
  const pass = passOf(told, role) ?? (given ?? 0) >= PASS_SCORE;
  const { reason: own, detail } = told;
  const reason = [own, isObject(detail) ? detail["reason"] : undefined].find((one) => typeof one === "string");
  return {
    pass,
    score: given ?? (pass ? 1 : 0),
    ...(typeof reason === "string" && { reason }),
    detail: results.length === 1 ? told : { results },
  };
}

/** The results of a green agent: its data, and texts that are JSON or hold JSON objects. */
function resultsOf(text: string, data: readonly Json[]): readonly JsonObject[] {
  const whole = readJson(text);
  const texts = whole === undefined ? findObjects(text) : [whole];
  return [...texts, ...data].flatMap((value) => (Array.isArray(value) ? (value as readonly Json[]) : [value])).filter(isObject);
}

function passOf(result: JsonObject, role: string): boolean | undefined {
  const { pass = result["passed"] ?? result["success"], winner } = result;
  if (typeof pass === "boolean") return pass;
  return typeof winner === "string" ? winner === role : undefined;
}

function scoreOf(result: JsonObject): number | undefined {
  const { score, max_score: most, pass_rate: percent } = result;
  if (typeof score === "number") {
    const of = typeof most === "number" ? most : 1;
    if (of > 0 && score >= 0 && score <= of) return score / of;
  }
  return typeof percent === "number" && percent >= 0 && percent <= 100 ? percent / 100 : undefined;
}
