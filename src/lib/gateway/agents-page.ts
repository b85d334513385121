import type { Agent } from "../engine/agent.ts";
import { agentsFor } from "../engine/agents.ts";
import { methodNotAllowed, type Page } from "../net/page.ts";

/** `GET /a2a`: the agents of this server that are everybody's, `{ agents: [{ id, name, description, url }] }`; their cards say more. */
export function createAgentsPage(agents: ReadonlyMap<string, Agent>, origin: () => string): Page {
  return async ({ method, url }) => {
    if (url.pathname !== "/a2a" && url.pathname !== "/a2a/") return undefined;
    if (method !== "GET" && method !== "HEAD") return methodNotAllowed("GET, HEAD");
    const list = agentsFor(agents, undefined).map(({ id, name, description }) => ({ id, name, description, url: `${origin()}/a2a/${id}` }));
    return { status: 200, headers: { "content-type": "application/json", "cache-control": "no-cache" }, body: JSON.stringify({ agents: list }) };
  };
}
