import { createServer as createHttpServer } from "node:http";
import type { AddressInfo } from "node:net";
import { createOperations } from "../a2a/create-operations.ts";
import { handleJsonRpc } from "../a2a/jsonrpc/handler.ts";
import { startGrpc } from "../a2a/grpc/serve.ts";
import type { Operations } from "../a2a/operations.ts";
import { handleRest, restError } from "../a2a/rest/handler.ts";
import type { Cards, PushConfigs } from "../a2a/server.ts";
import type { Agent } from "../engine/agent.ts";
import { createGateway } from "../gateway/gateway.ts";
import type { Store } from "../log/store.ts";
import { createInlineMedia } from "../media/media.ts";
import { IasError } from "../model/errors.ts";
import type { Principal, StreamKey } from "../model/key.ts";
import { DEFAULT_LIMITS, type Limits } from "../model/limits.ts";
import { createInlineRuntime } from "../runtime/inline.ts";
import { createHeartbeatWheel } from "../stream/heartbeat.ts";
import { conversationHistory, referencedTasks } from "../task/lookup.ts";
import { createTaskViews } from "../task/view.ts";

export interface ServerOptions {
  readonly agents: readonly Agent[];
  readonly store: Store;
  readonly limits?: Partial<Limits>;
  readonly host?: string;
  readonly port?: number;
  /** Serves gRPC too; 0 takes a free port. */
  readonly grpcPort?: number;
  readonly report?: (error: IasError, key?: StreamKey) => void;
}

export interface Server extends AsyncDisposable {
  readonly url: string;
  readonly port: number;
  /** Where gRPC listens, without a scheme. */
  readonly grpcAddress?: string;
  readonly operations: Operations;
  drain(options: { readonly graceMs: number }): Promise<void>;
}

/** Wires recipe R1: gateway, operations and inline runtime over one store. */
export async function startServer(options: ServerOptions): Promise<Server> {
  const limits: Limits = { ...DEFAULT_LIMITS, ...options.limits };
  const { store } = options;
  const agents = new Map(options.agents.map((agent) => [agent.id, agent]));
  const views = createTaskViews(store.log);
  const media = createInlineMedia();
  const owner = `${process.pid}`;
  const now = Date.now;
  const report = options.report ?? ((error) => console.error(error));
  const runtime = createInlineRuntime({
    store,
    agents,
    limits,
    media,
    now,
    owner,
    report,
    history: (key, context, createdAt) => conversationHistory({ index: store.index, views }, { key, context, createdAt, limit: limits.maxHistoryMessages }),
    references: (key, messages) => referencedTasks(views, key, messages),
  });
  const unsupported = async (): Promise<never> => {
    throw new IasError("unsupported-operation", "not yet");
  };
  const push: PushConfigs = { create: unsupported, get: unsupported, list: unsupported, delete: unsupported };
  const cards: Cards = { card: unsupported, extended: unsupported };
  const operations = createOperations({ store, views, agents, runtime, media, limits, push, cards, owner, now, report });
  const authenticate = async (): Promise<Principal> => ({ tenant: "", user: "local" });
  const wheel = createHeartbeatWheel({ periodMs: limits.heartbeatMs });
  const gateway = createGateway({
    operations,
    agents,
    jsonRpc: (ops, request) => handleJsonRpc(ops, request, { maxJsonDepth: limits.maxJsonDepth, v0_3: async () => undefined }),
    rest: (ops, request) =>
      handleRest(ops, request, {
        maxJsonDepth: limits.maxJsonDepth,
        v0_3: async () => restError(new IasError("version-not-supported", "A2A 0.3 is not served here.")),
      }),
    authenticate,
    pages: async () => undefined,
    limits,
    guards: { allowedHosts: new Set(), allowedOrigins: new Set() },
    logId: store.log.id,
    wheel,
    report,
  });
  const http = createHttpServer(gateway.handle);
  await new Promise<void>((resolve, reject) => http.once("error", reject).listen(options.port ?? 0, options.host ?? "127.0.0.1", resolve));
  const { port } = http.address() as AddressInfo;
  const [defaultAgent = ""] = agents.keys();
  const host = options.host ?? "127.0.0.1";
  const grpc =
    options.grpcPort === undefined
      ? undefined
      : await startGrpc({ operations, agents, defaultAgent, logId: store.log.id, limits, authenticate, report, host, port: options.grpcPort });
  const drain = async ({ graceMs }: { graceMs: number }): Promise<void> => {
    await runtime.drain({ graceMs });
    gateway.endStreams();
    grpc?.drain();
    http.close();
    http.closeIdleConnections();
  };
  return {
    url: `http://127.0.0.1:${port}`,
    port,
    ...(grpc !== undefined && { grpcAddress: `${host}:${grpc.port}` }),
    operations,
    drain,
    async [Symbol.asyncDispose]() {
      await drain({ graceMs: 0 });
      http.closeAllConnections();
      await grpc?.[Symbol.asyncDispose]();
    },
  };
}
