import { signal } from "@preact/signals";
import type { AgentSummary, ServerInfo } from "../../../src/lib/model/api.ts";
import { messageOf } from "../../../src/lib/model/errors.ts";
import { callApi } from "./call.ts";
import { retryDelay } from "./backoff.ts";

/** What the server says of itself and of the caller; undefined before its first answer. */
export const server = signal<ServerInfo | undefined>(undefined);

/** The agents, remote ones too; undefined before the first answer. */
export const agents = signal<readonly AgentSummary[] | undefined>(undefined);

/** Why the server does not answer, while it does not. */
export const trouble = signal<string | undefined>(undefined);

/** Asks the server who it is and which agents it has, until it answers. */
export async function loadServer(): Promise<void> {
  for (let failures = 0; ; failures += 1) {
    try {
      server.value = await callApi<ServerInfo>("/api/session");
      await loadAgents();
      trouble.value = undefined;
      return;
    } catch (error) {
      trouble.value = messageOf(error);
    }
    await new Promise((resolve) => setTimeout(resolve, retryDelay(failures)));
  }
}

/** Asks for the agents anew: after one was added or taken away. */
export async function loadAgents(): Promise<void> {
  const answer = await callApi<{ readonly agents: readonly AgentSummary[] } | readonly AgentSummary[]>("/api/agents");
  agents.value = "agents" in answer ? answer.agents : answer;
}

/** Where a foreign agent is, for agents that have one name: its host, and its path too where that is one as well. Undefined where the name alone tells it from others. */
export function placeOf({ id, name, remote }: AgentSummary): string | undefined {
  const same = (agents.value ?? []).filter((agent) => agent.name === name && agent.id !== id);
  if (remote === undefined || same.length === 0) return undefined;
  const at = URL.parse(remote.url);
  const isAlone = same.every((agent) => agent.remote === undefined || URL.parse(agent.remote.url)?.host !== at?.host);
  return at === null ? remote.url : isAlone ? at.host : `${at.host}${at.pathname}`;
}

/** An agent's name for people: its id while it is not known. */
export function agentName(id: string): string {
  return agents.value?.find((agent) => agent.id === id)?.name ?? id;
}
