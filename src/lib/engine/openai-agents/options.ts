import type { RunConfig } from "@openai/agents";
import type { JsonObject } from "../../model/a2a.ts";
import type { Turn } from "../engine.ts";
import type { McpServer } from "./mcp.ts";
import type { ModelEndpoint } from "./provider.ts";
import type { SdkAgent, SdkModel, SdkModelProvider } from "./sdk.ts";

/** What `openaiAgents` takes beside the agent. */
export interface OpenAIAgentsOptions {
  /** For agents that name no model: a model, or the name of one. */
  readonly model?: string | SdkModel;
  /** Where models that are given by name are: any OpenAI-compatible server. Default: as the SDK has it (OpenAI, with `OPENAI_API_KEY`). */
  readonly endpoint?: ModelEndpoint;
  /** Turns model names into models, in place of `endpoint`. */
  readonly modelProvider?: SdkModelProvider;
  /** Model calls per turn, default the SDK's (10); `null` for no limit. */
  readonly maxTurns?: number | null;
  /** Tools that may run twice without harm: a turn that a crash cut off restarts by itself if it called only these (SEMANTICS 19). */
  readonly idempotentTools?: readonly string[];
  /** What tools, instructions and guardrails get as the run's `context`. Default: a `RunFacts`. It is kept, as JSON, while an approval waits. */
  readonly context?: (turn: Turn) => unknown;
  /** MCP servers for the agent, which the engine connects before the first turn and closes with itself. `agent.mcpServers` stay yours: connect them yourself. */
  readonly mcp?: readonly McpServer[];
  /** Agents that are used as tools and have a model object which no other agent of the team has. Those not named here are met at their first event, one response too late to slow it. */
  readonly children?: readonly SdkAgent[];
  /** Events that a child not named in `children` may be ahead of a slow reader; beyond it the turn fails with reason ENGINE_AHEAD. Default 65,536. */
  readonly maxEventsAhead?: number;
  /** The SDK's tracing, which sends runs to OpenAI. Default "off". */
  readonly tracing?: "off" | "on";
  /** Anything else of the SDK's `RunConfig`: guardrails and model settings for all agents, input filters, error texts. */
  readonly runConfig?: Partial<Omit<RunConfig, "model" | "modelProvider" | "tracingDisabled">>;
}

/** The run's `context` by default: who asks, and the task. `task`, `epoch` and the call id together name a tool call for ever. */
export interface RunFacts {
  readonly tenant: string;
  readonly user: string;
  readonly agent: string;
  readonly task: string;
  readonly context: string;
  readonly attempt: number;
  readonly epoch: number;
  readonly metadata: JsonObject;
}

/** The run's `context` for a turn. */
export function contextOf(turn: Turn, options: OpenAIAgentsOptions): unknown {
  if (options.context !== undefined) return options.context(turn);
  const { principal, agent, task, context, attempt, epoch, metadata } = turn;
  const facts: RunFacts = { tenant: principal.tenant, user: principal.user, agent, task, context, attempt, epoch, metadata };
  return facts;
}
