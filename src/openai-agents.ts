export { openaiAgents } from "./lib/engine/openai-agents.ts";
export type { McpServer, OpenAIAgentsOptions, RunFacts } from "./lib/engine/openai-agents.ts";
