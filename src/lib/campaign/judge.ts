import { z } from "zod";
import { assertNever, IasError, messageOf } from "../model/errors.ts";
import { verdictOfResults } from "./assessment.ts";
import type { Green, ScoredBattle, Verdict } from "./campaign.ts";
import { judgeByModel } from "./model-judge.ts";
import type { RunnerParts } from "./runner-parts.ts";
import { scoreContains, scoreExact, scoreJsonSchema, scoreRegex } from "./scorers.ts";

/** What judging needs of a runner. */
export type JudgeParts = Pick<RunnerParts, "fetch" | "env" | "loadScorer">;

/**
 * The verdict on an answer. Of an `a2a` green the answer is the green's own: `battleRequest` sent it the assessment, and its results are read here.
 *
 * Throws `IasError`: `configuration` (a regex, schema, key or module that cannot be used) and `timeout` with reason REGEX_TOO_SLOW, which would be the same again; `aborted`; and
 * with reason JUDGE_FAILED what failed in judging, `retryable` where another try may do.
 */
export async function judge(green: Green, battle: ScoredBattle, parts: JudgeParts): Promise<Verdict> {
  switch (green.kind) {
    case "exact":
      return scoreExact(green, battle);
    case "contains":
      return scoreContains(green, battle);
    case "regex":
      return scoreRegex(green, battle);
    case "json-schema":
      return scoreJsonSchema(green, battle);
    case "judge":
      return judgeByModel(green, battle, parts);
    case "a2a":
      return verdictOfResults(battle.answer, battle.data, green.role);
    case "function":
      return judgeByFunction(green, battle, parts);
    default:
      return assertNever(green);
  }
}

const verdictSchema = z.object({
  pass: z.boolean(),
  score: z.number().min(0).max(1),
  reason: z.string().optional(),
  detail: z.record(z.string(), z.json()).optional(),
});

async function judgeByFunction(green: Extract<Green, { readonly kind: "function" }>, battle: ScoredBattle, parts: JudgeParts): Promise<Verdict> {
  const scorer = await parts.loadScorer(green.module, green.name);
  const { promise: aborted, reject } = Promise.withResolvers<never>();
  const abort = (): void => reject(new IasError("aborted", "The judgement was aborted."));
  battle.signal.addEventListener("abort", abort, { once: true });
  if (battle.signal.aborted) abort();
  let given: unknown;
  try {
    given = await Promise.race([aborted, scorer(battle)]);
  } catch (error) {
    if (battle.signal.aborted) throw IasError.from(error, "aborted");
    const why = messageOf(error);
    throw new IasError("remote-failed", `The scorer ${green.name} of ${green.module} threw: ${why}`, { cause: error, reason: "JUDGE_FAILED", retryable: true });
  } finally {
    battle.signal.removeEventListener("abort", abort);
  }
  const parsed = verdictSchema.safeParse(given);
  if (!parsed.success) {
    throw new IasError("remote-failed", `The scorer ${green.name} of ${green.module} must give { pass: boolean, score: 0 to 1, reason?, detail? }.`, {
      reason: "JUDGE_FAILED",
    });
  }
  const { pass, score, reason, detail } = parsed.data;
  return { pass, score, ...(reason !== undefined && { reason }), ...(detail !== undefined && { detail }) };
}
