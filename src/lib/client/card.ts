import type { GuardedFetch } from "../net/guarded-fetch.ts";
import type { Json, JsonObject } from "../model/a2a.ts";
import { EXTENSION_URI } from "../model/entry.ts";
import { IasError } from "../model/errors.ts";
import { A2A_SOCKET_BINDING } from "../model/websocket-binding.ts";
import { asArray, asObject, asText } from "./json.ts";

/** Names of bindings, as cards have them (specification 4.4.6); `WEBSOCKET` is the custom binding of PROTOCOL.md, section 9, which cards name by its URI. */
export type Binding = "JSONRPC" | "HTTP+JSON" | "GRPC" | "WEBSOCKET";

/** One way to talk to an agent. */
export interface RemoteInterface {
  readonly binding: Binding;
  readonly version: "1.0" | "0.3";
  /** Absolute; for gRPC `host:port` or a URL, as the card has it. */
  readonly url: string;
  readonly tenant?: string;
}

/** What a client needs of an agent card, of either version. */
export interface RemoteCard {
  readonly name: string;
  readonly description: string;
  readonly version: string;
  /** Those that we can speak, in the card's order (the first is preferred). */
  readonly interfaces: readonly RemoteInterface[];
  readonly streaming: boolean;
  readonly pushNotifications: boolean;
  readonly extendedCard: boolean;
  readonly extensions: readonly { readonly uri: string; readonly required: boolean }[];
  /** Where it came from; absent for a card that was handed over. */
  readonly source?: string;
  /** The card itself. */
  readonly raw: JsonObject;
}

/** Where a 1.0 or 0.3 agent's card may be; 0.2 servers and early 0.3 ones used the second. */
const CARD_PATHS = [".well-known/agent-card.json", ".well-known/agent.json"];
const MAX_CARD_BYTES = 1024 * 1024;

/** How a card is fetched. */
export interface FetchCardOptions {
  readonly fetch: GuardedFetch;
  readonly headers: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal;
}

/** A card as it came. */
export interface FetchedCard {
  readonly raw: JsonObject;
  readonly url: string;
  readonly headers: Headers;
}

/** Fetches and reads the card of the agent at `url`; throws as `fetchRawCard` and `readCard` do. */
export async function fetchCard(url: string, options: FetchCardOptions): Promise<RemoteCard> {
  const fetched = await fetchRawCard(url, options);
  return readCard(fetched.raw, fetched.url);
}

/**
 * Fetches the card of the agent at `url`: the card's own URL, or an agent's or a server's, where the well-known paths below it and at the origin are tried.
 * What is there must look like a card, it need not be right. Throws `not-found` with the addresses tried, `unauthenticated`, `forbidden`, and what the fetch throws.
 */
export async function fetchRawCard(url: string, options: FetchCardOptions): Promise<FetchedCard> {
  const tried: string[] = [];
  for (const candidate of cardUrls(url)) {
    // Servers of both versions choose the card's form by this header.
    const headers = { accept: "application/json", "a2a-version": "1.0", ...options.headers };
    const response = await options.fetch(candidate, { headers, limits: { maxBytes: MAX_CARD_BYTES }, ...(options.signal && { signal: options.signal }) });
    if (response.status === 401 || response.status === 403) {
      await response.body?.cancel();
      throw new IasError(response.status === 401 ? "unauthenticated" : "forbidden", `The card at ${candidate} needs credentials (HTTP ${response.status}).`);
    }
    const raw = response.ok ? asObject(parseJson(await response.text())) : undefined;
    if (!response.ok) await response.body?.cancel();
    if (raw !== undefined && looksLikeCard(raw)) return { raw, url: response.url === "" ? candidate : response.url, headers: response.headers };
    tried.push(`${candidate} (${response.ok ? "not an agent card" : `HTTP ${response.status}`})`);
  }
  throw new IasError("not-found", `No agent card at ${tried.join(", ")}.`);
}

/** Reads a card of either version. Throws `invalid-agent-response` when it names no interface that we speak. */
export function readCard(raw: JsonObject, source?: string): RemoteCard {
  const capabilities = asObject(raw["capabilities"]) ?? {};
  const interfaces = [
    ...asArray(raw["supportedInterfaces"]).flatMap((entry) => modernInterface(asObject(entry) ?? {}, source)),
    ...legacyInterfaces(raw, source),
  ];
  if (interfaces.length === 0) {
    throw new IasError(
      "invalid-agent-response",
      "The agent card names no interface that this client speaks (JSONRPC, HTTP+JSON, GRPC or our WebSocket binding of A2A 1.0; JSONRPC or HTTP+JSON of 0.3).",
    );
  }
  return {
    name: asText(raw["name"]) ?? "",
    description: asText(raw["description"]) ?? "",
    version: asText(raw["version"]) ?? "",
    interfaces,
    streaming: capabilities["streaming"] === true,
    pushNotifications: capabilities["pushNotifications"] === true,
    extendedCard: capabilities["extendedAgentCard"] === true || raw["supportsAuthenticatedExtendedCard"] === true,
    extensions: asArray(capabilities["extensions"]).flatMap((entry) => {
      const uri = asText(asObject(entry)?.["uri"]);
      return uri === undefined ? [] : [{ uri, required: asObject(entry)?.["required"] === true }];
    }),
    ...(source !== undefined && { source }),
    raw,
  };
}

/** Whether the agent declares our extension. */
export function declaresCursors(card: RemoteCard): boolean {
  return card.extensions.some((extension) => extension.uri === EXTENSION_URI);
}

/** The first interface of the card (its order is its preference, specification 8.3.2) that is among the wanted bindings and versions. */
export function chooseInterface(
  card: RemoteCard,
  wanted: { readonly bindings?: readonly Binding[]; readonly versions?: readonly ("1.0" | "0.3")[] },
): RemoteInterface {
  const chosen = card.interfaces.find(
    (entry) =>
      (wanted.bindings === undefined || wanted.bindings.includes(entry.binding)) && (wanted.versions === undefined || wanted.versions.includes(entry.version)),
  );
  if (chosen !== undefined) return chosen;
  const offered = card.interfaces.map((entry) => `${entry.binding} ${entry.version}`).join(", ");
  throw new IasError("configuration", `The agent offers ${offered}; none of it is among the wanted bindings and versions.`);
}

function cardUrls(url: string): readonly string[] {
  if (!URL.canParse(url)) throw new IasError("invalid-params", "The agent's URL is not an absolute URL.", { reason: "TARGET_INVALID" });
  const given = new URL(url);
  if (given.pathname.endsWith(".json")) return [given.href];
  const folder = new URL(given.href);
  folder.search = "";
  folder.hash = "";
  if (!folder.pathname.endsWith("/")) folder.pathname += "/";
  const urls = CARD_PATHS.flatMap((path) => [new URL(path, folder).href, new URL(`/${path}`, folder).href]);
  return [...new Set(urls)];
}

function looksLikeCard(card: JsonObject): boolean {
  return ["supportedInterfaces", "url", "skills", "capabilities"].some((name) => card[name] !== undefined);
}

function modernInterface(entry: JsonObject, source: string | undefined): readonly RemoteInterface[] {
  const version = toVersion(asText(entry["protocolVersion"]) ?? "1.0");
  const tenant = asText(entry["tenant"]);
  return toInterface(entry["protocolBinding"], entry["url"], version, source).map((found) => ({
    ...found,
    ...(tenant !== undefined && tenant !== "" && { tenant }),
  }));
}

/** 0.3: `url` with `preferredTransport` (default JSONRPC), then `additionalInterfaces`. */
function legacyInterfaces(raw: JsonObject, source: string | undefined): readonly RemoteInterface[] {
  const version = toVersion(asText(raw["protocolVersion"]) ?? "0.3");
  const first = toInterface(raw["preferredTransport"] ?? "JSONRPC", raw["url"], version, source);
  const more = asArray(raw["additionalInterfaces"]).flatMap((entry) => toInterface(asObject(entry)?.["transport"], asObject(entry)?.["url"], version, source));
  const all = [...first, ...more];
  return all.filter((entry, index) => all.findIndex((other) => other.binding === entry.binding && other.url === entry.url) === index);
}

function toInterface(
  binding: Json | undefined,
  url: Json | undefined,
  version: "1.0" | "0.3" | undefined,
  source: string | undefined,
): readonly RemoteInterface[] {
  const name = asText(binding)?.toUpperCase();
  const address = asText(url);
  if (version === undefined || address === undefined || address === "") return [];
  if (name === "GRPC") return version === "1.0" ? [{ binding: "GRPC", version, url: address }] : [];
  if (binding === A2A_SOCKET_BINDING && version === "1.0") {
    const absolute = toAbsolute(address, source);
    return absolute === undefined ? [] : [{ binding: "WEBSOCKET", version, url: absolute }];
  }
  if (name !== "JSONRPC" && name !== "HTTP+JSON") return [];
  const absolute = toAbsolute(address, source);
  return absolute === undefined ? [] : [{ binding: name, version, url: absolute }];
}

/** Cards of sample servers name the address that they bind (`0.0.0.0`), which nobody can connect to: the card's own host is meant. */
function toAbsolute(url: string, source: string | undefined): string | undefined {
  if (!URL.canParse(url, source)) return undefined;
  const absolute = new URL(url, source);
  if (source !== undefined && (absolute.hostname === "0.0.0.0" || absolute.hostname === "[::]")) absolute.hostname = new URL(source).hostname;
  return absolute.href;
}

/** Major.Minor decides (specification 3.6); 0.2 and older are not spoken. */
function toVersion(text: string): "1.0" | "0.3" | undefined {
  if (/^1\.\d+/.test(text)) return "1.0";
  return /^0\.3(\.|$)/.test(text) ? "0.3" : undefined;
}

function parseJson(text: string): Json {
  try {
    return JSON.parse(text) as Json;
  } catch {
    return null;
  }
}
