import assert from "node:assert/strict";
import test from "node:test";
import fc from "fast-check";
import { agentOf, serving } from "../../../test/support/serving.ts";
import { checkCard, isCardRight } from "./card-check.ts";

const RIGHT = {
  name: "n",
  description: "d",
  version: "1.0.0",
  supportedInterfaces: [
    { url: "https://example.com/rpc", protocolBinding: "JSONRPC", protocolVersion: "1.0" },
    { url: "example.com:443", protocolBinding: "GRPC", protocolVersion: "1.0", tenant: "t" },
    { url: "wss://example.com/ws", protocolBinding: "urn:x:websocket:1", protocolVersion: "1.0" },
  ],
  capabilities: { streaming: true, extensions: [{ uri: "https://example.com/ext/v1", required: false, params: { any_name: 1 } }] },
  securitySchemes: {
    my_key: { apiKeySecurityScheme: { location: "header", name: "X-API-Key" } },
    login: {
      oauth2SecurityScheme: {
        flows: { authorizationCode: { authorizationUrl: "https://example.com/a", tokenUrl: "https://example.com/t", scopes: { read_all: "x" } } },
      },
    },
  },
  securityRequirements: [{ schemes: { my_key: { list: [] } } }],
  defaultInputModes: ["text/plain"],
  defaultOutputModes: ["application/json; charset=utf-8"],
  skills: [{ id: "s", name: "s", description: "s", tags: ["t"], examples: ["e"] }],
  signatures: [{ protected: Buffer.from(JSON.stringify({ alg: "ES256", kid: "k", typ: "JOSE" })).toString("base64url"), signature: "c2ln" }],
};

const RIGHT_03 = {
  protocolVersion: "0.3.0",
  name: "n",
  description: "d",
  version: "1",
  url: "https://example.com/rpc",
  preferredTransport: "JSONRPC",
  additionalInterfaces: [
    { transport: "JSONRPC", url: "https://example.com/rpc" },
    { transport: "GRPC", url: "example.com:443" },
  ],
  capabilities: { streaming: true },
  securitySchemes: { k: { type: "apiKey", in: "header", name: "X" } },
  security: [{ k: [] }],
  defaultInputModes: ["text/plain"],
  defaultOutputModes: ["text/plain"],
  skills: [{ id: "s", name: "s", description: "s", tags: ["t"] }],
};

/** The rules that a card breaks. */
function broken(card: unknown): readonly string[] {
  return checkCard(card).flatMap((finding) => (finding.ok ? [] : [`${finding.level} ${finding.rule}`]));
}

test("right cards of 1.0, of 0.3 and of both break no rule", () => {
  assert.deepEqual(broken(RIGHT), []);
  assert.deepEqual(broken(RIGHT_03), []);
  const { securitySchemes: _, security: __, ...rest } = RIGHT_03;
  assert.deepEqual(broken({ ...rest, supportedInterfaces: RIGHT.supportedInterfaces }), []);
  assert.ok(checkCard(RIGHT).length > 25, "kept rules are told too");
});

test("each broken rule is named, with what was found", () => {
  const cases: readonly (readonly [object, string])[] = [
    [{ name: "" }, "MUST 4.4.1 name"],
    [{ supportedInterfaces: [] }, "MUST 8.3.1 supportedInterfaces"],
    [{ supportedInterfaces: [{ url: "/rpc", protocolBinding: "JSONRPC", protocolVersion: "1.0" }] }, "MUST 4.4.6 supportedInterfaces[0].url"],
    [{ supportedInterfaces: [{ url: "http://example.com", protocolBinding: "JSONRPC", protocolVersion: "1.0" }] }, "SHOULD 7.1 supportedInterfaces[0].url"],
    [
      { supportedInterfaces: [{ url: "https://example.com", protocolBinding: "JSONRPC", protocolVersion: "1.0.1" }] },
      "SHOULD 3.6 supportedInterfaces[0].protocolVersion",
    ],
    [
      { supportedInterfaces: [{ url: "https://example.com", protocolBinding: "SOAP", protocolVersion: "1.0" }] },
      "SHOULD 5.8 supportedInterfaces[0].protocolBinding",
    ],
    [{ supportedInterfaces: [{ url: "https://example.com", protocolBinding: "GRPC", protocolVersion: "1.0" }] }, "SHOULD 4.4.6 supportedInterfaces[0].url"],
    [{ supportedInterfaces: [{ url: "/ws", protocolBinding: "urn:x:websocket:1", protocolVersion: "1.0" }] }, "MUST 12.7 supportedInterfaces[0].url"],
    [
      { supportedInterfaces: [{ url: "ws://example.com/ws", protocolBinding: "urn:x:websocket:1", protocolVersion: "1.0" }] },
      "SHOULD 7.1 supportedInterfaces[0].url",
    ],
    [{ capabilities: undefined }, "MUST 4.4.3 capabilities"],
    [{ capabilities: { streaming: "yes" } }, "MUST 4.4.3 capabilities.streaming"],
    [{ defaultInputModes: ["text"] }, "SHOULD 4.4.1 defaultInputModes"],
    [{ skills: [{ id: "s", name: "s", description: "s", tags: [] }] }, "MUST 4.4.5 skills[0].tags"],
    [{ skills: [RIGHT.skills[0], RIGHT.skills[0]] }, "MUST 4.4.5 skills[].id"],
    [{ securitySchemes: { my_key: { type: "apiKey" } } }, "MUST 4.5.1 securitySchemes.my_key"],
    [{ securityRequirements: [{ schemes: { other: { list: [] } } }] }, "MUST 4.4.1 securityRequirements[0]"],
    [{ signatures: [{ protected: "e30", signature: "c2ln" }] }, "MUST 8.4.2 signatures[0].protected.kid"],
    [{ provider: { organization: "o" } }, "MUST 4.4.2 provider.url"],
    [{ default_input_modes: ["text/plain"] }, "MUST 5.5 names"],
    [{ iconUrl: null }, "SHOULD 5.7 null members"],
  ];
  for (const [change, rule] of cases)
    assert.ok(broken({ ...RIGHT, ...change }).includes(rule), `${rule} was not among ${broken({ ...RIGHT, ...change }).join(", ")}`);
  assert.ok(broken({ ...RIGHT_03, protocolVersion: "1.0" }).includes("MUST 5.5 protocolVersion"));
  assert.ok(broken({ ...RIGHT_03, additionalInterfaces: [{ transport: "GRPC", url: RIGHT_03.url }] }).includes("MUST 5.6.4 additionalInterfaces"));
  const finding = checkCard({ ...RIGHT, name: 5 }).find((one) => !one.ok);
  assert.deepEqual(finding, { rule: "4.4.1 name", level: "MUST", ok: false, found: "5", expected: "non-empty text" });
});

test("only a broken MUST makes a card wrong", () => {
  assert.equal(isCardRight(checkCard({ ...RIGHT, defaultInputModes: ["text"] })), true);
  assert.equal(isCardRight(checkCard({ ...RIGHT, name: "" })), false);
});

test("how a card is served is examined too", () => {
  const headers = new Headers({
    "content-type": "application/json",
    "cache-control": "public, max-age=60",
    etag: '"x"',
    "last-modified": "Sat, 21 Nov 2026 00:00:00 GMT",
  });
  assert.deepEqual(
    checkCard(RIGHT, { url: "https://example.com/.well-known/agent-card.json", headers }).filter((finding) => !finding.ok),
    [],
  );
  const bare = checkCard(RIGHT, { url: "https://example.com/card", headers: new Headers() }).filter((finding) => !finding.ok);
  assert.deepEqual(
    bare.map((finding) => finding.rule),
    ["8.2 path", "8.2 Content-Type", "8.6.1 Cache-Control", "8.6.1 ETag", "8.6.1 Last-Modified"],
  );
});

test("whatever is there instead of a card is told, never thrown", () => {
  fc.assert(
    fc.property(fc.jsonValue(), fc.constantFrom(...Object.keys(RIGHT), ...Object.keys(RIGHT_03)), (value, name) => {
      checkCard(value);
      checkCard({ ...RIGHT, [name]: value });
      checkCard({ ...RIGHT_03, [name]: value });
    }),
    { numRuns: 1000 },
  );
  assert.deepEqual(broken(null), ["MUST 8.1 card"]);
});

test("our own cards, in each form, break no rule", async (t) => {
  const server = await serving(
    t,
    [agentOf(async function* () {}, { description: "An agent", skills: [{ id: "s", name: "s", description: "s", tags: ["t"] }] })],
    { grpcPort: 0 },
  );
  for (const version of ["", "1.0", "0.3"]) {
    const response = await fetch(`${server.url}/.well-known/agent-card.json`, { headers: version === "" ? {} : { "a2a-version": version } });
    const findings = checkCard(await response.json(), { url: response.url, headers: response.headers });
    assert.deepEqual(
      findings.filter((finding) => !finding.ok),
      [],
      `A2A-Version: ${version}`,
    );
  }
});
