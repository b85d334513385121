import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { once } from "node:events";
import http from "node:http";
import type { AddressInfo } from "node:net";
import test from "node:test";
import { promisify } from "node:util";
import { engine } from "../../../test/support/engines.ts";
import { defineAgent } from "../engine/define-agent.ts";
import { A2A_SOCKET_BINDING } from "../model/websocket-binding.ts";
import { createCards } from "./card.ts";

const run = promisify(execFile);

/** Serves the card of one agent with API keys and gives what Python's own resolver made of it. */
async function resolve(python: string, script: string): Promise<unknown> {
  const agent = defineAgent({ id: "helper", engine: { run: () => assert.fail("it does not run here") }, extendedCard: { description: "More." } });
  const server = http.createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const { page } = createCards({
    agents: new Map([[agent.id, agent]]),
    origin: () => origin,
    grpc: () => "127.0.0.1:4001",
    schemes: [{ kind: "api-key", name: "apiKey", header: "X-API-Key" }],
    now: Date.now,
  });
  server.on("request", (request, response) => {
    void page({ method: request.method ?? "", url: new URL(request.url ?? "", origin), header: (name) => request.headers[name]?.toString() }).then((reply) =>
      response.writeHead(reply?.status ?? 404, reply?.headers).end(reply?.body),
    );
  });
  try {
    const { stdout } = await run(python, ["-c", script, `${origin}/a2a/helper`], { timeout: 60_000 });
    return JSON.parse(stdout) as unknown;
  } finally {
    server.close();
    server.closeAllConnections();
  }
}

test("Python a2a-sdk 1.x reads the bare card as one of 1.0, with both versions' interfaces", async () => {
  const { python } = engine("python-a2a-1");
  const found = await resolve(
    python,
    `
import asyncio, json, sys, httpx
from a2a.client import A2ACardResolver
async def main():
    async with httpx.AsyncClient() as http:
        card = await A2ACardResolver(http, sys.argv[1]).get_agent_card()
        print(json.dumps([[i.protocol_binding, i.protocol_version] for i in card.supported_interfaces]
            + [card.capabilities.extended_agent_card, card.security_schemes["apiKey"].api_key_security_scheme.name, list(card.security_requirements[0].schemes)]))
asyncio.run(main())`,
  );
  assert.deepEqual(found, [
    ["JSONRPC", "1.0"],
    ["HTTP+JSON", "1.0"],
    ["GRPC", "1.0"],
    [A2A_SOCKET_BINDING, "1.0"],
    ["JSONRPC", "0.3"],
    ["HTTP+JSON", "0.3"],
    true,
    "X-API-Key",
    ["apiKey"],
  ]);
});

test("Python a2a-sdk 0.3.x reads the same bare card as one of 0.3", async () => {
  const { python } = engine("python-a2a-0.3");
  const found = await resolve(
    python,
    `
import asyncio, json, sys, httpx
from a2a.client import A2ACardResolver
async def main():
    async with httpx.AsyncClient() as http:
        card = await A2ACardResolver(http, sys.argv[1]).get_agent_card()
        print(json.dumps([card.protocol_version, card.preferred_transport, [i.transport for i in card.additional_interfaces],
            card.supports_authenticated_extended_card, card.security_schemes["apiKey"].root.name, card.security]))
asyncio.run(main())`,
  );
  assert.deepEqual(found, ["0.3.0", "JSONRPC", ["JSONRPC", "HTTP+JSON"], true, "X-API-Key", [{ apiKey: [] }]]);
});
