import assert from "node:assert/strict";
import test from "node:test";
import { agentOf, serving } from "../../../test/support/serving.ts";

test("a cache between can tell answers apart by origin, and cards by version too", async (t) => {
  const origin = "https://app.example.com";
  const server = await serving(t, [agentOf(async function* () {})], { allowedOrigins: [origin] });
  const card = `${server.url}/.well-known/agent-card.json`;
  for (const headers of [{}, { origin }]) {
    const { headers: got } = await fetch(card, { headers });
    assert.equal(got.get("vary"), "A2A-Version, origin");
    assert.equal(got.get("access-control-allow-origin"), "origin" in headers ? origin : null);
    assert.equal((await fetch(`${server.url}/healthz`, { headers })).headers.get("vary"), "origin");
    assert.equal((await fetch(`${server.url}/nothing`, { headers })).headers.get("vary"), "origin");
  }
});
