import type { Server } from "./server.ts";
import type { Settings } from "./settings.ts";

const DURABILITY = {
  none: "nothing is kept when the process ends",
  process: "survives a killed process",
  host: "survives a power loss",
} as const;

/** What `ias serve` prints when it is ready: what is served, who answers, what is kept, and three lines to try. */
export function banner(
  server: Pick<Server, "url" | "grpcAddress" | "agents" | "durability">,
  settings: Pick<Settings, "log" | "dataDir" | "auth">,
  answeredBy: string | undefined,
): string {
  const agents = [...server.agents.keys()];
  const first = agents[0] ?? "";
  const body = {
    jsonrpc: "2.0",
    id: 1,
    method: "SendStreamingMessage",
    params: { message: { messageId: "1", role: "ROLE_USER", parts: [{ text: "What time is it in Tokyo?" }] } },
  };
  // In a checkout the package is not installed, so `npx ias` is not there.
  const ias = import.meta.url.endsWith(".ts") ? "npm run -s ias --" : "npx ias";
  return [
    "",
    `  Infinite Agent Streams is ready: ${server.url}${server.grpcAddress === undefined ? "" : `   gRPC ${server.grpcAddress}`}`,
    "",
    `  agents   ${agents.map((id) => `${server.url}/a2a/${id}`).join("\n           ")}`,
    ...(answeredBy === undefined ? [] : [`  model    ${answeredBy}${answeredBy.startsWith("a scripted") ? "; --model <name> for a real one" : ""}`]),
    `  streams  ${settings.log === "memory" ? "in memory" : `SQLite in ${settings.dataDir}`}: ${DURABILITY[server.durability]}`,
    `  callers  ${settings.auth === undefined ? "anybody on this machine, as one local user" : settings.auth.kind === "jwt" ? "tokens of the issuer" : "API keys of the file"}`,
    "",
    "  Try:",
    `    open ${server.url}`,
    `    ${ias} chat ${server.url}/a2a/${first} "What time is it in Tokyo?"`,
    `    curl -N ${server.url}/a2a/${first} -H 'Content-Type: application/json' -H 'A2A-Version: 1.0' -d '${JSON.stringify(body)}'`,
    "",
    "",
  ].join("\n");
}
