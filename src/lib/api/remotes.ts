import { z } from "zod";
import { checkCard, isCardRight } from "../a2a/card-check.ts";
import { chooseInterface, fetchRawCard, readCard, type FetchedCard } from "../client/card.ts";
import type { Agent } from "../engine/agent.ts";
import { isOpenTo } from "../engine/agents.ts";
import { defineAgent } from "../engine/define-agent.ts";
import type { Engine } from "../engine/engine.ts";
import type { Records } from "../log/records.ts";
import type { TaskIndex } from "../log/task-index.ts";
import type { JsonObject } from "../model/a2a.ts";
import type { AgentSummary, CardReport } from "../model/api.ts";
import { IasError } from "../model/errors.ts";
import { joinKey, type Principal, type StreamKey } from "../model/key.ts";
import type { Limits } from "../model/limits.ts";
import type { GuardedFetch } from "../net/guarded-fetch.ts";
import { withinMs } from "../stream/within.ts";
import type { Secrets } from "../tenancy/secrets.ts";
import { type RemoteFacts, summarize } from "./agents.ts";
import type { Endpoint } from "./endpoint.ts";
import { createRemoteEndpoints } from "./remote-endpoints.ts";
import { checkHost, describeCard, freeId, readHeaders, remoteWordsSchema } from "./remote-request.ts";
import type { remoteBodySchema } from "./schemas.ts";

/**
 * Foreign agents that callers add while the server runs: each becomes an agent of this server, relayed (SEMANTICS 27), of the caller alone or, where an operator
 * shares it, of all; it stays until it is removed. Disposing closes their connections, after their last turns.
 */
export interface Remotes extends AsyncDisposable {
  /** Puts those that were added before among the agents. To be awaited before turns are taken up. */
  load(): Promise<void>;
  /** Where a remote agent really is; undefined for agents of this server. */
  factsOf(agent: string): RemoteFacts | undefined;
  readonly endpoints: readonly Endpoint[];
}

/** What remotes stand on. */
export interface RemotesOptions {
  readonly records: Records;
  readonly index: TaskIndex;
  readonly secrets: Secrets;
  /** The server's agents: remote ones come and go in it. */
  readonly agents: Map<string, Agent>;
  /** The way out, and how a remote agent is relayed. */
  readonly fetch: GuardedFetch;
  readonly engine: (remote: { readonly url: string; readonly name: string; readonly headers: Readonly<Record<string, string>> }) => Engine;
  /** Host names that may be reached, `*.example.com` for all below; empty: any that the guarded fetch lets through. */
  readonly allowedHosts: readonly string[];
  /** Callers have proved who they are: each has agents of their own. Else all are one, and only an operator adds any. */
  readonly knowsCallers: boolean;
  /** The card of an agent of this server. */
  readonly ownCard: (agent: Agent) => Promise<JsonObject>;
  /** Ends a task of an agent as canceled. */
  readonly cancel: (agent: Agent, key: StreamKey) => Promise<void>;
  readonly origin: () => string;
  readonly limits: Pick<Limits, "maxRemotes" | "maxRemotesPerUser">;
  readonly report: (error: IasError) => void;
}

const storedSchema = remoteWordsSchema.extend({
  id: z.string(),
  url: z.string(),
  headers: z.string(),
  protocol: z.string(),
  binding: z.string(),
  /** Who added it for themselves; absent: it is shared. */
  owner: z.exactOptional(z.object({ tenant: z.string(), user: z.string() })),
});

type Stored = z.infer<typeof storedSchema>;
type Body = z.infer<typeof remoteBodySchema>;

const FOLDER = `${joinKey("remote")}/`;

/** Tasks of a removed agent that are ended at once. */
const PAGE = 100;

/** How long a removal waits for the agent's connections to close, ms; they close afterwards all the same. */
const CLOSE_WAIT_MS = 5000;

/** Makes them. */
export function createRemotes(options: RemotesOptions): Remotes {
  const { records, secrets, agents, limits } = options;
  const known = new Map<string, Stored>();

  function enter(stored: Stored): Agent {
    const { id, name, url, description, skills, inputModes, outputModes, owner } = stored;
    const modes = (named: readonly string[]): readonly string[] => (named.length === 0 ? ["text/plain"] : named);
    const agent = defineAgent({
      id,
      name,
      description,
      skills,
      inputModes: modes(inputModes),
      outputModes: modes(outputModes),
      engine: options.engine({ url, name, headers: openHeaders(stored) }),
      ...(owner !== undefined && options.knowsCallers && { owner }),
    });
    agents.set(id, agent);
    known.set(id, stored);
    return agent;
  }

  const openHeaders = ({ id, headers }: Stored): Readonly<Record<string, string>> =>
    JSON.parse(secrets.open(headers, joinKey("remote", id))) as Readonly<Record<string, string>>;

  const factsOf = (id: string): RemoteFacts | undefined => {
    const stored = known.get(id);
    return stored && { url: withoutQuery(stored.url), protocol: stored.protocol, binding: stored.binding, shared: stored.owner === undefined };
  };

  async function fetchCard(body: Body, signal: AbortSignal): Promise<{ readonly fetched: FetchedCard; readonly headers: Readonly<Record<string, string>> }> {
    checkHost(body.url, options.allowedHosts);
    const headers = readHeaders(body);
    return { headers, fetched: await fetchRawCard(body.url, { fetch: options.fetch, headers, signal }) };
  }

  /** Throws where there is no room for one more, or its id is taken. */
  function checkRoom({ id, shared }: Body, principal: Principal): void {
    const own = [...known.values()].filter(({ owner }) => owner !== undefined && isOpenTo({ owner }, principal)).length;
    if (known.size >= limits.maxRemotes)
      throw new IasError("limit-reached", `There are ${known.size} remote agents (maxRemotes); remove one first.`, { reason: "TOO_MANY_REMOTES" });
    if (shared !== true && own >= limits.maxRemotesPerUser)
      throw new IasError("limit-reached", `You have ${own} remote agents (maxRemotesPerUser); remove one first.`, { reason: "TOO_MANY_REMOTES" });
    if (id !== undefined && agents.has(id)) throw new IasError("conflict", `The name ${JSON.stringify(id)} is taken; give another id.`);
  }

  async function add(body: Body, principal: Principal, signal: AbortSignal): Promise<AgentSummary> {
    checkRoom(body, principal);
    const { fetched, headers } = await fetchCard(body, signal);
    const card = readCard(fetched.raw, fetched.url);
    const chosen = chooseInterface(card, {});
    // The card may send us anywhere: there too.
    checkHost(/^[a-z][a-z0-9+.-]*:\/\//i.test(chosen.url) ? chosen.url.replace(/^ws/i, "http") : `https://${chosen.url}`, options.allowedHosts);
    // Others may have come while the card was fetched.
    checkRoom(body, principal);
    const id = body.id ?? freeId(agents, card.name === "" ? new URL(body.url).hostname : card.name);
    const { tenant, user } = principal;
    const stored: Stored = {
      id,
      url: body.url,
      headers: secrets.seal(JSON.stringify(headers), joinKey("remote", id)),
      ...describeCard(fetched.raw, id),
      protocol: chosen.version,
      binding: chosen.binding,
      ...(body.shared !== true && { owner: { tenant, user } }),
    };
    const agent = define(() => enter(stored));
    await records.put({ key: joinKey("remote", id), value: JSON.stringify(stored) }).catch((error: unknown) => {
      leave(id);
      throw error;
    });
    return summarize(agent, factsOf(id));
  }

  function leave(id: string): void {
    agents.delete(id);
    known.delete(id);
  }

  /** Nobody finds the agent any more; what it works on, and what waits for it, is canceled, and then its connections close. */
  async function remove(agent: Agent): Promise<void> {
    await records.delete(joinKey("remote", agent.id));
    leave(agent.id);
    const states = ["TASK_STATE_SUBMITTED", "TASK_STATE_WORKING", "TASK_STATE_INPUT_REQUIRED", "TASK_STATE_AUTH_REQUIRED"] as const;
    for (let left = Number.POSITIVE_INFINITY; ;) {
      const { tasks, total } = await options.index.list({ agent: agent.id, states, limit: PAGE });
      // What cannot be ended is not tried for ever.
      if (tasks.length === 0 || total >= left) break;
      left = total;
      await Promise.all(tasks.map(({ key }) => options.cancel(agent, key).catch(reportUnlessOver)));
    }
    await withinMs(close(agent), CLOSE_WAIT_MS);
  }

  function reportUnlessOver(error: unknown): void {
    const known = IasError.from(error);
    if (known.code !== "task-not-cancelable" && known.code !== "task-not-found") options.report(known);
  }

  async function close({ engine }: Agent): Promise<void> {
    try {
      await engine[Symbol.asyncDispose]?.();
    } catch (error) {
      options.report(IasError.from(error));
    }
  }

  async function report(agent: Agent, signal: AbortSignal): Promise<CardReport> {
    const stored = known.get(agent.id);
    if (stored !== undefined) {
      const fetched = await fetchRawCard(stored.url, { fetch: options.fetch, headers: openHeaders(stored), signal });
      return { ...toReport(fetched), url: withoutQuery(fetched.url) };
    }
    const url = `${options.origin()}/a2a/${encodeURIComponent(agent.id)}/.well-known/agent-card.json`;
    return toReport({ raw: await options.ownCard(agent), url });
  }

  const list = (principal: Principal): readonly AgentSummary[] =>
    [...known.keys()].flatMap((id) => {
      const agent = agents.get(id);
      return agent !== undefined && isOpenTo(agent, principal) ? [summarize(agent, factsOf(id))] : [];
    });

  const examine = async (body: Body, signal: AbortSignal): Promise<CardReport> => toReport((await fetchCard(body, signal)).fetched);

  return {
    async load() {
      for (let after: string | undefined; ;) {
        const page = await records.list(FOLDER, { limit: 100, ...(after !== undefined && { after }) });
        for (const { value } of page) {
          const stored = storedSchema.parse(JSON.parse(value));
          // An agent of the server's own took the name: it goes before.
          if (!agents.has(stored.id)) enter(stored);
        }
        after = page.at(-1)?.key;
        if (after === undefined || page.length < 100) return;
      }
    },
    factsOf,
    endpoints: createRemoteEndpoints({ agents, knowsCallers: options.knowsCallers, list, factsOf, card: report, examine, add, remove }),
    async [Symbol.asyncDispose]() {
      await Promise.all([...known.keys()].flatMap((id) => agents.get(id) ?? []).map(close));
    },
  };
}

/** An address without what may be secret in it. */
function withoutQuery(address: string): string {
  const url = new URL(address);
  return url.search === "" && url.hash === "" ? address : `${url.origin}${url.pathname}`;
}

function toReport({ raw, url, headers }: Pick<FetchedCard, "raw" | "url"> & Partial<FetchedCard>): CardReport {
  const findings = checkCard(raw, headers && { url, headers });
  return { url, card: raw, right: isCardRight(findings), findings };
}

/** A bad id is the caller's. */
function define(make: () => Agent): Agent {
  try {
    return make();
  } catch (error) {
    const known = IasError.from(error);
    if (known.code !== "configuration") throw known;
    throw new IasError("invalid-params", known.message, { cause: known, fields: [{ field: "id", description: "does not fit" }] });
  }
}
