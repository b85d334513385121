import { setImmediate as nextTurn } from "node:timers/promises";
import type { CardForm } from "../a2a/card/page.ts";
import { handleJsonRpc } from "../a2a/jsonrpc/handler.ts";
import type { Operations } from "../a2a/operations.ts";
import { withTransport } from "../a2a/reader-limit.ts";
import { handleRest } from "../a2a/rest/handler.ts";
import { createV03Rpc } from "../a2a/v0_3/jsonrpc.ts";
import { createV03Rest } from "../a2a/v0_3/rest.ts";
import type { Agent, AgentOptions } from "../engine/agent.ts";
import { createAgentsPage } from "../gateway/agents-page.ts";
import { createGateway, type Gateway } from "../gateway/gateway.ts";
import { checkRequest, type Guards } from "../gateway/guards.ts";
import { healthPage } from "../gateway/health.ts";
import { createInspectorPages } from "../gateway/inspector-page.ts";
import type { CampaignDirectory } from "../campaign/web/directory.ts";
import type { Durability } from "../log/log.ts";
import type { Store } from "../log/store.ts";
import type { BlobStore } from "../media/blobs.ts";
import type { IasError } from "../model/errors.ts";
import { keyText, type StreamKey } from "../model/key.ts";
import { DEFAULT_UPLOAD_TYPES } from "../model/limits.ts";
import type { GuardedFetch } from "../net/guarded-fetch.ts";
import { joinPages, type Page } from "../net/page.ts";
import { joinRoutes, type Route } from "../net/route.ts";
import type { SocketRoute } from "../socket/socket.ts";
import { type Closer, createCloser } from "../stream/closer.ts";
import { createHeartbeatWheel, type HeartbeatWheel } from "../stream/heartbeat.ts";
import type { TaskSearch } from "../search/search.ts";
import type { Secrets } from "../tenancy/secrets.ts";
import { createCampaignDirectory } from "./campaign-directory.ts";
import { type Core, wireCore } from "./core.ts";
import { openGrpc, openHttp } from "./open-ports.ts";
import { checkSettings, DEFAULT_SETTINGS, grpcAddressOf, reachedAt, RESULTS_DIR, type Settings } from "./settings.ts";
import { wireApi } from "./wire-api.ts";
import { wireSockets } from "./wire-sockets.ts";

/** What a server of recipe R1 is made of: agents over a store. `serve` opens the store by itself. */
export interface ServerOptions extends Partial<Settings> {
  /** The first is the default agent, whose card stands at `/.well-known/agent-card.json`. */
  readonly agents: readonly (Agent | AgentOptions)[];
  /** Stays the caller's to dispose, after the server. */
  readonly store: Store;
  /** Seals webhooks' tokens and credentials in the store. Default: a key kept in the store itself; give another where copies of the store get about. */
  readonly secrets?: Secrets;
  /** Full-text search of tasks, filled while the server runs; stays the caller's to dispose, after the server. Default: none. */
  readonly search?: TaskSearch;
  /** Bytes of files; stays the caller's to dispose. Default: in memory. */
  readonly blobs?: BlobStore;
  /** The way out to addresses that callers choose; stays the caller's to dispose. Default: public addresses, loopback with `allowLocalTargets`. */
  readonly fetch?: GuardedFetch;
  /** The card's form for readers that name no version; `merged` unless a test suite wants one alone. */
  readonly bareCard?: CardForm;
  /** Whether cards declare A2A over WebSocket; true, unless readers do not take a binding of our own. It is served all the same. */
  readonly declareWebSocket?: boolean;
  /** Pages beside A2A's, asked after them. */
  readonly pages?: readonly Page[];
  /** Routes beside A2A's, asked before the server's own. */
  readonly routes?: readonly Route[];
  /** WebSocket endpoints beside the server's own. */
  readonly socketRoutes?: readonly SocketRoute[];
  /** The agents are the built-in ones on their script: the inspector may show them talking on its first visit, which costs nothing. */
  readonly demo?: boolean;
  /** Hears of failures that are not a caller's fault. Default: one line on stderr. */
  readonly report?: (error: IasError, key?: StreamKey) => void;
}

/** A running server. Disposing drains it without grace. */
export interface Server extends AsyncDisposable {
  /** Where it is reached: `publicUrl`, or where it listens. */
  readonly url: string;
  readonly port: number;
  /** Where gRPC is reached, `host:port`: `grpcPublicAddress`, the host of `publicUrl`, or where it listens. */
  readonly grpcAddress?: string;
  readonly agents: ReadonlyMap<string, Agent>;
  readonly durability: Durability;
  /** How long running turns get when the server stops, ms (`drainGraceMs`). */
  readonly drainGraceMs: number;
  readonly operations: Operations;
  /** Takes no new work, lets running turns go on for `graceMs`, then ends streams and connections. What is left over goes on after the next start. */
  drain(options: { readonly graceMs: number }): Promise<void>;
}

/** Wires recipe R1: gateway, operations and inline runtime over one store. Throws `configuration`; then nothing stays open. */
export async function startServer(options: ServerOptions): Promise<Server> {
  const settings: Settings = { ...DEFAULT_SETTINGS, ...options };
  checkSettings(settings);
  const closer = createCloser();
  try {
    return await openServer(options, settings, closer);
  } catch (error) {
    await closer.close();
    throw error;
  }
}

/** Opens all that a server has; how each is closed is left with `closer`. */
async function openServer(options: ServerOptions, settings: Settings, closer: Closer): Promise<Server> {
  const { store, report = reportLine } = options;
  const where: { origin: string; grpc?: string } = { origin: settings.publicUrl ?? "" };
  const core = await wireCore({ ...options, settings, report, where, closer });
  const { limits, agents, operations } = core;
  const guards = toGuards(settings);
  let stopped: Promise<void> | undefined;
  const wheel = createHeartbeatWheel({ periodMs: limits.heartbeatMs });
  const campaigns = openCampaigns(settings, closer);
  const gateway = wireGateway(options, { core, campaigns, guards, wheel, origin: () => where.origin, isUp: () => stopped === undefined, report });
  const port = await openHttp(settings, gateway, { wheel, closer });
  const grpc = await openGrpc(settings, closer, {
    ...core,
    operations: withTransport(operations, "grpc"),
    checkRequest: (headers) => checkRequest(guards, headers),
    logId: store.log.id,
    report,
  });
  if (grpc !== undefined) where.grpc = grpcAddressOf(settings, grpc.port);
  if (where.origin === "") where.origin = `http://${reachedAt(settings.host)}:${port}`;
  if (!settings.readOnly) await core.push.start();

  const stop = async (graceMs: number): Promise<void> => {
    await core.runtime.drain({ graceMs });
    // Stores tell their readers of the last commits in the next turn of the event loop, and these pass them on in the one after.
    await nextTurn();
    await nextTurn();
    const ended = gateway.endStreams();
    grpc?.drain();
    await ended;
    await closer.close();
  };
  const drain = ({ graceMs }: { readonly graceMs: number }): Promise<void> => (stopped ??= stop(graceMs));
  return {
    url: where.origin,
    port,
    ...(where.grpc !== undefined && { grpcAddress: where.grpc }),
    agents,
    durability: store.log.durability,
    drainGraceMs: limits.drainGraceMs,
    operations,
    drain,
    [Symbol.asyncDispose]: () => drain({ graceMs: 0 }),
  };
}

/** What the gateway is wired from, beside the server's options. */
interface GatewayWiring {
  readonly core: Core;
  readonly campaigns: CampaignDirectory | undefined;
  readonly guards: Guards;
  readonly wheel: HeartbeatWheel;
  readonly origin: () => string;
  /** False once it stops: balancers are told. */
  readonly isUp: () => boolean;
  readonly report: NonNullable<ServerOptions["report"]>;
}

/** JSON-RPC and REST of both protocol versions, and the pages beside them. */
function wireGateway(
  { store, search, pages = [], routes = [], socketRoutes = [], demo = false, uploadTypes = DEFAULT_UPLOAD_TYPES }: ServerOptions,
  { core, campaigns, guards, wheel, origin, isUp, report }: GatewayWiring,
): Gateway {
  const { limits, agents, operations } = core;
  const logId = store.log.id;
  const wired = wireApi({ core, store, search, campaigns, uploadTypes, demo, origin, report });
  const byRpc = withTransport(operations, "jsonrpc");
  const byRest = withTransport(operations, "rest");
  const v03Rpc = createV03Rpc({ logId });
  const v03Rest = createV03Rest({ logId, limits });
  const inspector = createInspectorPages();
  return createGateway({
    operations,
    agents,
    jsonRpc: (_, request) => handleJsonRpc(byRpc, request, { limits, v0_3: v03Rpc }),
    rest: (_, request) => handleRest(byRest, request, { limits, v0_3: v03Rest }),
    authenticate: wired.authenticate,
    pages: joinPages(...core.pages, healthPage(isUp), createAgentsPage(agents, origin), inspector.own, ...pages),
    lost: inspector.lost,
    routes: joinRoutes(...routes, wired.route),
    sockets: wireSockets({ core, api: wired.api, admit: wired.admit, logId, socketRoutes, wheel, report }),
    limits,
    guards,
    logId,
    wheel,
    report,
  });
}

/** Campaigns in the browser, where settings name a folder of them or of their results. */
function openCampaigns(
  { campaignsDir, resultsDir = campaignsDir === undefined ? undefined : RESULTS_DIR }: Settings,
  closer: Closer,
): CampaignDirectory | undefined {
  if (resultsDir === undefined) return undefined;
  const campaigns = createCampaignDirectory({ results: resultsDir, ...(campaignsDir !== undefined && { files: campaignsDir }) });
  closer.add(async () => campaigns[Symbol.asyncDispose]());
  return campaigns;
}

function toGuards(settings: Settings): Guards {
  return {
    allowedHosts: new Set([...settings.allowedHosts.map((name) => name.toLowerCase()), ...hostsOf(settings)]),
    // Proxies that give us another Host than they got would make the server's own pages foreign ones.
    allowedOrigins: new Set([...settings.allowedOrigins, ...(settings.publicUrl === undefined ? [] : [new URL(settings.publicUrl).origin])]),
  };
}

/** The hosts of `publicUrl` and `grpcPublicAddress` are served without being named again. */
function hostsOf({ publicUrl, grpcPublicAddress }: Settings): readonly string[] {
  const named = [
    ...(publicUrl === undefined ? [] : [new URL(publicUrl)]),
    ...(grpcPublicAddress === undefined ? [] : [new URL(`http://${grpcPublicAddress}`)]),
  ];
  return named.map(({ hostname }) => hostname.replace(/^\[|\]$/g, ""));
}

function reportLine(error: IasError, key?: StreamKey): void {
  const cause = error.cause instanceof Error ? (error.cause.stack ?? error.cause.message) : undefined;
  process.stderr.write(
    `${new Date().toISOString()} ${error.code} ${error.message}${key === undefined ? "" : ` (${keyText(key)})`}${cause === undefined ? "" : `\n${cause}`}\n`,
  );
}
