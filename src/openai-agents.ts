export { openaiAgents } from "./lib/engine/openai-agents.ts";
export type { McpServer } from "./lib/engine/openai-agents/mcp.ts";
export type { OpenAIAgentsOptions, RunFacts } from "./lib/engine/openai-agents/options.ts";
export type { ModelEndpoint } from "./lib/engine/openai-agents/provider.ts";
