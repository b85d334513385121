import assert from "node:assert/strict";
import { onEachBinding, onceForAgent } from "../conformance-case.ts";
import type { AgentContext, ConformanceCase } from "../conformance-case.ts";
import { errors, refuse } from "../expect.ts";
import type { RawResponse } from "../raw.ts";
import { parseShape } from "../shapes.ts";
import type { WireCard } from "../shapes.ts";

/** The agent card: discovery, form, caching, the extended card (specification 3.1.11, 4.4.1, 5.7, 8). */
export const cardCases: readonly ConformanceCase[] = [
  onceForAgent(
    "card.available",
    { level: "MUST", spec: "8.2", title: "the card is served at the well-known address, valid and complete", covers: ["CARD-DISC-001", "CARD-STRUCT-001"] },
    async (context) => {
      const response = await fetchCard(context);
      assert.equal(response.status, 200);
      assert.match(response.headers.get("content-type") ?? "", /^application\/(a2a\+)?json/);
      parseShape("AgentCard", response.json);
    },
  ),
  onceForAgent(
    "card.interfaces",
    {
      level: "MUST",
      spec: "8.3.1",
      title: "each interface declares its binding, version and an absolute address",
      covers: ["CARD-PROTO-001", "CARD-PROTO-002", "BIND-FIELD-001"],
    },
    async (context) => {
      for (const { protocolBinding, protocolVersion, url } of parsedCard(context).supportedInterfaces) {
        assert.match(protocolVersion, /^\d+\.\d+$/, "a protocol version is Major.Minor");
        if (protocolBinding === "GRPC") assert.match(url, /^([a-z]+:\/\/)?[^/\s]+:\d+$/, `gRPC is at host:port: ${url}`);
        else assert.ok(URL.canParse(url), `an absolute URL: ${url}`);
      }
    },
  ),
  onceForAgent("card.preferred-version", { level: "SHOULD", spec: "8.3.2", title: "interfaces of version 1.0 stand before older ones" }, async (context) => {
    const versions = parsedCard(context).supportedInterfaces.map((item) => item.protocolVersion);
    assert.deepEqual(
      versions,
      versions.toSorted((a, b) => Number(b) - Number(a)),
      "a client takes the first interface that it can use",
    );
  }),
  onceForAgent(
    "card.cache-control",
    { level: "SHOULD", spec: "8.6.1", title: "the card says how long it may be kept", covers: ["CARD-CACHE-001"] },
    async (context) => {
      assert.match((await fetchCard(context)).headers.get("cache-control") ?? "", /\bmax-age=\d+/);
    },
  ),
  onceForAgent(
    "card.etag",
    { level: "SHOULD", spec: "8.6.1", title: "the card has an ETag, and a conditional request is answered 304", covers: ["CARD-CACHE-002"] },
    async (context) => {
      const etag = (await fetchCard(context)).headers.get("etag");
      assert.ok(etag, "an ETag header");
      const again = await fetchCard(context, { "if-none-match": etag });
      assert.equal(again.status, 304);
      assert.equal(again.text, "");
    },
  ),
  onceForAgent(
    "card.last-modified",
    { level: "SHOULD", spec: "8.6.1", title: "the card says when it was last modified, as an HTTP date", covers: ["CARD-CACHE-003"] },
    async (context) => {
      const value = (await fetchCard(context)).headers.get("last-modified") ?? "";
      assert.match(value, / GMT$/, `an HTTP date: ${value}`);
      assert.ok(Date.parse(value) <= Date.now() + 60_000, "not in the future");
    },
  ),
  onceForAgent(
    "card.signature-header",
    { level: "MUST", spec: "8.4.2", title: "each signature's protected header names its algorithm and key", covers: ["CARD-SIGN-003"] },
    async (context) => {
      for (const signature of parsedCard(context).signatures ?? []) {
        const header = JSON.parse(Buffer.from(signature.protected, "base64url").toString()) as Record<string, unknown>;
        assert.equal(typeof header["alg"], "string", "alg");
        assert.notEqual(header["alg"], "none", "alg");
        assert.equal(typeof header["kid"], "string", "kid");
      }
    },
  ),
  onEachBinding(
    "card.no-extended",
    {
      level: "MUST",
      spec: "3.3.4",
      title: "without the capability, GetExtendedAgentCard is an unsupported operation",
      covers: ["CORE-CAP-003"],
      when: (can) => !can.extendedCard,
    },
    async ({ wire }) => {
      refuse(await wire.call("GetExtendedAgentCard", {}), errors.unsupportedOperation);
    },
  ),
  onEachBinding(
    "card.extended",
    {
      level: "MUST",
      spec: "3.1.11",
      title: "with the capability, GetExtendedAgentCard gives a card or asks for credentials",
      covers: ["CARD-EXT-001", "CARD-EXT-002"],
      when: (can) => can.extendedCard,
    },
    async ({ wire }) => {
      const reply = await wire.call("GetExtendedAgentCard", {});
      if (reply.ok) parseShape("AgentCard", reply.value);
      else if (reply.error.http !== 401 && reply.error.code !== 16) refuse(reply, errors.extendedCardNotConfigured);
    },
  ),
];

function fetchCard(context: AgentContext, headers: Record<string, string> = {}): Promise<RawResponse> {
  return context.raw.request("GET", `${context.baseUrl}/.well-known/agent-card.json`, { headers });
}

function parsedCard(context: AgentContext): WireCard {
  return parseShape("AgentCard", context.card);
}
