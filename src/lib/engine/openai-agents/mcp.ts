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

/** The connections to an engine's MCP servers. */
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
  /** One per server, in its order; absent until the first turn connected all. */
  let live: Connection[] | undefined;
  const working = new Map<number | "all", Promise<void>>();
  let closed = false;

  /** `work`, or the same work if it is under way. */
  const shared = (key: number | "all", work: () => Promise<void>): Promise<void> => {
    const present = working.get(key) ?? work().finally(() => working.delete(key));
    working.set(key, present);
    return present;
  };
  const connectAll = async (sdk: Sdk, agent: SdkAgent): Promise<void> => {
    const connections = servers.map((server) => toConnection(sdk, server));
    const results = await Promise.allSettled(connections.map((one) => one.connect()));
    const at = results.findIndex(({ status }) => status === "rejected");
    if (at === -1 && !closed) {
      live = connections;
      agent.mcpServers = [...agent.mcpServers, ...connections];
      return;
    }
    await Promise.allSettled(connections.map((one) => one.close()));
    const result = results[at];
    throw result?.status === "rejected" ? unreachable(connections[at]?.name ?? "", result.reason) : gone();
  };
  const revive = async (sdk: Sdk, agent: SdkAgent, at: number): Promise<void> => {
    const [old, server] = [live?.[at], servers[at]];
    if (old === undefined || server === undefined || (await answers(old))) return;
    const fresh = toConnection(sdk, server);
    // Closing the old one takes seconds when its program has ended; nobody needs to wait for it.
    old.close().catch(() => {});
    try {
      await fresh.connect();
      await fresh.invalidateToolsCache();
    } catch (error) {
      throw unreachable(fresh.name, error);
    }
    if (closed) return fresh.close();
    live?.splice(at, 1, fresh);
    agent.mcpServers = agent.mcpServers.map((one) => (one === old ? fresh : one));
  };

  return {
    async connect(sdk, agent) {
      if (servers.length === 0) return;
      if (closed) throw gone();
      if (live === undefined) await shared("all", () => connectAll(sdk, agent));
      else await Promise.all(servers.map((_server, at) => shared(at, () => revive(sdk, agent, at))));
    },
    async close() {
      closed = true;
      await Promise.allSettled(working.values());
      await Promise.allSettled((live ?? []).map((one) => one.close()));
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

/** Whether a connection still works: its tools are asked for, and kept for the turn. */
async function answers(one: Connection): Promise<boolean> {
  try {
    await one.invalidateToolsCache();
    await one.listTools();
    return true;
  } catch {
    return false;
  }
}

function gone(): IasError {
  return new IasError("unavailable", "The engine was closed.");
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
