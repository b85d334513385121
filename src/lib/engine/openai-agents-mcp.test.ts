import assert from "node:assert/strict";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { Agent } from "@openai/agents";
import { assistantMessage, functionCall, ScriptedModel } from "@openai/agents/testing";
import { createMcpHttpServer } from "../../../test/servers/mcp/http.ts";
import { collect } from "../testing/engine-support.ts";
import { testTurn } from "../testing/test-turn.ts";
import type { AgentEvent } from "./engine.ts";
import { openaiAgents } from "./openai-agents.ts";
import type { McpServer } from "./openai-agents/mcp.ts";

const { signal } = new AbortController();
const STDIO = fileURLToPath(new URL("../../../test/servers/mcp/stdio.ts", import.meta.url));

test("an MCP server over stdio is started before the first turn, serves two, and ends with the engine", async () => {
  const server: McpServer = { command: process.execPath, args: [STDIO], name: "adder" };
  const engine = openaiAgents(adder(2), { mcp: [server] });
  try {
    for (const _turn of [1, 2]) assert.deepEqual(results(await collect(engine.run(testTurn("2+40"), { signal }))), ["42"]);
  } finally {
    await engine[Symbol.asyncDispose]();
  }
  await assert.rejects(collect(engine.run(testTurn("again"), { signal })), { code: "unavailable", message: /closed/ });
});

test("an MCP server over streamable HTTP gets the headers it was configured with", async () => {
  const keys: (string | null)[] = [];
  const http = createMcpHttpServer((headers) => keys.push(headers.get("x-key")));
  http.listen(0, "127.0.0.1");
  await once(http, "listening");
  const url = `http://127.0.0.1:${(http.address() as AddressInfo).port}/mcp`;
  const engine = openaiAgents(adder(1), { mcp: [{ url, headers: { "x-key": "k1" } }] });
  try {
    assert.deepEqual(results(await collect(engine.run(testTurn("2+40"), { signal }))), ["42"]);
    assert.ok(keys.length > 0 && keys.every((key) => key === "k1"));
  } finally {
    await engine[Symbol.asyncDispose]();
    http.closeAllConnections();
    http.close();
  }
});

test("an MCP server that ended is started anew for the next turn", async () => {
  // Ends at the first message after a call; a new one is a new program.
  const server: McpServer = { command: process.execPath, args: [STDIO, "--once"], name: "mortal" };
  const engine = openaiAgents(adder(3), { mcp: [server] });
  try {
    for (const _turn of [1, 2, 3]) assert.deepEqual(results(await collect(engine.run(testTurn("2+40"), { signal }))), ["42"]);
  } finally {
    await engine[Symbol.asyncDispose]();
  }
});

test("two MCP servers of one name are refused", () => {
  const server: McpServer = { command: "a" };
  assert.throws(() => openaiAgents(adder(1), { mcp: [server, server] }), { code: "configuration", message: /named "a"/ });
});

test("an MCP server that does not start fails the turn with its name, and the next turn tries again", async () => {
  const engine = openaiAgents(adder(1), { mcp: [{ command: process.execPath, args: ["-e", "process.exit(3)"], name: "broken" }] });
  for (const _turn of [1, 2]) {
    await assert.rejects(collect(engine.run(testTurn("x"), { signal })), { code: "unavailable", retryable: true, message: /"broken" cannot be reached/ });
  }
  await engine[Symbol.asyncDispose]();
});

function adder(turns: number): Agent {
  const steps = Array.from({ length: turns }, (_, n) => [[functionCall("add", '{"a":2,"b":40}', { callId: `c${n}` })], [assistantMessage("done")]]).flat();
  return new Agent({ name: "Adder", model: new ScriptedModel(steps) });
}

function results(events: readonly AgentEvent[]): readonly string[] {
  return events.flatMap((event) => (event.kind === "tool-result" ? [event.output] : []));
}
