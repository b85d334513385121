import type { JsonObject } from "../model/a2a.ts";
import { IasError, messageOf } from "../model/errors.ts";
import type { Attempt } from "./attempt.ts";
import type { Campaign } from "./campaign.ts";
import { type Fault, fieldName } from "./explain.ts";
import { campaignHash } from "./hash.ts";
import { faultsOfText, readCampaign } from "./read-campaign.ts";
import { type AgentCommand, readScenario } from "./read-scenario.ts";
import { withScorerCode } from "./scorer-code.ts";
import { compileSchema } from "./scorers.ts";

/** What the file of a campaign leads to. */
export interface LoadedCampaign {
  readonly campaign: Campaign;
  readonly hash: string;
  /** Of a `scenario.toml`: programs to start before and to stop behind it. Empty for others. */
  readonly commands: readonly AgentCommand[];
  /** Of a `scenario.toml`: `agentbeats_id` by role; its runner writes AgentBeats' results file beside ours. Undefined for others. */
  readonly agentBeats: Readonly<Record<string, string>> | undefined;
}

/** Loads a campaign (YAML or JSON), or a scenario of AgentBeats (`.toml`). Throws `configuration` that names the place and what is right. */
export async function loadCampaign(path: string, readFile: (path: string) => string): Promise<LoadedCampaign> {
  const text = readText(path, readFile);
  const scenario = /\.toml$/i.test(path) ? readScenario(text, path) : undefined;
  const campaign = scenario?.campaign ?? withScorerCode(readCampaign(text, { path, readFile }), path, readFile);
  const faults = await schemaFaults(campaign);
  if (faults.length > 0) throw faultsOfText(text, path, faults);
  return { campaign, hash: campaignHash(campaign), commands: scenario?.commands ?? [], agentBeats: scenario?.participants };
}

/** Schemas are compiled here once, so that a wrong one is told with its line. */
async function schemaFaults({ green, items }: Campaign): Promise<readonly Fault[]> {
  const greens = [{ green, path: ["green"] }, ...items.map((item, at) => ({ green: item.green, path: ["items", at, "green"] }))];
  const faults: Fault[] = [];
  for (const { green: one, path } of greens) {
    if (one?.kind !== "json-schema") continue;
    const place = [...path, "schema"];
    const wrong = await compileSchema(one.schema).then(
      () => undefined,
      (error: unknown) => messageOf(error instanceof IasError ? (error.cause ?? error) : error),
    );
    if (wrong !== undefined) faults.push({ field: fieldName(place), path: place, what: `is no JSON schema that can be used: ${wrong}` });
  }
  return faults;
}

function readText(path: string, readFile: (path: string) => string): string {
  try {
    return readFile(path);
  } catch (error) {
    throw new IasError("configuration", `The campaign ${path} cannot be read: ${messageOf(error)}`, { cause: error });
  }
}

/** How programs are started. */
export interface StartAgentsOptions {
  /** The campaign's results folder: output goes to `logs/<role>.log` in it, and who runs is kept in `agents.json`. */
  readonly folder: string;
  /** Ends the wait for the agents; those that were started are stopped. */
  readonly signal: AbortSignal;
  /** Told once for each agent that is started or taken over. */
  readonly onAgent?: (agent: { readonly role: string; readonly url: string; readonly log: string; readonly pid: number; readonly takenOver: boolean }) => void;
}

/**
 * Starts each command in a process group of its own and resolves when all agents' cards are there. Disposing stops them, by SIGTERM and after 3 s by SIGKILL. An agent that
 * a runner left when it died is taken over. Throws `unavailable` with the end of the log when one ends or has no card in time, and `conflict` when somebody
 * else answers at its address.
 */
export type StartAgents = (commands: readonly AgentCommand[], options: StartAgentsOptions) => Promise<AsyncDisposable>;

/** AgentBeats' results file: `{ participants, results }`, the results of all assessments that were judged, in the order given. */
export function agentBeatsResults(participants: Readonly<Record<string, string>>, attempts: readonly Attempt[]): JsonObject {
  const results = attempts.flatMap(({ outcome }) => {
    const detail = outcome?.kind === "judged" ? outcome.verdict.detail : undefined;
    if (detail === undefined) return [];
    const several = detail["results"];
    return Object.keys(detail).length === 1 && Array.isArray(several) ? (several as readonly JsonObject[]) : [detail];
  });
  return { participants, results };
}
