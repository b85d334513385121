import { z } from "zod";
import { checkCard, isCardRight } from "../a2a/card-check.ts";
import { chooseInterface, fetchRawCard, readCard, type FetchedCard } from "../client/card.ts";
import type { Agent } from "../engine/agent.ts";
import { defineAgent } from "../engine/define-agent.ts";
import type { Engine } from "../engine/engine.ts";
import type { Records } from "../log/records.ts";
import type { JsonObject } from "../model/a2a.ts";
import type { AgentSummary, CardReport } from "../model/api.ts";
import { IasError, invalidField, messageOf } from "../model/errors.ts";
import { joinKey, type Principal } from "../model/key.ts";
import type { Limits } from "../model/limits.ts";
import type { GuardedFetch } from "../net/guarded-fetch.ts";
import type { Secrets } from "../tenancy/secrets.ts";
import { type RemoteFacts, summarize } from "./agents.ts";
import { defineEndpoint, type Endpoint } from "./endpoint.ts";
import { findAgent } from "./find-task.ts";
import { agentSchema, cardReportSchema, remoteBodySchema } from "./schemas.ts";

/** Foreign agents that operators add while the server runs: each becomes an agent of this server, relayed (SEMANTICS 27), and stays until it is removed. */
export interface Remotes {
  /** Puts those that were added before among the agents. To be awaited before turns are taken up. */
  load(): Promise<void>;
  /** Where a remote agent really is; undefined for agents of this server. */
  factsOf(agent: string): RemoteFacts | undefined;
  readonly endpoints: readonly Endpoint[];
}

/** What remotes stand on. */
export interface RemotesOptions {
  readonly records: Records;
  readonly secrets: Secrets;
  /** The server's agents: remote ones come and go in it. */
  readonly agents: Map<string, Agent>;
  /** The way out, and how a remote agent is relayed. */
  readonly fetch: GuardedFetch;
  readonly engine: (remote: { readonly url: string; readonly name: string; readonly headers: Readonly<Record<string, string>> }) => Engine;
  /** Host names that may be reached, `*.example.com` for all below; empty: any that the guarded fetch lets through. */
  readonly allowedHosts: readonly string[];
  /** The card of an agent of this server. */
  readonly ownCard: (agent: Agent) => Promise<JsonObject>;
  readonly origin: () => string;
  readonly limits: Pick<Limits, "maxRemotes">;
}

const storedSchema = z.object({
  id: z.string(),
  url: z.string(),
  headers: z.string(),
  name: z.string(),
  description: z.string(),
  skills: z.array(
    z.object({ id: z.string(), name: z.string(), description: z.string(), tags: z.array(z.string()), examples: z.exactOptional(z.array(z.string())) }),
  ),
  inputModes: z.array(z.string()),
  outputModes: z.array(z.string()),
  protocol: z.string(),
  binding: z.string(),
});

type Stored = z.infer<typeof storedSchema>;

const FOLDER = `${joinKey("remote")}/`;

/** Makes them. */
export function createRemotes(options: RemotesOptions): Remotes {
  const { records, secrets, agents, limits } = options;
  const known = new Map<string, Stored>();

  function enter(stored: Stored): Agent {
    const headers = JSON.parse(secrets.open(stored.headers, joinKey("remote", stored.id))) as Readonly<Record<string, string>>;
    const { id, name, url, description, skills, inputModes, outputModes } = stored;
    const modes = (named: readonly string[]): readonly string[] => (named.length === 0 ? ["text/plain"] : named);
    const agent = defineAgent({
      id,
      name,
      description,
      skills,
      inputModes: modes(inputModes),
      outputModes: modes(outputModes),
      engine: options.engine({ url, name, headers }),
    });
    agents.set(id, agent);
    known.set(id, stored);
    return agent;
  }

  const factsOf = (id: string): RemoteFacts | undefined => {
    const stored = known.get(id);
    return stored && { url: stored.url, protocol: stored.protocol, binding: stored.binding };
  };

  async function fetchCard(
    body: z.infer<typeof remoteBodySchema>,
    signal: AbortSignal,
  ): Promise<{ readonly fetched: FetchedCard; readonly headers: Readonly<Record<string, string>> }> {
    checkHost(body.url, options.allowedHosts);
    const headers = readHeaders(body);
    return { headers, fetched: await fetchRawCard(body.url, { fetch: options.fetch, headers, signal }) };
  }

  async function add(body: z.infer<typeof remoteBodySchema>, signal: AbortSignal): Promise<AgentSummary> {
    if (known.size >= limits.maxRemotes)
      throw new IasError("limit-reached", `There are ${known.size} remote agents (maxRemotes); remove one first.`, { reason: "TOO_MANY_REMOTES" });
    if (body.id !== undefined && agents.has(body.id)) throw new IasError("conflict", `There is an agent ${JSON.stringify(body.id)} already; give another id.`);
    const { fetched, headers } = await fetchCard(body, signal);
    const card = readCard(fetched.raw, fetched.url);
    const chosen = chooseInterface(card, {});
    // The card may send us anywhere: there too.
    checkHost(/^[a-z][a-z0-9+.-]*:\/\//i.test(chosen.url) ? chosen.url : `https://${chosen.url}`, options.allowedHosts);
    const id = body.id ?? freeId(agents, card.name === "" ? new URL(body.url).hostname : card.name);
    const stored: Stored = {
      id,
      url: body.url,
      headers: secrets.seal(JSON.stringify(headers), joinKey("remote", id)),
      ...describeCard(fetched.raw, id),
      protocol: chosen.version,
      binding: chosen.binding,
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

  async function report(agent: Agent, signal: AbortSignal): Promise<CardReport> {
    const stored = known.get(agent.id);
    if (stored !== undefined) {
      const headers = JSON.parse(secrets.open(stored.headers, joinKey("remote", agent.id))) as Readonly<Record<string, string>>;
      return toReport(await fetchRawCard(stored.url, { fetch: options.fetch, headers, signal }));
    }
    const url = `${options.origin()}/a2a/${encodeURIComponent(agent.id)}/.well-known/agent-card.json`;
    return toReport({ raw: await options.ownCard(agent), url });
  }

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
    endpoints: [
      defineEndpoint({
        method: "GET",
        path: "/api/agents/{agent}/card",
        tag: "Agents",
        summary: "An agent's card, and what the specification says of it rule by rule; a remote one's is fetched",
        reply: cardReportSchema,
        handle: async ({ params, signal }) => ({ body: await report(findAgent(agents, params.agent), signal) }),
      }),
      defineEndpoint({
        method: "POST",
        path: "/api/cards",
        tag: "Agents",
        summary: "Fetches and examines the card of any A2A agent, of 1.0 or 0.3 (role operator)",
        about: "The request goes through the guarded fetch: no private addresses, no redirects into them, `REMOTE_HOSTS` where it is set.",
        body: remoteBodySchema,
        reply: cardReportSchema,
        async handle({ principal, body, signal }) {
          checkOperator(principal);
          return { body: toReport((await fetchCard(body, signal)).fetched) };
        },
      }),
      defineEndpoint({
        method: "GET",
        path: "/api/remotes",
        tag: "Agents",
        summary: "The remote agents that were added",
        reply: z.array(agentSchema),
        handle: async () => ({ body: [...known.keys()].flatMap((id) => summarizeKnown(agents.get(id), factsOf(id))) }),
      }),
      defineEndpoint({
        method: "POST",
        path: "/api/remotes",
        tag: "Agents",
        summary: "Adds a foreign A2A agent to this server's, for all of its callers (role operator)",
        about: "Its headers and token are kept sealed and sent to the origin that was named only.",
        body: remoteBodySchema,
        reply: agentSchema,
        status: 201,
        async handle({ principal, body, signal }) {
          checkOperator(principal);
          return { body: await add(body, signal) };
        },
      }),
      defineEndpoint({
        method: "DELETE",
        path: "/api/remotes/{agent}",
        tag: "Agents",
        summary: "Removes a remote agent; its tasks stay (role operator)",
        async handle({ principal, params }) {
          checkOperator(principal);
          if (!known.has(params.agent))
            throw new IasError("not-found", `There is no remote agent ${JSON.stringify(params.agent.slice(0, 64))}.`, { reason: "AGENT_NOT_FOUND" });
          await records.delete(joinKey("remote", params.agent));
          leave(params.agent);
          return { body: undefined };
        },
      }),
    ],
  };
}

function summarizeKnown(agent: Agent | undefined, facts: RemoteFacts | undefined): readonly AgentSummary[] {
  return agent === undefined || facts === undefined ? [] : [summarize(agent, facts)];
}

function toReport({ raw, url, headers }: Pick<FetchedCard, "raw" | "url"> & Partial<FetchedCard>): CardReport {
  const findings = checkCard(raw, headers && { url, headers });
  return { url, card: raw, right: isCardRight(findings), findings };
}

function checkOperator({ roles = [] }: Principal): void {
  if (roles.includes("operator")) return;
  throw new IasError("forbidden", "Foreign agents are for callers with the role operator: the server sends requests to them.", { reason: "OPERATOR_ONLY" });
}

function checkHost(url: string, allowed: readonly string[]): void {
  if (!URL.canParse(url) || !/^https?:$/.test(new URL(url).protocol)) throw invalidField("url", "must be an http or https URL");
  const host = new URL(url).hostname.toLowerCase();
  const fits = (name: string): boolean => (name.startsWith("*.") ? host.endsWith(name.slice(1)) : host === name);
  if (allowed.length === 0 || allowed.some((name) => fits(name.toLowerCase()))) return;
  throw new IasError("forbidden", `The host ${JSON.stringify(host.slice(0, 100))} may not be reached; add it to REMOTE_HOSTS.`, {
    reason: "REMOTE_HOST_NOT_ALLOWED",
  });
}

/** Headers of the connection itself, which are not the caller's to set. */
const OWN_HEADERS: ReadonlySet<string> = new Set([
  "host",
  "connection",
  "content-length",
  "transfer-encoding",
  "upgrade",
  "te",
  "trailer",
  "expect",
  "keep-alive",
]);

function readHeaders({ headers = {}, token }: z.infer<typeof remoteBodySchema>): Readonly<Record<string, string>> {
  const own = Object.keys(headers).find((name) => OWN_HEADERS.has(name.toLowerCase()));
  try {
    if (own !== undefined) throw new TypeError(`${own} is not to be set`);
    return Object.fromEntries(new Headers({ ...headers, ...(token !== undefined && { authorization: `Bearer ${token}` }) }));
  } catch (error) {
    throw invalidField("headers", `hold something that is no header to be set: ${messageOf(error)}`);
  }
}

/** An id for an agent of this name that is not taken. */
function freeId(agents: ReadonlyMap<string, Agent>, name: string): string {
  const base =
    name
      .toLowerCase()
      .replaceAll(/[^a-z0-9]+/g, "-")
      .replaceAll(/^-+|-+$/g, "")
      .slice(0, 50) || "remote";
  for (let number = 1; ; number += 1) {
    const id = number === 1 ? base : `${base}-${number}`;
    if (!agents.has(id)) return id;
  }
}

const text = (most: number) => z.string().transform((value) => value.slice(0, most));
const texts = (most: number) =>
  z
    .array(z.string())
    .catch([])
    .transform((all) => all.slice(0, most).map((one) => one.slice(0, 200)));
const skillSchema = z.object({ id: text(100), name: text(100), description: text(1000).catch(""), tags: texts(20), examples: texts(10) });

/** What a card says of its agent, cut to what is shown. A card is somebody else's text: what does not fit is left out. */
function describeCard(raw: JsonObject, id: string): Pick<Stored, "name" | "description" | "skills" | "inputModes" | "outputModes"> {
  const name = text(100).catch("").parse(raw["name"]).trim() || id;
  const skills = z
    .array(z.unknown())
    .catch([])
    .parse(raw["skills"])
    .slice(0, 50)
    .flatMap((one) => {
      const parsed = skillSchema.safeParse(one);
      return parsed.success ? [parsed.data] : [];
    });
  const modes = (value: unknown): string[] =>
    texts(50)
      .parse(value)
      .filter((mode) => /^[^\s/]+\/[^\s/]+$/.test(mode));
  return {
    name,
    description: text(2000).catch("").parse(raw["description"]).trim() || `The remote agent ${name}.`,
    skills: [...new Map(skills.filter((skill) => skill.id !== "").map((skill) => [skill.id, skill])).values()],
    inputModes: modes(raw["defaultInputModes"]),
    outputModes: modes(raw["defaultOutputModes"]),
  };
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
