export { openaiChat } from "./lib/engine/openai-chat.ts";
export type { ChatTool, OpenAIChatOptions, ToolCallFacts } from "./lib/engine/openai-chat/options.ts";
