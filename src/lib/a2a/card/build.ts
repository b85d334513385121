import type { Agent } from "../../engine/agent.ts";
import type { Json, JsonObject } from "../../model/a2a.ts";
import { EXTENSION_URI } from "../../model/entry.ts";
import { A2A_SOCKET_BINDING } from "../../model/websocket-binding.ts";
import type { SecurityScheme } from "../../tenancy/authenticator.ts";

/** What a card says beside its agent. */
export interface CardFacts {
  /** The server's own URL without a trailing slash. */
  readonly origin: string;
  /** `host:port` of the gRPC server, as clients hand it to their channel; absent when there is none. */
  readonly grpc?: string | undefined;
  /** The agent that gRPC calls without a tenant are for. */
  readonly defaultAgent: string;
  /** Whether protocol 0.3 is served on the same URLs. */
  readonly serves03: boolean;
  /** Whether the WebSocket binding (PROTOCOL.md, section 9) is declared. */
  readonly websocket: boolean;
  readonly schemes: readonly SecurityScheme[];
}

/** The AgentCard of A2A 1.0.1 in ProtoJSON: members with default values are left out unless they are REQUIRED or `optional` (specification 5.7, 8.4.1). */
export function buildCard(agent: Agent, facts: CardFacts): JsonObject {
  return withoutDefaults({
    name: agent.name,
    description: agent.description,
    version: agent.version,
    supportedInterfaces: interfacesOf(agent, facts),
    ...(agent.provider && { provider: { ...agent.provider } }),
    ...(agent.documentationUrl !== undefined && { documentationUrl: agent.documentationUrl }),
    ...(agent.iconUrl !== undefined && { iconUrl: agent.iconUrl }),
    capabilities: {
      streaming: agent.streaming,
      pushNotifications: agent.pushNotifications,
      extendedAgentCard: agent.extendedCard !== undefined,
      extensions: extensionsOf(agent),
    },
    defaultInputModes: agent.inputModes,
    defaultOutputModes: agent.outputModes,
    skills: agent.skills.map((skill) => ({ ...skill })),
    ...(facts.schemes.length > 0 && {
      securitySchemes: Object.fromEntries(facts.schemes.map((scheme) => [scheme.name, schemeOf(scheme)])),
      securityRequirements: facts.schemes.map(({ name }) => ({ schemes: { [name]: {} } })),
    }),
  });
}

/** The same card for clients of 0.3, which read `url` and `preferredTransport`, and security in the form of OpenAPI. */
export function toLegacyCard(card: JsonObject, agent: Agent, facts: CardFacts): JsonObject {
  const { supportedInterfaces: _, securityRequirements: __, signatures: ___, capabilities, ...rest } = card;
  const { extendedAgentCard: extended, ...known } = capabilities as JsonObject;
  return { ...rest, capabilities: known, ...legacyMembers(agent, facts), ...(extended === true && { supportsAuthenticatedExtendedCard: true }) };
}

/**
 * A card that readers of both versions understand: the one of 1.0 with the members of 0.3 beside them, as the official Python server has it. What 1.0 does not
 * know is ignored by its readers (specification 5.7), and left out before they verify a signature.
 */
export function mergeCards(card: JsonObject, agent: Agent, facts: CardFacts): JsonObject {
  const legacy = toLegacyCard(card, agent, facts);
  const both = facts.schemes.map(({ name }) => [name, { ...memberOf(card["securitySchemes"], name), ...memberOf(legacy["securitySchemes"], name) }]);
  return { ...legacy, ...card, ...(both.length > 0 && { securitySchemes: Object.fromEntries(both) as JsonObject }) };
}

function interfacesOf(agent: Agent, { origin, grpc, serves03, websocket, defaultAgent }: CardFacts): Json {
  const [rpc, rest] = [rpcUrl(agent, origin), `${rpcUrl(agent, origin)}/rest`];
  // Clients take the first that they can speak, some without a look at the version: so 1.0 stands first.
  return [
    { url: rpc, protocolBinding: "JSONRPC", protocolVersion: "1.0" },
    { url: rest, protocolBinding: "HTTP+JSON", protocolVersion: "1.0" },
    // gRPC has one address for all agents; the tenant, which clients repeat in each request, tells them apart.
    ...(grpc === undefined ? [] : [{ url: grpc, protocolBinding: "GRPC", ...(agent.id !== defaultAgent && { tenant: agent.id }), protocolVersion: "1.0" }]),
    ...(websocket ? [{ url: `${rpc.replace(/^http/, "ws")}/ws`, protocolBinding: A2A_SOCKET_BINDING, protocolVersion: "1.0" }] : []),
    ...(serves03
      ? [
          { url: rpc, protocolBinding: "JSONRPC", protocolVersion: "0.3" },
          { url: rest, protocolBinding: "HTTP+JSON", protocolVersion: "0.3" },
        ]
      : []),
  ];
}

function legacyMembers(agent: Agent, { origin, schemes }: CardFacts): JsonObject {
  const url = rpcUrl(agent, origin);
  return {
    protocolVersion: "0.3.0",
    url,
    preferredTransport: "JSONRPC",
    additionalInterfaces: [
      { transport: "JSONRPC", url },
      { transport: "HTTP+JSON", url: `${url}/rest` },
    ],
    ...(schemes.length > 0 && {
      security: schemes.map(({ name }) => ({ [name]: [] })),
      securitySchemes: Object.fromEntries(schemes.map((scheme) => [scheme.name, legacySchemeOf(scheme)])),
    }),
  };
}

function rpcUrl(agent: Agent, origin: string): string {
  return `${origin}/a2a/${encodeURIComponent(agent.id)}`;
}

function extensionsOf(agent: Agent): Json {
  const own = {
    uri: EXTENSION_URI,
    description: "Cursors, resumable streams, idempotent sending, tool calls, usage and liveness: see PROTOCOL.md of infinite-agent-streams.",
  };
  const named = agent.extensions.map((extension) => ({ ...extension }));
  return named.some(({ uri }) => uri === EXTENSION_URI) ? named : [own, ...named];
}

function schemeOf(scheme: SecurityScheme): JsonObject {
  const about = scheme.description === undefined ? {} : { description: scheme.description };
  switch (scheme.kind) {
    case "http":
      return { httpAuthSecurityScheme: { ...about, scheme: scheme.scheme, ...(scheme.bearerFormat !== undefined && { bearerFormat: scheme.bearerFormat }) } };
    case "api-key":
      return { apiKeySecurityScheme: { ...about, location: "header", name: scheme.header } };
    case "open-id-connect":
      return { openIdConnectSecurityScheme: { ...about, openIdConnectUrl: scheme.url } };
  }
}

function legacySchemeOf(scheme: SecurityScheme): JsonObject {
  const about = scheme.description === undefined ? {} : { description: scheme.description };
  switch (scheme.kind) {
    case "http":
      return { type: "http", ...about, scheme: "bearer", ...(scheme.bearerFormat !== undefined && { bearerFormat: scheme.bearerFormat }) };
    case "api-key":
      return { type: "apiKey", ...about, in: "header", name: scheme.header };
    case "open-id-connect":
      return { type: "openIdConnect", ...about, openIdConnectUrl: scheme.url };
  }
}

function memberOf(value: Json | undefined, name: string): JsonObject {
  return (value as Readonly<Record<string, JsonObject>> | undefined)?.[name] ?? {};
}

/** REQUIRED and `optional` members of the card's messages in `a2a.proto`: they stay with any value. */
const KEPT: ReadonlySet<string> = new Set(
  (
    "name description version supportedInterfaces capabilities defaultInputModes defaultOutputModes skills documentationUrl iconUrl id tags url " +
    "protocolBinding protocolVersion organization scheme location openIdConnectUrl streaming pushNotifications extendedAgentCard"
  ).split(" "),
);

/** `card` without default values where the specification wants them left out; `params` of extensions are free JSON and stay as they are. */
export function withoutDefaults(card: Readonly<Record<string, unknown>>): JsonObject {
  return clean(card) as JsonObject;
}

function clean(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(clean);
  if (value === null || typeof value !== "object") return value;
  const kept: Record<string, unknown> = {};
  for (const [name, member] of Object.entries(value)) {
    if (member === undefined || member === null) continue;
    const cleaned = name === "params" ? member : clean(member);
    if (KEPT.has(name) || !isDefault(cleaned)) kept[name] = cleaned;
  }
  return kept;
}

/** An empty message is not a default: it is set. An empty map is. */
function isDefault(value: unknown): boolean {
  return value === "" || value === false || value === 0 || (Array.isArray(value) && value.length === 0);
}
