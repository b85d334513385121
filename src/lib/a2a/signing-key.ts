import { calculateJwkThumbprint, CompactSign, exportJWK, FlattenedSign, generateKeyPair, importJWK, type JWK } from "jose";
import type { Records } from "../log/records.ts";
import { IasError } from "../model/errors.ts";
import { joinKey } from "../model/key.ts";
import { methodNotAllowed, type Page } from "../net/page.ts";

/** A private key that signs cards and webhooks, and its public half for everybody. */
export interface SigningKey {
  readonly kid: string;
  readonly alg: string;
  /** What `/.well-known/jwks.json` shows. */
  readonly publicJwk: JWK;
  /** A JWS over `payload` with this protected header (`alg` and `kid` are added), as its three parts in base64url. */
  sign(
    payload: Uint8Array,
    header: Readonly<Record<string, unknown>>,
  ): Promise<{ readonly protected: string; readonly payload: string; readonly signature: string }>;
  /** The same in the compact form. */
  signCompact(payload: Uint8Array, header: Readonly<Record<string, unknown>>): Promise<string>;
}

/** Members of a JWK that are nobody else's business. */
const PRIVATE_MEMBERS: ReadonlySet<string> = new Set(["d", "p", "q", "dp", "dq", "qi", "oth", "k", "key_ops", "ext"]);

/** A signing key from a private JWK (EC, RSA or Ed25519); `kid` is its thumbprint if it has none. @throws IasError `configuration`. */
export async function createSigningKey(jwk: JWK): Promise<SigningKey> {
  const alg = jwk.alg ?? algorithmOf(jwk);
  if (alg === undefined || jwk.d === undefined) throw new IasError("configuration", "The signing key must be a private JWK of kty EC, RSA or OKP (Ed25519).");
  const key = await importJWK(jwk, alg).catch((error: unknown) => {
    throw new IasError("configuration", `The signing key cannot be read as ${alg}.`, { cause: error });
  });
  const shown = Object.fromEntries(Object.entries(jwk).filter(([name]) => !PRIVATE_MEMBERS.has(name)));
  const kid = jwk.kid ?? (await calculateJwkThumbprint(jwk));
  return {
    kid,
    alg,
    publicJwk: { ...shown, kty: jwk.kty ?? "", kid, alg, use: "sig" },
    async sign(payload, header) {
      const jws = await new FlattenedSign(payload).setProtectedHeader({ ...header, alg, kid }).sign(key);
      return { protected: jws.protected ?? "", payload: jws.payload, signature: jws.signature };
    },
    signCompact: (payload, header) => new CompactSign(payload).setProtectedHeader({ ...header, alg, kid }).sign(key),
  };
}

/** The store's own key (ES256): made once, kept in its records, so that receivers can go on trusting it after a restart. */
export async function loadSigningKey(records: Records): Promise<SigningKey> {
  const key = joinKey("server", "signing-key");
  let text = (await records.get(key))?.value;
  if (text === undefined) {
    const { privateKey } = await generateKeyPair("ES256", { extractable: true });
    text = JSON.stringify(await exportJWK(privateKey));
    const put = await records.put({ key, value: text, ifVersion: 0 });
    if (!put.ok && put.found !== undefined) text = put.found.value;
  }
  return createSigningKey(JSON.parse(text) as JWK);
}

/** Where the public halves are. */
export const JWKS_PATH = "/.well-known/jwks.json";

/** Shows the public halves at `JWKS_PATH`. */
export function createJwksPage(keys: readonly SigningKey[]): Page {
  const body = JSON.stringify({ keys: keys.map((key) => key.publicJwk) });
  return async ({ method, url }) => {
    if (url.pathname !== JWKS_PATH) return undefined;
    if (method !== "GET" && method !== "HEAD") return methodNotAllowed("GET, HEAD");
    return { status: 200, headers: { "content-type": "application/jwk-set+json", "cache-control": "public, max-age=300" }, body };
  };
}

function algorithmOf(jwk: JWK): string | undefined {
  if (jwk.kty === "RSA") return "RS256";
  if (jwk.kty === "OKP" && jwk.crv === "Ed25519") return "EdDSA";
  if (jwk.kty !== "EC") return undefined;
  return { "P-256": "ES256", "P-384": "ES384", "P-521": "ES512" }[jwk.crv ?? ""];
}
