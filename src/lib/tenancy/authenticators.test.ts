import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import http from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test, { after } from "node:test";
import { exportJWK, generateKeyPair, SignJWT } from "jose";
import { IasError } from "../model/errors.ts";
import { createApiKeys, makeApiKey } from "./api-keys.ts";
import type { Authenticator, Credentials } from "./authenticator.ts";
import { createJwtAuthenticator, type JwtOptions } from "./jwt.ts";
import { createNoAuthenticator } from "./none.ts";

const folder = await mkdtemp(join(tmpdir(), "ias-tenancy-"));
after(() => rm(folder, { recursive: true, force: true }));

function headers(values: Record<string, string>): Credentials {
  return { header: (name) => values[name] };
}

function bearer(token: string): Credentials {
  return headers({ authorization: `Bearer ${token}` });
}

async function refusal(authenticator: Authenticator, request: Credentials): Promise<IasError> {
  try {
    assert.fail(`admitted ${JSON.stringify(await authenticator.authenticate(request))}`);
  } catch (error) {
    assert.ok(error instanceof IasError, String(error));
    return error;
  }
}

test("none: everybody is the one local user", async () => {
  assert.deepEqual(await createNoAuthenticator({ isOperator: false }).authenticate(bearer("anything")), { tenant: "", user: "local" });
  const local = { tenant: "", user: "local", roles: ["operator"] };
  assert.deepEqual(await createNoAuthenticator({ isOperator: true }).authenticate(bearer("anything")), local);
});

test("api keys: known by hash in either header, others refused", async () => {
  const file = join(folder, "keys");
  const ann = makeApiKey({ tenant: "acme", user: "ann", roles: ["operator"] });
  await writeFile(file, `# our keys\n\n${ann.line}\n`);
  assert.ok(!ann.line.includes(ann.key));
  await using keys = await createApiKeys({ file, now: () => 0, report: assert.ifError });
  const principal = { tenant: "acme", user: "ann", roles: ["operator"] };
  assert.deepEqual(await keys.authenticate(bearer(ann.key)), principal);
  assert.deepEqual(await keys.authenticate(headers({ "x-api-key": ann.key })), principal);
  assert.equal((await refusal(keys, headers({}))).reason, "CREDENTIALS_MISSING");
  for (const request of [
    bearer(`${ann.key}x`),
    headers({ "x-api-key": JSON.parse(ann.line).sha256 as string }),
    headers({ authorization: `Basic ${ann.key}` }),
  ]) {
    const error = await refusal(keys, request);
    assert.deepEqual([error.code, error.reason], ["unauthenticated", "CREDENTIALS_INVALID"]);
    assert.ok(!error.message.includes(ann.key));
  }
});

test("api keys: the file is read again when it changes; a bad one changes nothing, a missing one admits nobody", async () => {
  const file = join(folder, "changing");
  let clock = 0;
  const reports: string[] = [];
  const [ann, bob] = [makeApiKey({ tenant: "acme", user: "ann" }), makeApiKey({ tenant: "acme", user: "bob" })];
  await writeFile(file, ann.line);
  await using keys = await createApiKeys({ file, now: () => clock, report: (error) => reports.push(error.message) });
  await writeFile(file, `${ann.line}\n${bob.line}\n`);
  await refusal(keys, bearer(bob.key));
  clock = 1000;
  assert.equal((await keys.authenticate(bearer(bob.key))).user, "bob");
  await writeFile(file, `${bob.line}\n{"sha256":"secret-by-mistake"}`);
  clock = 2000;
  assert.equal((await keys.authenticate(bearer(ann.key))).user, "ann");
  assert.match(reports[0] ?? "", /line 2 is not/);
  assert.ok(!reports[0]?.includes("secret-by-mistake"));
  await rm(file);
  clock = 3000;
  await refusal(keys, bearer(ann.key));
  assert.match(reports[1] ?? "", /is gone/);
  await assert.rejects(createApiKeys({ file, now: () => 0, report: assert.ifError }), /is not there/);
});

const NOW = Date.parse("2026-01-01T00:00:00Z");
const { publicKey, privateKey } = await generateKeyPair("ES256", { extractable: true });
const jwks = { keys: [{ ...(await exportJWK(publicKey)), kid: "k1", alg: "ES256" }] };

async function sign(
  claims: Record<string, unknown>,
  options: { readonly kid?: string; readonly key?: typeof privateKey; readonly expiresInS?: number } = {},
): Promise<string> {
  const token = new SignJWT(claims).setProtectedHeader({ alg: "ES256", kid: options.kid ?? "k1" }).setIssuedAt(NOW / 1000);
  return token.setExpirationTime(NOW / 1000 + (options.expiresInS ?? 60)).sign(options.key ?? privateKey);
}

async function fromFile(overrides: Partial<JwtOptions> = {}): Promise<Authenticator> {
  const file = join(folder, "jwks.json");
  await writeFile(file, JSON.stringify(jwks));
  return createJwtAuthenticator({ jwks: { file }, issuer: "https://id", audience: "ias", now: () => NOW, report: assert.ifError, ...overrides });
}

const GOOD = { iss: "https://id", aud: "ias", sub: "ann", tenant: "acme" };

test("jwt: a good token says who it is", async () => {
  const authenticator = await fromFile();
  assert.deepEqual(await authenticator.authenticate(bearer(await sign(GOOD))), { tenant: "acme", user: "ann" });
  assert.deepEqual(authenticator.schemes, [{ kind: "http", name: "bearer", scheme: "Bearer", bearerFormat: "JWT" }]);
});

test("jwt: claims are mapped, nested ones too", async () => {
  const authenticator = await fromFile({ claims: { tenant: ["org", "id"], user: "https://x/user", roles: "scope" }, defaultTenant: "solo" });
  const token = await sign({ ...GOOD, org: { id: "o1" }, "https://x/user": "u1", scope: "read operator" });
  assert.deepEqual(await authenticator.authenticate(bearer(token)), { tenant: "o1", user: "u1", roles: ["read", "operator"] });
  assert.equal((await authenticator.authenticate(bearer(await sign({ ...GOOD, "https://x/user": "u1" })))).tenant, "solo");
});

test("jwt: what is wrong with a token is refused and said", async () => {
  const authenticator = await fromFile();
  const other = await generateKeyPair("ES256");
  const unsigned = `${Buffer.from('{"alg":"none"}').toString("base64url")}.${Buffer.from(JSON.stringify({ ...GOOD, exp: NOW })).toString("base64url")}.`;
  const secret = await new SignJWT(GOOD)
    .setProtectedHeader({ alg: "HS256", kid: "k1" })
    .setExpirationTime(NOW / 1000 + 60)
    .sign(Buffer.from(JSON.stringify(jwks.keys[0])));
  const endless = await new SignJWT(GOOD).setProtectedHeader({ alg: "ES256", kid: "k1" }).sign(privateKey);
  for (const [token, says] of [
    [await sign(GOOD, { expiresInS: -31 }), /has expired/],
    [await sign({ ...GOOD, aud: "other" }), /"aud"/],
    [await sign({ ...GOOD, iss: "https://evil" }), /"iss"/],
    [await sign({ ...GOOD, tenant: "" }), /claim "tenant"/],
    [await sign({ ...GOOD, sub: 7 }), /claim "sub"|"sub"/],
    [await sign(GOOD, { key: other.privateKey }), /signature is wrong/],
    [await sign(GOOD, { kid: "k2" }), /a key that the issuer does not have/],
    [endless, /"exp"/],
    [unsigned, /algorithm is not taken/],
    [secret, /algorithm is not taken/],
    ["not.a.jwt", /not a JWT/],
    ["x", /not a JWT/],
  ] as const) {
    const error = await refusal(authenticator, bearer(token));
    assert.deepEqual([error.code, error.reason], ["unauthenticated", "CREDENTIALS_INVALID"]);
    assert.match(error.message, says);
  }
  assert.equal((await refusal(authenticator, headers({}))).reason, "CREDENTIALS_MISSING");
  assert.equal((await authenticator.authenticate(bearer(await sign(GOOD, { expiresInS: -29 })))).user, "ann", "clocks may differ by 30 s");
});

test("jwt: keys come from the issuer's address; while it is down that is not the caller's fault", async () => {
  let up = false;
  const server = http.createServer((_request, response) => (up ? response.end(JSON.stringify(jwks)) : response.writeHead(503).end())).listen(0, "127.0.0.1");
  await once(server, "listening");
  try {
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/jwks`;
    const authenticator = await fromFile({ jwks: { url } });
    const token = await sign(GOOD);
    const error = await refusal(authenticator, bearer(token));
    assert.deepEqual([error.code, error.retryable], ["unavailable", true]);
    const gone = await fromFile({ jwks: { url: "http://127.0.0.1:9/jwks" } });
    assert.equal((await refusal(gone, bearer(token))).code, "unavailable");
    up = true;
    assert.equal((await authenticator.authenticate(bearer(token))).user, "ann");
  } finally {
    server.close();
    server.closeAllConnections();
  }
});

test("jwt: options that cannot be safe are refused", async () => {
  await assert.rejects(fromFile({ algorithms: ["HS256"] }), /"HS256" is not taken/);
  await assert.rejects(fromFile({ audience: "" }), /needs an issuer and an audience/);
});
