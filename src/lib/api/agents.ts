import { z } from "zod";
import type { Agent } from "../engine/agent.ts";
import { agentsFor } from "../engine/agents.ts";
import type { AgentSummary, ServerInfo } from "../model/api.ts";
import type { Principal } from "../model/key.ts";
import type { ApiParts } from "./api-parts.ts";
import { defineEndpoint, type Endpoint } from "./endpoint.ts";
import { agentSchema, serverInfoSchema } from "./schemas.ts";

/** What a server says of itself, beside the caller. */
export type ServerFacts = Omit<ServerInfo, "principal">;

/** What is known of an agent that was added at run time. */
export type RemoteFacts = NonNullable<AgentSummary["remote"]>;

/** Endpoints that say who the caller is, and which agents there are. */
export function createAgentEndpoints(
  parts: Pick<ApiParts, "agents">,
  options: { readonly facts: () => ServerFacts; readonly remote?: (agent: string) => RemoteFacts | undefined },
): readonly Endpoint[] {
  return [
    defineEndpoint({
      method: "GET",
      path: "/api/session",
      tag: "Session",
      summary: "Who the caller is, and what this server offers",
      reply: serverInfoSchema,
      handle: async ({ principal }) => ({ body: toServerInfo(principal, options.facts()) }),
    }),
    defineEndpoint({
      method: "GET",
      path: "/api/agents",
      tag: "Agents",
      summary: "The agents that are there for the caller: the server's, the default one first, and remote ones that were added",
      reply: z.array(agentSchema),
      handle: async ({ principal }) => ({ body: agentsFor(parts.agents, principal).map((agent) => summarize(agent, options.remote?.(agent.id))) }),
    }),
  ];
}

/** What a page asks first. */
export function toServerInfo({ tenant, user, roles = [] }: Principal, facts: ServerFacts): ServerInfo {
  return { ...facts, principal: { tenant, user, roles } };
}

/** An agent as the API lists it. */
export function summarize(agent: Agent, remote: RemoteFacts | undefined): AgentSummary {
  return {
    id: agent.id,
    name: agent.name,
    description: agent.description,
    skills: agent.skills.map(({ id, name, examples }) => ({ id, name, ...(examples !== undefined && { examples }) })),
    inputModes: agent.inputModes,
    outputModes: agent.outputModes,
    card: `/a2a/${encodeURIComponent(agent.id)}/.well-known/agent-card.json`,
    ...(remote !== undefined && { remote }),
  };
}
