import { z } from "zod";
import type { Agent } from "../engine/agent.ts";
import { findAgent, isOpenTo } from "../engine/agents.ts";
import type { AgentSummary, CardReport } from "../model/api.ts";
import { IasError } from "../model/errors.ts";
import type { Principal } from "../model/key.ts";
import type { RemoteFacts } from "./agents.ts";
import { checkOperator, defineEndpoint, type Endpoint } from "./endpoint.ts";
import { agentSchema, cardReportSchema, remoteBodySchema } from "./schemas.ts";

/** What the endpoints of remote agents do, for callers who may. */
export interface RemoteActs {
  readonly agents: ReadonlyMap<string, Agent>;
  /** Callers have proved who they are. */
  readonly knowsCallers: boolean;
  list(principal: Principal): readonly AgentSummary[];
  factsOf(agent: string): RemoteFacts | undefined;
  card(agent: Agent, signal: AbortSignal): Promise<CardReport>;
  examine(body: z.infer<typeof remoteBodySchema>, signal: AbortSignal): Promise<CardReport>;
  add(body: z.infer<typeof remoteBodySchema>, principal: Principal, signal: AbortSignal): Promise<AgentSummary>;
  remove(agent: Agent): Promise<void>;
}

/** Endpoints that examine, add and remove foreign agents. */
export function createRemoteEndpoints(remotes: RemoteActs): readonly Endpoint[] {
  const { agents } = remotes;
  // Not for callers that nobody knows: the server sends requests to addresses of theirs.
  const access = remotes.knowsCallers ? undefined : "operator";

  return [
    defineEndpoint({
      method: "GET",
      path: "/api/agents/{agent}/card",
      tag: "Agents",
      summary: "An agent's card, and what the specification says of it rule by rule; a remote one's is fetched",
      reply: cardReportSchema,
      handle: async ({ principal, params, signal }) => ({ body: await remotes.card(findAgent(agents, principal, params.agent), signal) }),
    }),
    defineEndpoint({
      method: "POST",
      path: "/api/cards",
      tag: "Agents",
      summary: "Fetches and examines the card of any A2A agent, of 1.0 or 0.3",
      about: "The request goes through the guarded fetch: no private addresses, no redirects into them, `REMOTE_HOSTS` where it is set.",
      body: remoteBodySchema,
      reply: cardReportSchema,
      access,
      handle: async ({ body, signal }) => ({ body: await remotes.examine(body, signal) }),
    }),
    defineEndpoint({
      method: "GET",
      path: "/api/remotes",
      tag: "Agents",
      summary: "The remote agents that are there for the caller: their own, and those that are shared",
      reply: z.array(agentSchema),
      handle: async ({ principal }) => ({ body: remotes.list(principal) }),
    }),
    defineEndpoint({
      method: "POST",
      path: "/api/remotes",
      tag: "Agents",
      summary: "Adds a foreign A2A agent for the caller alone; `shared`: for all callers (role operator)",
      about: "Its headers and token are kept sealed, sent to the origin that was named only, and shown to nobody.",
      body: remoteBodySchema,
      reply: agentSchema,
      status: 201,
      access,
      async handle({ principal, body, signal }) {
        if (body.shared === true) checkOperator(principal, "Agents for all callers are");
        return { body: await remotes.add(body, principal, signal) };
      },
    }),
    defineEndpoint({
      method: "DELETE",
      path: "/api/remotes/{agent}",
      tag: "Agents",
      summary: "Removes a remote agent of the caller, or a shared one (role operator)",
      about: "What it works on, and what waits for it, is canceled, the remote agent is told, and its connections are closed. Its tasks stay to be read.",
      access,
      async handle({ principal, params }) {
        const [agent, facts] = [agents.get(params.agent), remotes.factsOf(params.agent)];
        if (agent === undefined || facts === undefined || !isOpenTo(agent, principal))
          throw new IasError("not-found", `There is no remote agent ${JSON.stringify(params.agent.slice(0, 64))}.`, { reason: "AGENT_NOT_FOUND" });
        if (facts.shared) checkOperator(principal, "Agents for all callers are");
        await remotes.remove(agent);
        return { body: undefined };
      },
    }),
  ];
}
