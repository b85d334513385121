import type { JsonObject } from "../../src/lib/model/a2a.ts";
import type { A2AClient } from "../../src/lib/client/client.ts";
import { connectA2A } from "../../src/lib/client/connect.ts";
import { jsonRpcClient, restClient } from "../bindings/clients.ts";
import { grpcClient } from "../bindings/grpc-client.ts";
import { websocketClient } from "../bindings/websocket-client.ts";
import type { BindingClient } from "../bindings/wire.ts";
import { startCuttingProxy } from "./cutting-proxy.ts";
import type { ServerProcess } from "./server-process.ts";

export const BINDINGS = ["JSONRPC", "HTTP+JSON", "GRPC", "WEBSOCKET"] as const;
export type BindingName = (typeof BINDINGS)[number];

/** A way to one binding of a server process that a test can cut; the way stays when the process behind it changes. */
export interface Way extends AsyncDisposable {
  readonly binding: BindingName;
  readonly cuts: number;
  /** Leads to another process from here on. */
  leadTo(server: ServerProcess): void;
  /** A raw client of an agent's JSON-RPC, REST, WebSocket or gRPC (there of the first agent, or of the one that the tenant names). */
  raw(agent: string): BindingClient;
  /** Our own client of that agent. `card` is asked of the server directly. */
  client(server: ServerProcess, agent: string, options?: { readonly maxReconnects?: number }): Promise<A2AClient>;
}

/** `cutAfter` as for the proxy: bytes of answer after which the nth connection is cut. */
export async function openWay(binding: BindingName, cutAfter: (connection: number) => number | undefined): Promise<Way> {
  const proxy = await startCuttingProxy(cutAfter);
  const portOf = (server: ServerProcess): number => (binding === "GRPC" ? server.grpcPort : server.port);
  return {
    binding,
    get cuts() {
      return proxy.cuts;
    },
    leadTo(server) {
      proxy.target = portOf(server);
    },
    raw(agent) {
      const base = `http://127.0.0.1:${proxy.port}/a2a/${agent}`;
      if (binding === "JSONRPC") return jsonRpcClient(base);
      if (binding === "WEBSOCKET") return websocketClient(`${base}/ws`);
      return binding === "HTTP+JSON" ? restClient(`${base}/rest`) : withTenant(grpcClient(`127.0.0.1:${proxy.port}`), agent);
    },
    async client(server, agent, options = {}) {
      const text = await (await fetch(`${server.url}/a2a/${agent}/.well-known/agent-card.json`, { headers: { "a2a-version": "1.0" } })).text();
      const card = JSON.parse(text.replaceAll(`127.0.0.1:${portOf(server)}`, `127.0.0.1:${proxy.port}`)) as JsonObject;
      return connectA2A(card, { allowLocal: true, bindings: [binding], backoff: { baseMs: 5, maxMs: 100 }, maxReconnects: options.maxReconnects ?? 200 });
    },
    [Symbol.asyncDispose]: () => proxy[Symbol.asyncDispose](),
  };
}

/** gRPC has one service for all agents; the tenant says which. */
function withTenant(client: BindingClient, tenant: string): BindingClient {
  return {
    ...client,
    call: (operation, params, headers) => client.call(operation, { tenant, ...params }, headers),
    stream: (operation, params, headers, signal) => client.stream(operation, { tenant, ...params }, headers, signal),
  };
}
