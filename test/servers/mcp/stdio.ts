import { serveStdio } from "@modelcontextprotocol/server/stdio";
import { createServer } from "./tools.ts";

// Speaks MCP on standard input and output until its input ends. Usage: node test/servers/mcp/stdio.ts
serveStdio(createServer);
