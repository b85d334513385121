import { serveStdio } from "@modelcontextprotocol/server/stdio";
import { createServer } from "./tools.ts";

// Speaks MCP on standard input and output until its input ends. Usage: node test/servers/mcp/stdio.ts [--once: ends at the first message after a call]
const once = process.argv.includes("--once");
serveStdio(() => createServer(once ? () => process.stdin.once("data", () => process.exit(0)) : undefined));
