import { McpServer } from "@modelcontextprotocol/server";
import { z } from "zod";

/** An MCP server with one tool, `add`, that adds two numbers. */
export function createServer(): McpServer {
  const server = new McpServer({ name: "adder", version: "1.0.0" });
  server.registerTool("add", { description: "Adds two numbers.", inputSchema: z.object({ a: z.number(), b: z.number() }) }, async ({ a, b }) => ({
    content: [{ type: "text", text: String(a + b) }],
  }));
  return server;
}
