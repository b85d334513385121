import { McpServer } from "@modelcontextprotocol/server";
import { z } from "zod";

/** An MCP server with one tool, `add`, that adds two numbers; `called` is told of each call. */
export function createServer(called?: () => void): McpServer {
  const server = new McpServer({ name: "adder", version: "1.0.0" });
  server.registerTool("add", { description: "Adds two numbers.", inputSchema: z.object({ a: z.number(), b: z.number() }) }, async ({ a, b }) => {
    called?.();
    return { content: [{ type: "text", text: String(a + b) }] };
  });
  return server;
}
