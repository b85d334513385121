import type { ParseArgsOptionDescriptor } from "node:util";
import { type Args, EXIT, type Io, usageError } from "../cli/command.ts";
import { toJsonLine } from "../cli/terminal.ts";
import type { AgentOptions } from "../engine/agent.ts";
import type { JsonObject } from "../model/a2a.ts";
import { serve } from "./serve.ts";
import { readSettings, type Settings } from "./settings.ts";
import { untilStopped } from "./until-stopped.ts";

/** Where programs of AgentBeats listen when they are not told. */
const AGENT_PORT = 9009;

/** The options of a command that serves one agent, as AgentBeats' runner gives them (`--host --port --card-url`), and what they need beside. */
export const AGENT_OPTIONS: Readonly<Record<string, ParseArgsOptionDescriptor>> = {
  host: { type: "string" },
  port: { type: "string" },
  "card-url": { type: "string" },
  "allow-anonymous": { type: "boolean" },
  data: { type: "string" },
};

/** Their help. */
export const AGENT_OPTIONS_HELP = `  --host <address>      address to listen on (HOST; 127.0.0.1)
  --port <n>            HTTP port (PORT; 9009; 0 for any)
  --card-url <url>      URL that the agent card gives, where it is reached from outside (PUBLIC_URL)
  --allow-anonymous     on another address than loopback: serve whoever reaches it
                        (ALLOW_ANONYMOUS); API_KEYS_FILE or JWT_JWKS ask for a key in its place
  --data <folder>       keep streams in a data folder: they survive a crash, and what was cut off
                        goes on at the next start. Without it each start is a fresh one, in memory
`;

/** Where one agent is served: options before variables, a fresh log in memory unless a data folder is named, gRPC only where `GRPC_PORT` asks for it. */
export function readAgentSettings(args: Args, env: Io["env"]): Settings {
  const data = args.text("data");
  const flags = {
    HOST: args.text("host"),
    PORT: args.text("port"),
    PUBLIC_URL: args.text("card-url"),
    ALLOW_ANONYMOUS: args.flag("allow-anonymous") ? "1" : undefined,
    DATA_DIR: data,
  };
  const given = Object.fromEntries(Object.entries(flags).filter(([, value]) => value !== undefined));
  const names = { HOST: "--host", PORT: "--port", PUBLIC_URL: "--card-url" };
  return readSettings(
    {
      ...env,
      PORT: env["PORT"] || String(AGENT_PORT),
      GRPC_PORT: env["GRPC_PORT"] || "off",
      ...given,
      LOG: data === undefined ? "memory" : "sqlite",
      READ_ONLY: "0",
    },
    new Map(Object.entries(names).filter(([variable]) => Object.hasOwn(given, variable))),
  );
}

/** Serves one agent until it is stopped. `facts` join the JSON line; `about` is said to people. The engine is disposed of. */
export async function serveOneAgent(
  agent: AgentOptions,
  options: { readonly settings: Settings; readonly io: Io; readonly facts: JsonObject; readonly about: readonly string[] },
): Promise<number> {
  const { settings, io, facts, about } = options;
  try {
    await using server = await serve({ ...settings, agents: [agent] });
    const url = `${server.url}/a2a/${agent.id}`;
    io.out(
      io.json
        ? toJsonLine({
            url: server.url,
            port: server.port,
            agent: url,
            ...(server.grpcAddress !== undefined && { grpc: server.grpcAddress }),
            durability: server.durability,
            ...facts,
          })
        : ["", `  ${agent.name ?? agent.id} is ready: ${server.url}   (A2A 1.0 and 0.3 at ${url})`, ...about.map((line) => `  ${line}`), "", ""].join("\n"),
    );
    await untilStopped(io, server);
  } finally {
    await agent.engine[Symbol.asyncDispose]?.();
  }
  return EXIT.ok;
}

/** Refuses words behind the options. */
export function noPositionals({ positionals }: Args): void {
  if (positionals.length > 0) throw usageError(`only options are taken; ${JSON.stringify(positionals[0])} is too many.`);
}
