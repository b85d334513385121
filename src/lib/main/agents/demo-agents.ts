import type { Agent } from "../../engine/agent.ts";
import { createModelProvider, type ModelEndpoint } from "../../engine/openai-agents/provider.ts";
import { loadSdk } from "../../engine/openai-agents/sdk.ts";
import type { Sleep } from "../../engine/scripted.ts";
import { createAssistant } from "./assistant.ts";
import type { DemoParts } from "./demo-parts.ts";
import { createTeam } from "./team.ts";

/** Which model the demo agents run on; clock and chance for tests. */
export interface DemoAgentsOptions {
  /** The name of a real model. Absent: a scripted one, without key or network, whatever else is given. */
  readonly model?: string;
  /** Where the real model is. Not looked at without `model`. */
  readonly endpoint?: ModelEndpoint;
  /** Between two tokens of the scripted model, in ms. Default 25. */
  readonly tokenMs?: number;
  readonly sleep?: Sleep;
  readonly now?: () => Date;
  readonly random?: () => number;
}

/** The demo agents, and what they run on. */
export interface DemoAgents {
  readonly agents: readonly Agent[];
  /** Who answers, for people: "a scripted model" or the model's name and host. */
  readonly answeredBy: string;
}

/**
 * The agents out of the box, `assistant` and `team`: real agents of the OpenAI Agents SDK, on a scripted model or on a real one.
 * @throws IasError `configuration` when the SDK is not installed, or the real model's endpoint cannot be used.
 */
export async function createDemoAgents(options: DemoAgentsOptions = {}): Promise<DemoAgents> {
  const sdk = await loadSdk();
  const { model, endpoint = {} } = options;
  const real = model === undefined ? undefined : { model, modelProvider: createModelProvider(sdk, endpoint) };
  const parts: DemoParts = {
    sdk,
    real,
    tokenMs: options.tokenMs ?? 25,
    ...(options.sleep !== undefined && { sleep: options.sleep }),
    now: options.now ?? (() => new Date()),
    random: options.random ?? Math.random,
  };
  const host = endpoint.baseUrl === undefined || endpoint.baseUrl === "" ? "api.openai.com" : new URL(endpoint.baseUrl).host;
  return {
    agents: [createAssistant(parts), createTeam(parts)],
    answeredBy: real === undefined ? "a scripted model (no key, no network)" : `${real.model} at ${host}`,
  };
}
