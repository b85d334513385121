import type { Json, JsonObject } from "../../model/a2a.ts";
import { A2A_SOCKET_BINDING } from "../../model/websocket-binding.ts";
import type { Capabilities } from "./conformance-case.ts";
import { isObject } from "../../model/json.ts";
import { at, itemsAt, textAt } from "./json.ts";
import { createRaw } from "./raw.ts";
import type { Binding } from "./wire-client.ts";

/** Where version 0.3 is spoken. */
export interface V03Endpoints {
  readonly jsonRpcUrl: string | undefined;
  readonly restUrl: string | undefined;
  /** The card as a 0.3 client gets it (no version header); undefined where the server gives those clients the 1.0 card. */
  readonly card: JsonObject | undefined;
}

/** What the card says, as far as the suite needs it. URLs are without trailing slash. */
export interface Discovery {
  readonly card: JsonObject;
  readonly capabilities: Capabilities;
  readonly urls: Readonly<Partial<Record<Binding, string>>>;
  readonly v03: V03Endpoints;
}

/** Fetches and reads the card. Throws where there is none. */
export async function discover(options: { readonly baseUrl: string; readonly grpcUrl?: string }, timeoutMs: number): Promise<Discovery> {
  const raw = createRaw({ jsonRpcUrl: undefined, restUrl: undefined }, { extensions: [], timeoutMs });
  const fetchCard = async (headers: Record<string, string>): Promise<JsonObject> => {
    const url = `${options.baseUrl}/.well-known/agent-card.json`;
    const response = await raw.request("GET", url, { headers });
    if (response.status === 200 && isObject(response.json)) return response.json;
    throw new Error(`no agent card at ${url}: HTTP ${response.status} ${response.text.slice(0, 200)}`);
  };
  const card = await fetchCard({ "a2a-version": "1.0" });
  const plain = await fetchCard({});
  const grpc = options.grpcUrl ?? interfaceUrl(card, "GRPC");
  const urls: Partial<Record<Binding, string>> = {};
  const jsonrpc = interfaceUrl(card, "JSONRPC");
  const rest = interfaceUrl(card, "HTTP+JSON");
  if (jsonrpc !== undefined) urls.jsonrpc = jsonrpc;
  if (rest !== undefined) urls.rest = rest;
  if (grpc !== undefined) urls.grpc = grpc.replace(/^[a-z]+:\/\//, "");
  const websocket = interfaceUrl(card, A2A_SOCKET_BINDING);
  if (websocket !== undefined) urls.websocket = websocket;
  const v03card = typeof plain["url"] === "string" ? plain : undefined;
  return {
    card,
    urls,
    capabilities: capabilitiesOf(card),
    v03: {
      card: v03card,
      jsonRpcUrl: v03Url(v03card, "JSONRPC") ?? interfaceUrl(card, "JSONRPC", /^0\.3/) ?? jsonrpc,
      restUrl: v03Url(v03card, "HTTP+JSON") ?? interfaceUrl(card, "HTTP+JSON", /^0\.3/) ?? rest,
    },
  };
}

function capabilitiesOf(card: JsonObject): Capabilities {
  const required = itemsAt(card, "capabilities", "extensions").filter((item) => at(item, "required") === true);
  return {
    streaming: at(card, "capabilities", "streaming") === true,
    push: at(card, "capabilities", "pushNotifications") === true,
    extendedCard: at(card, "capabilities", "extendedAgentCard") === true,
    requiredExtensions: required.map((item) => textAt(item, "uri")),
  };
}

function interfaceUrl(card: JsonObject, binding: string, version = /^1\./): string | undefined {
  const match = itemsAt(card, "supportedInterfaces").find((item) => at(item, "protocolBinding") === binding && version.test(textAt(item, "protocolVersion")));
  return withoutSlash(at(match, "url"));
}

function v03Url(card: JsonObject | undefined, transport: string): string | undefined {
  const match = itemsAt(card, "additionalInterfaces").find((item) => at(item, "transport") === transport);
  if (match !== undefined) return withoutSlash(at(match, "url"));
  return (card?.["preferredTransport"] ?? "JSONRPC") === transport ? withoutSlash(card?.["url"]) : undefined;
}

function withoutSlash(url: Json | undefined): string | undefined {
  return typeof url === "string" ? url.replace(/\/$/, "") : undefined;
}
