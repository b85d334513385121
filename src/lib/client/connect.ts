import { setTimeout as delay } from "node:timers/promises";
import type { JsonObject } from "../model/a2a.ts";
import { IasError } from "../model/errors.ts";
import { createGuardedFetch, type GuardedFetch } from "../net/guarded-fetch.ts";
import type { BackoffOptions } from "./backoff.ts";
import { type Binding, chooseInterface, fetchCard, readCard, type RemoteCard, type RemoteInterface } from "./card.ts";
import type { A2AClient } from "./client.ts";
import { createClient } from "./create-client.ts";
import { createJsonRpcWire } from "./jsonrpc.ts";
import { createRestWire } from "./rest.ts";
import { createWebSocketWire } from "./websocket.ts";
import type { Wire } from "./wire.ts";

/** How to reach an agent. */
export interface ConnectOptions {
  /** Sent with every request to the origin that was named, credentials among them; to another origin that the card names only if it is in `credentialOrigins`. */
  readonly headers?: Readonly<Record<string, string>>;
  readonly credentialOrigins?: readonly string[];
  /** Bindings and versions that may be used; the card's order decides among them. */
  readonly bindings?: readonly Binding[];
  readonly versions?: readonly ("1.0" | "0.3")[];
  /** Extensions to activate beside our own. */
  readonly extensions?: readonly string[];
  /** The way out. Without one the client makes its own, for public addresses only, and closes it. */
  readonly fetch?: GuardedFetch;
  /** For the client's own way out: loopback targets may be reached. */
  readonly allowLocal?: boolean;
  /** For the client's own way out: private ranges may be reached, because the operator chose the agent. */
  readonly allowPrivate?: boolean;
  /** Largest answer of a call, bytes; 32 MiB. */
  readonly maxResponseBytes?: number;
  /** Longest wait for the answer of a call, ms; 10 min, because a blocking send may take as long as the task. */
  readonly callTimeoutMs?: number;
  /** Silence on a stream after which the connection counts as lost, ms; 45 s where the agent's heartbeats are known (our extension), else 5 min. */
  readonly idleTimeoutMs?: number;
  /** Lost connections in a row, without news between them, before a stream gives up with `unavailable`; 10. */
  readonly maxReconnects?: number;
  readonly backoff?: Partial<BackoffOptions>;
  /** Of agents that cannot be streamed from; 1 s, backing off to 10 s. */
  readonly poll?: Partial<BackoffOptions>;
  /** In [0, 1), for the jitter. */
  readonly random?: () => number;
  readonly signal?: AbortSignal;
}

/**
 * Connects to a remote A2A agent: by its URL (an agent's, a server's or a card's) or by its card. Nothing but the card is fetched.
 * Throws `IasError`: `not-found` and `invalid-agent-response` for cards, `configuration` when no offered interface is wanted, and what the guarded fetch throws.
 */
export async function connectA2A(target: string | JsonObject, options: ConnectOptions = {}): Promise<A2AClient> {
  const fetch = options.fetch ?? createGuardedFetch({ allowLocal: options.allowLocal ?? false, allowPrivate: options.allowPrivate ?? false });
  const headers = lowerCase(options.headers ?? {});
  try {
    const card = typeof target === "string" ? await fetchCard(target, { fetch, headers, ...(options.signal && { signal: options.signal }) }) : readCard(target);
    const remote = chooseInterface(card, options);
    const wire = await createWire(remote, { ...options, fetch, headers: trustedHeaders(card, remote, headers, options) });
    return createClient({
      card,
      remote,
      wire,
      maxReconnects: options.maxReconnects ?? 10,
      backoff: { baseMs: 250, maxMs: 15_000, ...options.backoff },
      poll: { baseMs: 1000, maxMs: 10_000, ...options.poll },
      ...(options.idleTimeoutMs !== undefined && { idleTimeoutMs: options.idleTimeoutMs }),
      random: options.random ?? Math.random,
      sleep,
      dispose: async () => {
        if (options.fetch === undefined) await fetch[Symbol.asyncDispose]();
      },
    });
  } catch (error) {
    if (options.fetch === undefined) await fetch[Symbol.asyncDispose]();
    throw error;
  }
}

async function createWire(
  remote: RemoteInterface,
  options: ConnectOptions & { readonly fetch: GuardedFetch; readonly headers: Readonly<Record<string, string>> },
): Promise<Wire> {
  const http = {
    fetch: options.fetch,
    url: remote.url,
    version: remote.version,
    ...(remote.tenant !== undefined && { tenant: remote.tenant }),
    headers: options.headers,
    extensions: options.extensions ?? [],
    maxResponseBytes: options.maxResponseBytes ?? 32 * 1024 * 1024,
    callTimeoutMs: options.callTimeoutMs ?? 600_000,
  };
  if (remote.binding === "JSONRPC") return createJsonRpcWire(http);
  if (remote.binding === "HTTP+JSON") return createRestWire(http);
  if (remote.binding === "WEBSOCKET") return createWebSocketWire(http);
  // Loaded when needed: the protobuf runtime is most of a small client's start.
  const { createGrpcWire } = await import("./grpc.ts");
  return createGrpcWire(http);
}

/** A card can name any address as its agent's: credentials follow only to the origin that the caller named (for gRPC, whose port differs, the host). */
function trustedHeaders(
  card: RemoteCard,
  remote: RemoteInterface,
  headers: Readonly<Record<string, string>>,
  options: ConnectOptions,
): Readonly<Record<string, string>> {
  if (card.source === undefined) return headers;
  const named = new URL(card.source);
  const target = new URL(/^[a-z][a-z0-9+.-]*:\/\//i.test(remote.url) ? remote.url : `https://${remote.url}`);
  if (remote.binding === "WEBSOCKET") target.protocol = target.protocol.replace("ws", "http");
  const isSame = remote.binding === "GRPC" ? target.hostname === named.hostname : target.origin === named.origin;
  return isSame || options.credentialOrigins?.includes(target.origin) === true ? headers : {};
}

function lowerCase(headers: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));
}

async function sleep(ms: number, signal: AbortSignal | undefined): Promise<void> {
  try {
    await delay(ms, undefined, signal === undefined ? {} : { signal });
  } catch (error) {
    throw new IasError("aborted", "The stream was aborted.", { cause: error });
  }
}
