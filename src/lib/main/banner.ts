import { isLoopbackHost } from "../net/address.ts";
import type { Settings } from "./settings.ts";
import type { Server } from "./server.ts";

const DURABILITY = {
  none: "nothing is kept when the process ends",
  process: "survives a killed process",
  host: "survives a power loss",
} as const;

/** What `ias serve` prints when it is ready: what is served, who answers, what is kept, and three lines to try. */
export function banner(
  server: Pick<Server, "url" | "grpcAddress" | "agents" | "durability">,
  settings: Pick<Settings, "log" | "dataDir" | "auth" | "host" | "readOnly">,
  answeredBy: string | undefined,
): string {
  const agents = [...server.agents.values()];
  const [first] = agents;
  return [
    "",
    `  Infinite Agent Streams is ready: ${server.url}${server.grpcAddress === undefined ? "" : `   gRPC ${server.grpcAddress}`}`,
    "",
    `  agents   ${agents.map(({ id }) => `${server.url}/a2a/${id}`).join("\n           ")}`,
    ...(answeredBy === undefined ? [] : [`  model    ${answeredBy}${answeredBy.startsWith("a scripted") ? "; --model <name> for a real one" : ""}`]),
    `  streams  ${settings.log === "memory" ? "in memory" : `SQLite in ${settings.dataDir}`}: ${settings.readOnly ? "read only, no messages are taken" : DURABILITY[server.durability]}`,
    `  callers  ${callers(settings)}`,
    "",
    "  Try:",
    ...tries(server.url, first?.id ?? "", first?.skills.flatMap(({ examples }) => examples ?? [])[0] ?? "Hello", settings).map((line) => `    ${line}`),
    "",
    "",
  ].join("\n");
}

function callers({ auth, host }: Pick<Settings, "auth" | "host">): string {
  if (auth !== undefined)
    return auth.kind === "jwt"
      ? "those with a token of the issuer: --token <key>, or on the page"
      : "those with an API key of the file: --token <key>, or on the page";
  return isLoopbackHost(host) ? "anybody on this machine, as one local user" : "ANYBODY who reaches this address, as one user (ALLOW_ANONYMOUS)";
}

function tries(url: string, agent: string, example: string, { auth, readOnly }: Pick<Settings, "auth" | "readOnly">): readonly string[] {
  // In a checkout the package is not installed, so `npx ias` is not there.
  const ias = import.meta.url.endsWith(".ts") ? "npm run -s ias --" : "npx ias";
  const token = auth === undefined ? "" : " --token <key>";
  if (readOnly) return [`${ias} tasks ${url}${token}`, `${ias} tail <task> ${url}${token}`, `${ias} card ${url}`];
  const body = {
    jsonrpc: "2.0",
    id: 1,
    method: "SendStreamingMessage",
    params: { message: { messageId: "1", role: "ROLE_USER", parts: [{ text: example }] } },
  };
  const authorization = auth === undefined ? "" : " -H 'Authorization: Bearer <key>'";
  return [
    `open ${url}`,
    `${ias} chat ${url}/a2a/${agent} ${quoted(example)}${token}`,
    `curl -N ${url}/a2a/${agent} -H 'Content-Type: application/json' -H 'A2A-Version: 1.0'${authorization} -d ${quoted(JSON.stringify(body), "'")}`,
  ];
}

/** A text as a POSIX shell takes it as one word; in double quotes only where nothing in them has a meaning. */
function quoted(text: string, mark: '"' | "'" = '"'): string {
  return mark === '"' && !/["$`\\!]/.test(text) ? `"${text}"` : `'${text.replaceAll("'", "'\\''")}'`;
}
