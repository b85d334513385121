import { IasError } from "../model/errors.ts";
import { headersOf, notOffered } from "./arena.ts";
import type { Campaign, Green } from "./campaign.ts";
import { keyHeader } from "./model-judge.ts";
import type { RunnerParts } from "./runner-parts.ts";
import { compileSchema } from "./scorers.ts";

/**
 * Looks at all that a campaign needs besides its subjects, before the first battle: scorers are loaded, schemas compiled, and the variables of keys and headers are set.
 * A demand for counters that no file names is refused here, too. Throws `configuration` with all that is wrong, so that it is put right once.
 */
export async function checkNeeds(campaign: Campaign, parts: Pick<RunnerParts, "env" | "loadScorer">): Promise<void> {
  const wrong = new Set<string>();
  let reason: string | undefined;
  const note = (given: unknown): void => {
    const error = IasError.from(given, "configuration");
    reason ??= error.reason;
    wrong.add(error.message);
  };
  for (const subject of campaign.subjects) {
    try {
      headersOf(subject.headersFromEnv, parts.env);
      headersOf(subject.metricsHeadersFromEnv ?? {}, parts.env);
      if ((subject.liveness ?? campaign.liveness) === "metrics" && subject.metricsUrl === undefined)
        throw notOffered(subject.id, "metrics", "no metricsUrl is known");
    } catch (error) {
      note(error);
    }
  }
  // Thousands of items share a few greens.
  const greens = new Map([campaign, ...campaign.items].flatMap(({ green }) => (green === undefined ? [] : [[JSON.stringify(green), green] as const])));
  for (const green of greens.values()) await checkGreen(green, parts).catch(note);
  if (wrong.size > 0) throw new IasError("configuration", [...wrong].join("\n"), reason === undefined ? {} : { reason });
}

async function checkGreen(green: Green, { env, loadScorer }: Pick<RunnerParts, "env" | "loadScorer">): Promise<void> {
  if (green.kind === "function") await loadScorer(green.module, green.name);
  else if (green.kind === "json-schema") await compileSchema(green.schema);
  else if (green.kind === "judge") keyHeader(green, env);
}
