import assert from "node:assert/strict";
import { createPublicKey, verify } from "node:crypto";
import test from "node:test";
import { AgentCard, verifyAgentCardSignature } from "@a2a-js/sdk";
import { importJWK } from "jose";
import type { Agent, AgentOptions } from "../engine/agent.ts";
import { defineAgent } from "../engine/define-agent.ts";
import { createMemoryStore } from "../log/memory.ts";
import type { JsonObject } from "../model/a2a.ts";
import { EXTENSION_URI } from "../model/entry.ts";
import { A2A_SOCKET_BINDING } from "../model/websocket-binding.ts";
import { IasError } from "../model/errors.ts";
import type { PageReply } from "../net/page.ts";
import type { SecurityScheme } from "../tenancy/authenticator.ts";
import { createCards, type CardsOptions } from "./card.ts";
import { canonicalJson } from "./card/sign.ts";
import type { Call } from "./operations.ts";
import { createJwksPage, createSigningKey, loadSigningKey, type SigningKey } from "./signing-key.ts";

const ORIGIN = "https://agents.example.com";
const STARTED = Date.parse("2026-01-02T03:04:05.678Z");
const BEARER: SecurityScheme = { kind: "http", name: "bearer", scheme: "Bearer", bearerFormat: "JWT" };
const API_KEY: SecurityScheme = { kind: "api-key", name: "apiKey", header: "X-API-Key" };

function agentOf(options: Partial<AgentOptions> = {}): Agent {
  return defineAgent({ id: "helper", engine: { run: () => assert.fail("it does not run here") }, description: "Helps.", ...options });
}

function cardsOf(agent: Agent, options: Partial<CardsOptions> = {}) {
  return createCards({ agents: new Map([[agent.id, agent]]), origin: () => ORIGIN, schemes: [], now: () => STARTED, ...options });
}

function callOf(agent: Agent, version: Call["version"] = "1.0"): Call {
  return { principal: { tenant: "", user: "local" }, agent, version, extensions: new Set(), signal: new AbortController().signal };
}

test("a card of 1.0: interfaces with 1.0 before 0.3, capabilities, our extension, nothing of 0.3", async () => {
  const agent = agentOf({ extensions: [{ uri: "urn:x", required: true }], pushNotifications: false });
  const card = await cardsOf(agent, { grpc: () => "127.0.0.1:4001" }).card(agent, "1.0");
  assert.deepEqual(card["supportedInterfaces"], [
    { url: `${ORIGIN}/a2a/helper`, protocolBinding: "JSONRPC", protocolVersion: "1.0" },
    { url: `${ORIGIN}/a2a/helper/rest`, protocolBinding: "HTTP+JSON", protocolVersion: "1.0" },
    { url: "127.0.0.1:4001", protocolBinding: "GRPC", protocolVersion: "1.0" },
    { url: `${ORIGIN.replace("http", "ws")}/a2a/helper/ws`, protocolBinding: A2A_SOCKET_BINDING, protocolVersion: "1.0" },
    { url: `${ORIGIN}/a2a/helper`, protocolBinding: "JSONRPC", protocolVersion: "0.3" },
    { url: `${ORIGIN}/a2a/helper/rest`, protocolBinding: "HTTP+JSON", protocolVersion: "0.3" },
  ]);
  const { extensions, ...capabilities } = card["capabilities"] as JsonObject;
  assert.deepEqual(capabilities, { streaming: true, pushNotifications: false, extendedAgentCard: false });
  assert.deepEqual(
    (extensions as JsonObject[]).map(({ uri, required }) => [uri, required]),
    [
      [EXTENSION_URI, undefined],
      ["urn:x", true],
    ],
  );
  const members = ["name", "description", "version", "supportedInterfaces", "capabilities", "defaultInputModes", "defaultOutputModes", "skills"];
  assert.deepEqual(Object.keys(card).sort(), members.sort());
  assert.deepEqual(AgentCard.toJSON(AgentCard.fromJSON(card)), card, "the official types read and write the same");
});

test("security schemes are declared, any one of them enough", async () => {
  const agent = agentOf();
  const cards = cardsOf(agent, { schemes: [BEARER, API_KEY] });
  const card = await cards.card(agent, "1.0");
  assert.deepEqual(card["securitySchemes"], {
    bearer: { httpAuthSecurityScheme: { scheme: "Bearer", bearerFormat: "JWT" } },
    apiKey: { apiKeySecurityScheme: { location: "header", name: "X-API-Key" } },
  });
  assert.deepEqual(card["securityRequirements"], [{ schemes: { bearer: {} } }, { schemes: { apiKey: {} } }]);
  const legacy = await cards.card(agent, "0.3");
  assert.deepEqual(legacy["security"], [{ bearer: [] }, { apiKey: [] }]);
  assert.deepEqual((legacy["securitySchemes"] as JsonObject)["apiKey"], { type: "apiKey", in: "header", name: "X-API-Key" });
});

test("a card of 0.3 has its members and none of 1.0's; gRPC of 0.3 is not served", async () => {
  const agent = agentOf({ extendedCard: { description: "More." } });
  const card = await cardsOf(agent, { grpc: () => "127.0.0.1:4001" }).card(agent, "0.3");
  assert.deepEqual(
    [card["protocolVersion"], card["url"], card["preferredTransport"], card["supportsAuthenticatedExtendedCard"], card["supportedInterfaces"]],
    ["0.3.0", `${ORIGIN}/a2a/helper`, "JSONRPC", true, undefined],
  );
  assert.deepEqual(card["additionalInterfaces"], [
    { transport: "JSONRPC", url: `${ORIGIN}/a2a/helper` },
    { transport: "HTTP+JSON", url: `${ORIGIN}/a2a/helper/rest` },
  ]);
  assert.equal((card["capabilities"] as JsonObject)["extendedAgentCard"], undefined);
});

test("the extended card adds to the public one", async () => {
  const agent = agentOf({ extendedCard: { description: "More.", skills: [{ id: "s", name: "S", description: "", tags: [], examples: [] }] } });
  const cards = cardsOf(agent);
  const card = await cards.extended(callOf(agent));
  assert.equal(card["description"], "More.");
  assert.equal(card["name"], "helper");
  assert.deepEqual(card["skills"], [{ id: "s", name: "S", description: "", tags: [] }]);
  assert.equal((await cards.extended(callOf(agent, "0.3")))["url"], `${ORIGIN}/a2a/helper`);
  assert.equal((await cards.card(agent, "1.0"))["description"], "Helps.");
  await assert.rejects(cards.extended(callOf(agentOf())), (error) => error instanceof IasError && error.code === "unsupported-operation");
});

async function verifies(card: JsonObject, key: SigningKey): Promise<void> {
  await verifyAgentCardSignature(async (kid, jku) => {
    assert.deepEqual([kid, jku], [key.kid, `${ORIGIN}/.well-known/jwks.json`]);
    return importJWK(key.publicJwk, key.alg) as Promise<CryptoKey>;
  })(card as unknown as AgentCard);
}

test("signed cards verify: by the official SDK, and by the specification's own canonical form", async (t) => {
  t.mock.method(console, "debug", () => undefined); // the SDK tells there of each signature that does not fit
  const key = await loadSigningKey(createMemoryStore().records);
  const agent = agentOf({ skills: [{ id: "s", name: "Ünïcode €😀", description: "\u2028", tags: [] }], extendedCard: { description: "" } });
  const cards = cardsOf(agent, { schemes: [BEARER], signingKey: key });
  for (const card of [await cards.card(agent, "1.0"), await cards.extended(callOf(agent))]) {
    await verifies(card, key);
    const { signatures, ...unsigned } = card;
    const [first] = signatures as unknown as readonly { protected: string; signature: string }[];
    assert.deepEqual(JSON.parse(Buffer.from(first?.protected ?? "", "base64url").toString()), {
      alg: "ES256",
      typ: "JOSE",
      kid: key.kid,
      jku: `${ORIGIN}/.well-known/jwks.json`,
    });
    const input = `${first?.protected}.${Buffer.from(canonicalJson(unsigned)).toString("base64url")}`;
    const publicKey = createPublicKey({ key: key.publicJwk, format: "jwk" });
    assert.ok(verify("sha256", Buffer.from(input), { key: publicKey, dsaEncoding: "ieee-p1363" }, Buffer.from(first?.signature ?? "", "base64url")));
    await assert.rejects(verifies({ ...card, description: "forged" }, key));
  }
});

test("canonical JSON is RFC 8785's", () => {
  // Its sections 3.2.2 and 3.2.3.
  assert.equal(
    canonicalJson({
      numbers: [Number("333333333.33333329"), 1e30, 4.5, 2e-3, 0.000000000000000000000000001],
      string: '€$\u000f\nA\'B"\\\\"/',
      literals: [null, true, false],
    }),
    `{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],"string":"€$\\u000f\\nA'B\\"\\\\\\\\\\"/"}`,
  );
  assert.equal(canonicalJson({ "€": 1, "\r": 2, "\ufb33": 3, "1": 4, "😀": 5, "\u0080": 6, ö: 7 }), '{"\\r":2,"1":4,"\u0080":6,"ö":7,"€":1,"😀":5,"\ufb33":3}');
});

test("signing keys: the store's own is kept; others must be private; the public half shows nothing private", async () => {
  const { records } = createMemoryStore();
  const key = await loadSigningKey(records);
  assert.equal((await loadSigningKey(records)).kid, key.kid);
  await assert.rejects(createSigningKey(key.publicJwk), /must be a private JWK/);
  const reply = await createJwksPage([key])({ method: "GET", url: new URL("http://x/.well-known/jwks.json"), header: () => undefined });
  const shown = JSON.parse(textOf(reply)) as { keys: JsonObject[] };
  assert.deepEqual(Object.keys(shown.keys[0] ?? {}).sort(), ["alg", "crv", "kid", "kty", "use", "x", "y"]);
});

function textOf(reply: PageReply | undefined): string {
  assert.ok(typeof reply?.body === "string");
  return reply.body;
}

async function ask(
  page: ReturnType<typeof cardsOf>["page"],
  path: string,
  headers: Record<string, string> = {},
  method = "GET",
): Promise<PageReply | undefined> {
  return page({ method, url: new URL(path, ORIGIN), header: (name) => headers[name] });
}

test("the page: at the root and under each agent, with validators", async () => {
  const agent = agentOf();
  const { page } = cardsOf(agent);
  const paths = [
    "/.well-known/agent-card.json",
    "/a2a/helper/.well-known/agent-card.json",
    "/a2a/helper/rest/.well-known/agent-card.json",
    "/.well-known/agent.json",
  ];
  const replies = await Promise.all(paths.map((path) => ask(page, path)));
  assert.equal(new Set(replies.map((reply) => reply?.body)).size, 1);
  const headers = replies[0]?.headers ?? {};
  assert.match(headers["cache-control"] ?? "", /max-age=\d+/);
  assert.equal(headers["last-modified"], "Fri, 02 Jan 2026 03:04:05 GMT");
  assert.equal(headers["vary"], "A2A-Version");
  const etag = headers["etag"] ?? "";
  for (const [name, value, status] of [
    ["if-none-match", `"other", W/${etag}`, 304],
    ["if-none-match", '"other"', 200],
    ["if-modified-since", "Fri, 02 Jan 2026 03:04:05 GMT", 304],
    ["if-modified-since", "Fri, 02 Jan 2026 03:04:04 GMT", 200],
    ["if-modified-since", "whenever", 200],
  ] as const) {
    const reply = await ask(page, paths[0] ?? "", { [name]: value });
    assert.deepEqual([reply?.status, reply?.headers["etag"]], [status, etag]);
  }
  assert.equal((await ask(page, paths[0] ?? "", {}, "POST"))?.status, 405);
  for (const path of ["/a2a/other/.well-known/agent-card.json", "/well-known/agent-card.json", "/a2a/%ff/.well-known/agent-card.json"]) {
    assert.equal(await ask(page, path), undefined);
  }
});

test("a reader that names a version gets that form; who names none gets both in one", async () => {
  const agent = agentOf();
  const { page } = cardsOf(agent, { schemes: [BEARER] });
  const read = async (headers: Record<string, string>, from = page): Promise<JsonObject> =>
    JSON.parse(textOf(await ask(from, "/.well-known/agent-card.json", headers))) as JsonObject;
  assert.equal((await read({ "a2a-version": "1.0.1" }))["url"], undefined);
  assert.equal((await read({ "a2a-version": "0.3" }))["supportedInterfaces"], undefined);
  const merged = await read({});
  assert.ok(Array.isArray(merged["supportedInterfaces"]) && typeof merged["url"] === "string");
  assert.deepEqual((merged["securitySchemes"] as JsonObject)["bearer"], {
    httpAuthSecurityScheme: { scheme: "Bearer", bearerFormat: "JWT" },
    type: "http",
    scheme: "bearer",
    bearerFormat: "JWT",
  });
  assert.equal((await read({}, cardsOf(agent, { bare: "1.0" }).page))["url"], undefined);
  await assert.rejects(read({ "a2a-version": "7.0" }), (error) => error instanceof IasError && error.code === "version-not-supported");
});
