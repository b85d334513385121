import { createServer as createHttpServer } from "node:http";
import { randomBytes } from "node:crypto";
import { hostname } from "node:os";
import { createCards } from "../a2a/card.ts";
import type { CardForm } from "../a2a/card/page.ts";
import { createOperations } from "../a2a/create-operations.ts";
import { type GrpcServer, startGrpc } from "../a2a/grpc/serve.ts";
import { handleJsonRpc } from "../a2a/jsonrpc/handler.ts";
import type { Operations } from "../a2a/operations.ts";
import { handleRest } from "../a2a/rest/handler.ts";
import { createV03Rpc } from "../a2a/v0_3/jsonrpc.ts";
import { createV03Rest } from "../a2a/v0_3/rest.ts";
import { createPush } from "../a2a/push/push.ts";
import { createJwksPage, loadSigningKey } from "../a2a/signing-key.ts";
import type { Agent, AgentOptions } from "../engine/agent.ts";
import { defineAgent } from "../engine/define-agent.ts";
import { createAgentsPage } from "../gateway/agents-page.ts";
import { createGateway } from "../gateway/gateway.ts";
import type { Durability } from "../log/log.ts";
import type { Store } from "../log/store.ts";
import type { BlobStore } from "../media/blobs.ts";
import { createMemoryBlobs } from "../media/memory.ts";
import { createMedia } from "../media/stored-media.ts";
import { IasError } from "../model/errors.ts";
import { keyText, type StreamKey } from "../model/key.ts";
import { DEFAULT_LIMITS, type Limits } from "../model/limits.ts";
import { createGuardedFetch } from "../net/guarded-fetch.ts";
import { joinPages, type Page } from "../net/page.ts";
import { createInlineRuntime } from "../runtime/inline.ts";
import { startUpkeep } from "../runtime/upkeep.ts";
import { systemClock } from "../stream/clock.ts";
import { createHeartbeatWheel } from "../stream/heartbeat.ts";
import { conversationHistory, referencedTasks } from "../task/lookup.ts";
import { createTaskViews } from "../task/view.ts";
import { createSecrets, type Secrets } from "../tenancy/secrets.ts";
import { healthPage } from "../gateway/health.ts";
import { createTryPage } from "../gateway/try-page.ts";
import { openAuthenticator, readSigningKey } from "./authenticators.ts";
import { firstFree, listen } from "./listen.ts";
import { checkSettings, DEFAULT_SETTINGS, isLoopbackHost, type Settings } from "./settings.ts";

/** Ports when none is asked for; the next free one is taken. */
const HTTP_PORT = 4000;
const GRPC_PORT = 4001;

/** What a server of recipe R1 is made of: agents over a store. `serve` opens the store by itself. */
export interface ServerOptions extends Partial<Settings> {
  /** The first is the default agent, whose card stands at `/.well-known/agent-card.json`. */
  readonly agents: readonly (Agent | AgentOptions)[];
  /** Stays the caller's to dispose, after the server. */
  readonly store: Store;
  /** Seals webhooks' tokens and credentials in the store. Default: a key of this process, so that they do not outlive it. */
  readonly secrets?: Secrets;
  /** Bytes of files; stays the caller's to dispose. Default: in memory. */
  readonly blobs?: BlobStore;
  /** The card's form for readers that name no version; `merged` unless a test suite wants one alone. */
  readonly bareCard?: CardForm;
  /** Pages beside A2A's, asked after them. */
  readonly pages?: readonly Page[];
  /** Hears of failures that are not a caller's fault. Default: one line on stderr. */
  readonly report?: (error: IasError, key?: StreamKey) => void;
}

/** A running server. Disposing drains it without grace. */
export interface Server extends AsyncDisposable {
  /** Where it is reached: `publicUrl`, or where it listens. */
  readonly url: string;
  readonly port: number;
  /** Where gRPC listens, `host:port`. */
  readonly grpcAddress?: string;
  readonly agents: ReadonlyMap<string, Agent>;
  readonly durability: Durability;
  /** How long running turns get when the server stops, ms (`drainGraceMs`). */
  readonly drainGraceMs: number;
  readonly operations: Operations;
  /** Takes no new work, lets running turns go on for `graceMs`, then ends streams and connections. What is left over goes on after the next start. */
  drain(options: { readonly graceMs: number }): Promise<void>;
}

/** Wires recipe R1: gateway, operations and inline runtime over one store. Throws `configuration`. */
export async function startServer(options: ServerOptions): Promise<Server> {
  const settings: Settings = { ...DEFAULT_SETTINGS, ...options };
  checkSettings(settings);
  const limits: Limits = { ...DEFAULT_LIMITS, ...settings.limits };
  const agents = readAgents(options.agents);
  const { store, report = reportLine } = options;
  const now = Date.now;
  const owner = `${hostname()}:${process.pid}`;
  const wheel = createHeartbeatWheel({ periodMs: limits.heartbeatMs });
  const outgoing = createGuardedFetch({ allowLocal: settings.allowLocalTargets });
  const authenticator = await openAuthenticator(settings.auth, { now, report });
  let stopped: Promise<void> | undefined;
  let origin = settings.publicUrl ?? "";

  const blobs = options.blobs ?? createMemoryBlobs();
  const views = createTaskViews(store.log);
  const media = await createMedia(blobs, {
    records: store.records,
    limits,
    origin: () => origin,
    fetch: outgoing,
    task: (key) => views.with(key, (view) => view.fold.task()),
    now,
  });
  const history = (key: StreamKey, context: string, createdAt: number) =>
    conversationHistory({ index: store.index, views }, { key, context, createdAt, limit: limits.maxHistoryMessages });
  const references = (key: StreamKey, messages: Parameters<typeof referencedTasks>[2]) => referencedTasks(views, key, messages);
  const runtime = createInlineRuntime({ store, agents, limits, media, now, owner, report, history, references });
  const upkeep = startUpkeep({ store, agents, limits, release: (key) => blobs.release(key), now, report });
  const cardKey = settings.cardKeyFile === undefined ? undefined : await readSigningKey(settings.cardKeyFile);
  const signingKey = cardKey ?? (await loadSigningKey(store.records));
  const push = createPush({
    log: store.log,
    records: store.records,
    views,
    media,
    fetch: outgoing,
    signingKey,
    issuer: () => origin,
    limits,
    secrets: options.secrets ?? createSecrets(randomBytes(32)),
    clock: systemClock,
    random: Math.random,
    mayReply: (agent) => agents.get(agent)?.replies !== "task",
    report,
  });
  let grpcAddress: string | undefined;
  const cards = createCards({
    agents,
    origin: () => origin,
    grpc: () => grpcAddress,
    schemes: authenticator.schemes,
    ...(cardKey !== undefined && { signingKey: cardKey }),
    ...(options.bareCard !== undefined && { bare: options.bareCard }),
    now,
  });
  const operations = createOperations({ store, views, agents, runtime, media, limits, push, cards, owner, now, report });

  const authenticate = (request: Parameters<typeof authenticator.authenticate>[0]) => authenticator.authenticate(request);
  const v03Rpc = createV03Rpc({ logId: store.log.id });
  const v03Rest = createV03Rest({ logId: store.log.id, maxJsonDepth: limits.maxJsonDepth });
  const gateway = createGateway({
    operations,
    agents,
    jsonRpc: (ops, request) => handleJsonRpc(ops, request, { maxJsonDepth: limits.maxJsonDepth, v0_3: v03Rpc }),
    rest: (ops, request) => handleRest(ops, request, { maxJsonDepth: limits.maxJsonDepth, v0_3: v03Rest }),
    authenticate,
    pages: joinPages(
      cards.page,
      media.page,
      healthPage(() => stopped === undefined),
      createJwksPage([signingKey]),
      createAgentsPage(agents, () => origin),
      createTryPage(agents),
      ...(options.pages ?? []),
    ),
    limits,
    guards: { allowedHosts: new Set([...settings.allowedHosts, ...hostOf(settings)]), allowedOrigins: new Set(settings.allowedOrigins) },
    logId: store.log.id,
    wheel,
    report,
  });
  const http = createHttpServer(gateway.handle);
  const port = await firstFree(settings.port, HTTP_PORT, (tried) => listen(http, settings.host, tried));
  const [defaultAgent = ""] = agents.keys();
  const grpc: GrpcServer | undefined =
    settings.grpcPort === false
      ? undefined
      : await firstFree(settings.grpcPort, GRPC_PORT, (tried) =>
          startGrpc({ operations, agents, defaultAgent, logId: store.log.id, limits, authenticate, report, host: settings.host, port: tried }),
        );
  if (grpc !== undefined) grpcAddress = `${reachedAt(settings)}:${grpc.port}`;
  if (origin === "") origin = `http://${reachedAt(settings)}:${port}`;
  await push.start();

  const stop = async (graceMs: number): Promise<void> => {
    await runtime.drain({ graceMs });
    gateway.endStreams();
    grpc?.drain();
    http.close();
    http.closeIdleConnections();
    await push[Symbol.asyncDispose]();
    await grpc?.[Symbol.asyncDispose]();
    await upkeep[Symbol.asyncDispose]();
    await authenticator[Symbol.asyncDispose]();
    await outgoing[Symbol.asyncDispose]();
    wheel[Symbol.dispose]();
    http.closeAllConnections();
  };
  const drain = ({ graceMs }: { readonly graceMs: number }): Promise<void> => (stopped ??= stop(graceMs));
  return {
    url: origin,
    port,
    ...(grpcAddress !== undefined && { grpcAddress }),
    agents,
    durability: store.log.durability,
    drainGraceMs: limits.drainGraceMs,
    operations,
    drain,
    [Symbol.asyncDispose]: () => drain({ graceMs: 0 }),
  };
}

function readAgents(given: ServerOptions["agents"]): ReadonlyMap<string, Agent> {
  const agents = new Map<string, Agent>();
  for (const agent of given.map(defineAgent)) {
    if (agents.has(agent.id)) throw new IasError("configuration", `Two agents have the id ${JSON.stringify(agent.id)}; each needs its own.`);
    agents.set(agent.id, agent);
  }
  if (agents.size === 0) throw new IasError("configuration", "There is no agent to serve; give at least one in `agents`.");
  return agents;
}

/** How this machine reaches a server that listens on `host`. */
function reachedAt({ host }: Settings): string {
  return !isLoopbackHost(host) ? "127.0.0.1" : host.includes(":") ? `[${host}]` : host;
}

/** The host of `publicUrl` is served without being named again. */
function hostOf(settings: Settings): readonly string[] {
  return settings.publicUrl === undefined ? [] : [new URL(settings.publicUrl).hostname];
}

function reportLine(error: IasError, key?: StreamKey): void {
  const cause = error.cause instanceof Error ? (error.cause.stack ?? error.cause.message) : undefined;
  process.stderr.write(
    `${new Date().toISOString()} ${error.code} ${error.message}${key === undefined ? "" : ` (${keyText(key)})`}${cause === undefined ? "" : `\n${cause}`}\n`,
  );
}
