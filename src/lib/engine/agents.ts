import { IasError } from "../model/errors.ts";
import type { Principal } from "../model/key.ts";
import type { Agent } from "./agent.ts";

type Owner = Pick<Principal, "tenant" | "user">;

/** Whether an agent is there for a caller; without one, for anybody. */
export function isOpenTo({ owner }: Pick<Agent, "owner">, caller: Owner | undefined): boolean {
  return owner === undefined || (caller !== undefined && owner.tenant === caller.tenant && owner.user === caller.user);
}

/** The agents that are there for a caller, in their order; without one, those that are there for anybody. */
export function agentsFor(agents: ReadonlyMap<string, Agent>, caller: Owner | undefined): readonly Agent[] {
  return [...agents.values()].filter((agent) => isOpenTo(agent, caller));
}

/** The agent of this id. Throws `not-found` with those that there are; another caller's own agent is none (SEMANTICS 22). */
export function findAgent(agents: ReadonlyMap<string, Agent>, caller: Owner, id: string): Agent {
  const agent = agents.get(id);
  if (agent !== undefined && isOpenTo(agent, caller)) return agent;
  const all = agentsFor(agents, caller);
  const some = all.slice(0, 10).map((each) => each.id);
  throw new IasError(
    "not-found",
    `There is no agent ${JSON.stringify(id.slice(0, 64))} here; there are ${some.join(", ")}${all.length > some.length ? " and others" : ""}.`,
    { reason: "AGENT_NOT_FOUND" },
  );
}
