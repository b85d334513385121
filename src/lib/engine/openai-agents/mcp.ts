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

/**
 * The engine's own MCP servers: connected before the first turn that needs them, shared by all turns, closed with the engine. At the start of
 * each later turn they are asked for their tools; one that does not answer any more is connected anew.
 *
 * @throws IasError `configuration` when two have one name.
 */
export function createMcpConnections(servers: readonly McpServer[]): McpConnections {
  const names = servers.map(nameOf);
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice !== undefined) throw new IasError("configuration", `Two MCP servers are named "${twice}"; give each a name of its own.`);
  let connecting: Promise<readonly Connection[]> | undefined;
  const reviving = new Map<Connection, Promise<void>>();
  let given = false;
  let closed = false;

  const revive = (one: Connection): Promise<void> => {
    const present = reviving.get(one) ?? ask(one).finally(() => reviving.delete(one));
    reviving.set(one, present);
    return present;
  };
  return {
    async connect(sdk, agent) {
      if (servers.length === 0) return;
      if (closed) throw new IasError("unavailable", "The engine was closed.");
      connecting ??= connectAll(servers.map((server) => toConnection(sdk, server)));
      let connections: readonly Connection[];
      try {
        connections = await connecting;
      } catch (error) {
        connecting = undefined;
        throw error;
      }
      if (given) return void (await Promise.all(connections.map(revive)));
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

/** The methods of the SDK's MCP servers that are needed here. */
interface Connection {
  readonly name: string;
  connect(): Promise<void>;
  close(): Promise<void>;
  listTools(): Promise<unknown>;
  invalidateToolsCache(): Promise<void>;
}

async function connectAll(connections: readonly Connection[]): Promise<readonly Connection[]> {
  const results = await Promise.allSettled(connections.map((one) => one.connect()));
  const at = results.findIndex(({ status }) => status === "rejected");
  if (at === -1) return connections;
  await Promise.allSettled(connections.map((one) => one.close()));
  const result = results[at];
  throw unreachable(connections[at]?.name ?? "", result?.status === "rejected" ? result.reason : undefined);
}

async function ask(one: Connection): Promise<void> {
  try {
    await one.invalidateToolsCache();
    await one.listTools();
  } catch {
    await one.close().catch(() => {});
    await one.connect().catch((error: unknown) => {
      throw unreachable(one.name, error);
    });
  }
}

function unreachable(name: string, cause: unknown): IasError {
  return new IasError("unavailable", `The MCP server "${name}" cannot be reached.`, { retryable: true, cause });
}

function nameOf(server: McpServer): string {
  if (server.name !== undefined) return server.name;
  return "url" in server ? new URL(server.url).host : [server.command, ...(server.args ?? [])].join(" ");
}

function toConnection(sdk: Sdk, server: McpServer): Connection {
  const name = nameOf(server);
  if ("url" in server) {
    const { url, headers } = server;
    return new sdk.MCPServerStreamableHttp({ url, name, cacheToolsList: true, ...(headers !== undefined && { requestInit: { headers } }) });
  }
  const { command, args = [], env, cwd } = server;
  return new sdk.MCPServerStdio({
    command,
    args: [...args],
    name,
    cacheToolsList: true,
    ...(env !== undefined && { env: { ...env } }),
    ...(cwd !== undefined && { cwd }),
  });
}
