import { IasError } from "../../model/errors.ts";
import type { Sdk, SdkAgent } from "./sdk.ts";

/** An MCP server that the engine starts or calls, and closes. */
export type McpServer =
  /** A program of this machine that speaks MCP on its standard input and output. Its environment is `env` and no more than a shell needs. */
  | {
      readonly command: string;
      readonly args?: readonly string[];
      readonly env?: Readonly<Record<string, string>>;
      readonly cwd?: string;
      readonly name?: string;
    }
  /** A server over streamable HTTP. */
  | { readonly url: string; readonly headers?: Readonly<Record<string, string>>; readonly name?: string };

export interface McpConnections {
  /** Connects all servers (the first call does; later ones wait for it, or repeat what failed) and gives them to `agent`. */
  connect(sdk: Sdk, agent: SdkAgent): Promise<void>;
  close(): Promise<void>;
}

/** The engine's own MCP servers: connected before the first turn that needs them, shared by all turns, closed with the engine. */
export function createMcpConnections(servers: readonly McpServer[]): McpConnections {
  let connecting: Promise<readonly Connection[]> | undefined;
  let given = false;
  let closed = false;
  return {
    async connect(sdk, agent) {
      if (servers.length === 0) return;
      if (closed) throw new IasError("unavailable", "The engine was closed.");
      connecting ??= connectAll(sdk, servers);
      let connections: readonly Connection[];
      try {
        connections = await connecting;
      } catch (error) {
        connecting = undefined;
        throw error;
      }
      if (given) return;
      given = true;
      agent.mcpServers = [...agent.mcpServers, ...connections];
    },
    async close() {
      closed = true;
      const connections = await connecting?.catch(() => []);
      await Promise.allSettled((connections ?? []).map((one) => one.close()));
    },
  };
}

interface Connection {
  readonly name: string;
  connect(): Promise<void>;
  close(): Promise<void>;
}

async function connectAll(sdk: Sdk, servers: readonly McpServer[]): Promise<readonly Connection[]> {
  const connections = servers.map((server) => toConnection(sdk, server));
  const results = await Promise.allSettled(connections.map((one) => one.connect()));
  const at = results.findIndex(({ status }) => status === "rejected");
  if (at === -1) return connections;
  await Promise.allSettled(connections.map((one) => one.close()));
  const result = results[at];
  throw new IasError("unavailable", `The MCP server "${connections[at]?.name ?? at}" cannot be reached.`, {
    retryable: true,
    cause: result?.status === "rejected" ? result.reason : undefined,
  });
}

function toConnection(sdk: Sdk, server: McpServer): Connection {
  if ("url" in server) {
    const { url, headers, name = new URL(url).host } = server;
    return new sdk.MCPServerStreamableHttp({ url, name, cacheToolsList: true, ...(headers !== undefined && { requestInit: { headers } }) });
  }
  const { command, args = [], env, cwd, name = command } = server;
  return new sdk.MCPServerStdio({
    command,
    args: [...args],
    name,
    cacheToolsList: true,
    ...(env !== undefined && { env: { ...env } }),
    ...(cwd !== undefined && { cwd }),
  });
}
