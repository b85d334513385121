import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { z } from "zod";
import { type Args, type Command, EXIT, type Io, usageError } from "../cli/command.ts";
import { toJsonLine } from "../cli/terminal.ts";
import type { AgentOptions } from "../engine/agent.ts";
import { IasError } from "../model/errors.ts";
import { createDemoAgents } from "./agents/demo-agents.ts";
import { banner } from "./banner.ts";
import { trimHeap } from "./heap-saver.ts";
import { serve } from "./serve.ts";
import { readSettings } from "./settings.ts";
import { untilStopped } from "./until-stopped.ts";

const HELP = `Usage: ias serve [file] [options]

Serves agents over A2A; their streams are kept in a data folder. Without a file these are the agents
"assistant" and "team", on a scripted model that needs no key. A file is a TypeScript or JavaScript
module that exports \`agents\`: a list of { id, engine, … } as \`defineAgent\` takes it.

  --port <n>            HTTP port (PORT; 4000 or the next free one; 0 for any)
  --host <address>      address to listen on (HOST; 127.0.0.1)
  --data <folder>       data folder (DATA_DIR; ./.data)
  --log sqlite|memory   where streams are kept (LOG; sqlite)
  --durability process|host
                        what a commit survives: a killed process, or also a power loss
                        (DURABILITY; process)
  --model <name>        a real model for the built-in agents (MODEL), with OPENAI_API_KEY and
                        OPENAI_BASE_URL; else a scripted one answers, whatever keys are set
  --read-only           read a data folder that another process owns, take no messages (READ_ONLY)
  --json                one JSON line with the addresses when it is ready

.env in the working folder is read; the shell's variables go before it, options before both.
docs/operations.md lists all variables. Ctrl-C or SIGTERM takes no new work and gives running turns
10 s; what is left goes on after the next start. A second one stops at once.

Exit codes: 0 stopped in order; 1 it could not start: a taken port, a data folder in use, a wrong
setting; 2 usage; 130 stopped at once.

Examples:
  ias serve
  ias serve agents.ts --port 8080
  OPENAI_BASE_URL=http://127.0.0.1:11434/v1 ias serve --model llama3.2
`;

/** The variable that each flag stands for. */
const VARIABLES = {
  port: "PORT",
  host: "HOST",
  data: "DATA_DIR",
  log: "LOG",
  durability: "DURABILITY",
  model: "MODEL",
  "read-only": "READ_ONLY",
} as const;

/** `ias serve`: the composition root as a command. */
export const serveCommand: Command = {
  name: "serve",
  summary: "Serve agents over A2A: the built-in ones, or those of a module",
  help: HELP,
  options: {
    port: { type: "string" },
    host: { type: "string" },
    data: { type: "string" },
    log: { type: "string" },
    durability: { type: "string" },
    model: { type: "string" },
    "read-only": { type: "boolean" },
  },
  async run(args, io) {
    const given = givenFlags(args);
    const env = { ...io.env, ...Object.fromEntries(given.map(({ variable, value }) => [variable, value])) };
    const settings = readSettings(env, new Map(given.map(({ variable, flag }) => [variable, `--${flag}`])));
    const { agents, answeredBy, demo } = await findAgents(args.positionals, env);
    const server = await serve({ ...settings, agents, demo });
    trimHeap();
    io.out(
      io.json
        ? toJsonLine({ url: server.url, grpc: server.grpcAddress, agents: [...server.agents.keys()], durability: server.durability })
        : banner(server, settings, answeredBy),
    );
    await untilStopped(io, server);
    await server[Symbol.asyncDispose]();
    // The module's engines were made for this command: what they hold (MCP servers, for example) would keep the process alive.
    await Promise.allSettled(agents.map(async ({ engine }) => engine[Symbol.asyncDispose]?.()));
    return EXIT.ok;
  },
};

/** What options of the command line say of variables, which they go before. */
function givenFlags(args: Args): readonly { readonly flag: string; readonly variable: string; readonly value: string }[] {
  const valueOf = (flag: string): string | undefined => (flag === "read-only" ? (args.flag(flag) ? "1" : undefined) : args.text(flag));
  return Object.entries(VARIABLES).flatMap(([flag, variable]) => {
    const value = valueOf(flag);
    return value === undefined ? [] : [{ flag, variable, value }];
  });
}

/** The agents of a module, or the built-in ones. A key that happens to be in the shell is used only with a model's name (nothing is spent by surprise). */
async function findAgents(
  positionals: readonly string[],
  env: Io["env"],
): Promise<{ agents: readonly AgentOptions[]; answeredBy: string | undefined; demo: boolean }> {
  const [file, ...more] = positionals;
  if (more.length > 0) throw usageError(`one file at most; ${JSON.stringify(more[0])} is too many.`);
  if (file !== undefined) return { agents: await importAgents(file), answeredBy: undefined, demo: false };
  const model = env["MODEL"] === "" ? undefined : env["MODEL"];
  const { OPENAI_BASE_URL: baseUrl = "", OPENAI_API_KEY: apiKey = "" } = env;
  if (baseUrl !== "" && !URL.canParse(baseUrl))
    throw new IasError("configuration", `OPENAI_BASE_URL ${JSON.stringify(baseUrl)} is not a URL; right is for example http://127.0.0.1:11434/v1.`);
  const endpoint = { ...(baseUrl !== "" && { baseUrl }), ...(apiKey !== "" && { apiKey }) };
  const built = await createDemoAgents({ ...(model !== undefined && { model }), endpoint });
  return { ...built, demo: model === undefined };
}

const agentSchema = z.custom<AgentOptions>(
  (value) => value !== null && typeof value === "object" && "id" in value && "engine" in value,
  "must be { id, engine, … }",
);
const moduleSchema = z.object({ agents: z.union([z.array(agentSchema).min(1), agentSchema.transform((agent) => [agent])]) });

async function importAgents(file: string): Promise<readonly AgentOptions[]> {
  const path = resolve(file);
  if (!existsSync(path)) throw usageError(`there is no file ${file}.`);
  let imported: unknown;
  try {
    imported = await import(pathToFileURL(path).href);
  } catch (error) {
    throw new IasError("configuration", `${file} cannot be loaded: ${whereOf(error, path)}`, { cause: error });
  }
  const parsed = moduleSchema.safeParse(imported);
  if (!parsed.success)
    throw new IasError(
      "configuration",
      `${file} must export \`agents\`, a list of { id, engine, … }: export const agents = [{ id: "poet", engine: openaiAgents(poet) }].`,
    );
  return parsed.data.agents;
}

/** What went wrong in a module, and where: errors of syntax have it on their first line, others in their stack. */
function whereOf(error: unknown, path: string): string {
  if (!(error instanceof Error)) return String(error);
  const line = error.stack?.split("\n").find((one) => one.includes(`${path}:`));
  const place = /^:\d+(?::\d+)?/.exec(line?.slice(line.indexOf(path) + path.length) ?? "")?.[0];
  // `npm init` of npm 11 makes packages of the older kind of modules.
  const remedy = /import statement outside a module|Unexpected token 'export'/.test(error.message)
    ? ` It is an ES module: put "type": "module" into its package.json (npm pkg set type=module), or name it .mts or .mjs.`
    : "";
  return `${error.message}${place === undefined ? "" : ` (${path}${place})`}.${remedy}`;
}
