import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test, { type TestContext } from "node:test";
import { exportJWK, generateKeyPair } from "jose";
import { agentOf, serving } from "../../../../test/support/serving.ts";
import type { JsonObject } from "../../model/a2a.ts";
import { createGuardedFetch } from "../../net/guarded-fetch.ts";
import { verifySignatures } from "./signatures.ts";

/** Our own server's card, signed with a fresh key. */
async function signedCard(t: TestContext): Promise<JsonObject> {
  const folder = await mkdtemp(join(tmpdir(), "ias-card-"));
  t.after(() => rm(folder, { recursive: true }));
  const cardKeyFile = join(folder, "key.json");
  const { privateKey } = await generateKeyPair("ES256", { extractable: true });
  await writeFile(cardKeyFile, JSON.stringify(await exportJWK(privateKey)));
  const server = await serving(t, [agentOf(async function* () {})], { cardKeyFile });
  return (await (await fetch(`${server.url}/.well-known/agent-card.json`, { headers: { "a2a-version": "1.0" } })).json()) as JsonObject;
}

test("a signed card verifies with the key at its jku, a changed one does not", async (t) => {
  const card = await signedCard(t);
  await using guarded = createGuardedFetch({ allowLocal: true });
  const right = await verifySignatures(card, guarded);
  assert.ok(right.length > 0 && right.every((finding) => finding.ok), JSON.stringify(right));
  const changed = await verifySignatures({ ...card, name: "somebody else" }, guarded);
  assert.ok(changed.length > 0 && changed.every((finding) => !finding.ok), JSON.stringify(changed));
});

test("the address of a key is reached by the guarded fetch only", async (t) => {
  const card = await signedCard(t);
  await using strict = createGuardedFetch();
  const findings = await verifySignatures(card, strict);
  assert.ok(
    findings.every((finding) => !finding.ok && finding.found.includes("not a public address")),
    JSON.stringify(findings),
  );
});

test("signatures that cannot be verified are told, never thrown, and a card without any says nothing", async () => {
  await using guarded = createGuardedFetch({ allowLocal: true });
  for (const signature of [
    {},
    { protected: "!!", signature: "x" },
    { protected: Buffer.from('{"alg":"none"}').toString("base64url"), signature: "x" },
    "text",
  ]) {
    const findings = await verifySignatures({ name: "n", signatures: [signature] }, guarded);
    assert.deepEqual([findings.length, findings[0]?.ok], [1, false]);
  }
  assert.deepEqual(await verifySignatures({ name: "n" }, guarded), []);
  assert.deepEqual(await verifySignatures(null, guarded), []);
});
