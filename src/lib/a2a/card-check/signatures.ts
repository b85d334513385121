import { canonicalizeAgentCard } from "@a2a-js/sdk";
import { createLocalJWKSet, decodeProtectedHeader, flattenedVerify, type JSONWebKeySet } from "jose";
import type { JsonObject } from "../../model/a2a.ts";
import { IasError } from "../../model/errors.ts";
import type { GuardedFetch } from "../../net/guarded-fetch.ts";
import { canonicalJson } from "../card/sign.ts";
import { isObject } from "../../model/json.ts";
import { createReport, isList, isText, type CardFinding } from "./report.ts";

const MAX_KEYS_BYTES = 256 * 1024;

/**
 * Verifies the signatures of a card (8.4.3) with the keys at the address that each names (`jku`), fetched by the guarded fetch. A kept rule says that whoever controls that address
 * signed exactly this card; whether to trust them is the reader's to decide. A card without signatures has no findings. Never throws: what fails is a finding.
 */
export async function verifySignatures(card: unknown, fetch: GuardedFetch): Promise<readonly CardFinding[]> {
  const report = createReport();
  if (!isObject(card) || !isList(card["signatures"])) return report.findings;
  const { signatures, ...unsigned } = card;
  const payloads = payloadsOf(unsigned);
  for (const [index, entry] of (isList(signatures) ? signatures : []).entries()) {
    const rule = { section: "8.4.3", level: "SHOULD", expected: "a signature that verifies with the key at its jku" } as const;
    try {
      report.check(rule, `signatures[${index}]`, `signed with a key of ${await verify(isObject(entry) ? entry : {}, payloads, fetch)}`, true);
    } catch (error) {
      report.check(rule, `signatures[${index}]`, IasError.from(error).message, false);
    }
  }
  return report.findings;
}

/** The texts that signers sign: the card as it is in canonical form, and as the official SDKs reduce it first. */
function payloadsOf(unsigned: JsonObject): readonly string[] {
  const own = canonicalJson(unsigned);
  try {
    return [...new Set([own, canonicalizeAgentCard(unsigned as unknown as Parameters<typeof canonicalizeAgentCard>[0])])];
  } catch {
    return [own];
  }
}

/** Where the key was; throws when the signature does not verify. */
async function verify(entry: JsonObject, payloads: readonly string[], fetch: GuardedFetch): Promise<string> {
  const { protected: header, signature } = entry;
  if (!isText(header) || !isText(signature)) throw new IasError("invalid-params", "It has no protected header or no signature.");
  const { jku, alg } = decodeProtectedHeader({ protected: header, payload: "", signature });
  if (!isText(jku)) throw new IasError("invalid-params", "It names no address of its key (jku), so only a reader who has the key can verify it.");
  const response = await fetch(jku, { limits: { maxBytes: MAX_KEYS_BYTES } });
  if (!response.ok) throw new IasError("not-found", `Its keys at ${jku} cannot be had (HTTP ${response.status}).`);
  const keys = createLocalJWKSet((await response.json()) as JSONWebKeySet);
  for (const payload of payloads) {
    const jws = { protected: header, signature, payload: Buffer.from(payload).toString("base64url") };
    // The algorithm must be the header's own, and an asymmetric one: the keys are public.
    const verified = await flattenedVerify(jws, keys, { algorithms: alg === undefined || /^(HS|none)/i.test(alg) ? [] : [alg] }).catch(() => undefined);
    if (verified !== undefined) return jku;
  }
  throw new IasError("invalid-params", "It does not verify: the card was changed, or another key signed it.");
}
