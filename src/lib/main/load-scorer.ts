import { existsSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import type { Scorer } from "../campaign/campaign.ts";
import type { RunnerParts } from "../campaign/runner-parts.ts";
import { IasError, messageOf } from "../model/errors.ts";

/**
 * Loads scorers of `function` greens: modules relative to the campaign's file, each once. A module is code of the operator's own and runs in this process.
 * Throws `configuration` for a module that is not there or cannot be loaded, and for an export that is no function.
 */
export function createScorerLoader(campaignFile: string): RunnerParts["loadScorer"] {
  const loaded = new Map<string, Promise<unknown>>();
  return async (module, name) => {
    const path = resolve(dirname(campaignFile), module);
    if (!existsSync(path)) throw new IasError("configuration", `The scorer's module ${JSON.stringify(module)} of ${campaignFile} is not there: ${path}.`);
    const known = loaded.get(path) ?? import(pathToFileURL(path).href);
    loaded.set(path, known);
    let exported: unknown;
    try {
      exported = await known;
    } catch (error) {
      throw new IasError("configuration", `The scorer's module ${module} cannot be loaded: ${messageOf(error)}`, {
        cause: error,
      });
    }
    const scorer: unknown = (exported as Readonly<Record<string, unknown>>)[name];
    if (typeof scorer === "function") return scorer as Scorer;
    const names = Object.keys(exported as object).join(", ");
    throw new IasError(
      "configuration",
      `The scorer's module ${module} has no function ${JSON.stringify(name)}; it exports ${names === "" ? "nothing" : names}.`,
    );
  };
}
