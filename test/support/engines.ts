import { existsSync, readFileSync } from "node:fs";
import { engines, type EngineName, type EnginePlaces } from "../../scripts/engines.ts";
import { cacheFolder } from "../../scripts/engines/install.ts";

/** The engine is not on this machine. `npm test` does not start a file whose engines are missing; a file run by hand ends with this. */
export class MissingEngine extends Error {
  override readonly name = "MissingEngine";
}

/**
 * Where the programs of an outside engine are. Ask for it by a literal name: the test runner reads `engine("…")` in a test file
 * and in what it imports from `test/` to know what the file needs.
 *
 * `IAS_ENGINES` may hand over places of your own: JSON, or the path of a JSON file, `{ "llama": { "python": "/…", "model": "/…" } }`.
 * @throws MissingEngine with the way to get it
 */
export function engine<N extends EngineName>(name: N): EnginePlaces<N> {
  const found = given(process.env["IAS_ENGINES"])[name] ?? engines[name].find(cacheFolder());
  if (found === undefined) throw new MissingEngine(`${name} is not installed (${engines[name].about}). To get it: ${engines[name].byHand}`);
  for (const [place, path] of Object.entries(found)) {
    if (!existsSync(path)) throw new MissingEngine(`${name}: ${place} should be at ${path}, and is not`);
  }
  return found as EnginePlaces<N>;
}

/** The engines that `IAS_ENGINES` hands over. */
export function given(value: string | undefined): Partial<Record<string, Record<string, string>>> {
  if (value === undefined || value === "") return {};
  const text = value.trimStart().startsWith("{") ? value : readFileSync(value, "utf8");
  return JSON.parse(text) as Partial<Record<string, Record<string, string>>>;
}
