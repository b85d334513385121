import { createLocalJWKSet, createRemoteJWKSet, customFetch, errors, type JSONWebKeySet, type JWTPayload, type JWTVerifyGetKey, jwtVerify } from "jose";
import { IasError } from "../model/errors.ts";
import type { Principal } from "../model/key.ts";
import type { Authenticator, SecurityScheme } from "./authenticator.ts";
import { missing, readBearer, refused } from "./bearer.ts";
import { openReloadedFile } from "./reloaded-file.ts";

/** Whose tokens are taken, and what they say. */
export interface JwtOptions {
  /** Where the issuer's public keys are: fetched and kept for 10 minutes, asked again for an unknown key; or a file, read again when it changes. */
  readonly jwks: { readonly url: string } | { readonly file: string };
  readonly issuer: string;
  /** The token must be for this audience. */
  readonly audience: string;
  /** Signature algorithms that are taken. Default: the asymmetric ones; `none` and shared secrets (HS…) are never. */
  readonly algorithms?: readonly string[];
  /** Which claims say who it is: a name, or the path to a nested one. Default `tenant` and `sub`; roles are optional. */
  readonly claims?: { readonly tenant?: Claim; readonly user?: Claim; readonly roles?: Claim };
  /** The tenant of a token that has no such claim; without it such a token is refused. */
  readonly defaultTenant?: string;
  /** How far clocks may differ, seconds. Default 30. */
  readonly clockToleranceS?: number;
  /** Named in the card instead of a plain bearer scheme. */
  readonly openIdConnectUrl?: string;
  readonly now: () => number;
  readonly report: (error: IasError) => void;
  /** Fetches the keys; the operator chose the address, so it may be private. Default `fetch`. */
  readonly fetch?: (url: string, init: RequestInit) => Promise<Response>;
}

/** The name of a claim, or the path to a nested one. */
export type Claim = string | readonly string[];

/** What `algorithms` admits by default. */
const ASYMMETRIC: readonly string[] = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA", "Ed25519"];

/**
 * Tokens of an issuer, verified by its keys: signature, issuer, audience, times (`exp` is required).
 * @throws IasError `configuration` for options that cannot work.
 */
export async function createJwtAuthenticator(options: JwtOptions): Promise<Authenticator> {
  const { issuer, audience, algorithms = ASYMMETRIC, clockToleranceS = 30, claims = {}, now } = options;
  const bad = algorithms.find((algorithm) => !ASYMMETRIC.includes(algorithm));
  if (bad !== undefined) throw new IasError("configuration", `The JWT algorithm ${JSON.stringify(bad)} is not taken; these are: ${ASYMMETRIC.join(", ")}.`);
  if (issuer === "" || audience === "") throw new IasError("configuration", "JWT authentication needs an issuer and an audience.");
  const getKey = "url" in options.jwks ? remoteKeys(options.jwks.url, options.fetch ?? fetch) : await fileKeys(options.jwks.file, options);

  return {
    schemes: [schemeOf(options)],
    async authenticate(request) {
      const token = readBearer(request);
      if (token === undefined) throw missing(`send a token of ${issuer} as "Authorization: Bearer <token>"`);
      let payload: JWTPayload;
      try {
        ({ payload } = await jwtVerify(token, getKey, {
          issuer,
          audience,
          algorithms: [...algorithms],
          clockTolerance: clockToleranceS,
          requiredClaims: ["exp"],
          currentDate: new Date(now()),
        }));
      } catch (error) {
        throw explain(error);
      }
      return toPrincipal(payload, claims, options.defaultTenant);
    },
    [Symbol.asyncDispose]: async () => undefined,
  };
}

function remoteKeys(url: string, fetchKeys: NonNullable<JwtOptions["fetch"]>): JWTVerifyGetKey {
  if (!URL.canParse(url)) throw new IasError("configuration", `The JWKS address ${JSON.stringify(url)} is not a URL.`);
  return createRemoteJWKSet(new URL(url), {
    [customFetch]: async (address: string, init: RequestInit) => {
      try {
        return await fetchKeys(address, init);
      } catch (error) {
        throw unreachable(error);
      }
    },
  });
}

async function fileKeys(file: string, { now, report }: JwtOptions): Promise<JWTVerifyGetKey> {
  const parse = (text: string): JWTVerifyGetKey => createLocalJWKSet(JSON.parse(text) as JSONWebKeySet);
  const keys = await openReloadedFile({ file, parse, empty: createLocalJWKSet({ keys: [] }), now, report });
  return async (header, token) => (await keys.current())(header, token);
}

/** What jose threw: the token's fault, or the keys' being out of reach. */
function explain(error: unknown): IasError {
  if (error instanceof IasError) return error;
  if (error instanceof errors.JWTExpired) return refused("The token has expired.", error);
  if (error instanceof errors.JWTClaimValidationFailed)
    return refused(`The token's claim ${JSON.stringify(error.claim)} does not fit: ${error.reason}.`, error);
  if (error instanceof errors.JOSEAlgNotAllowed) return refused("The token's signature algorithm is not taken here.", error);
  if (error instanceof errors.JWKSNoMatchingKey) return refused("The token is signed with a key that the issuer does not have.", error);
  if (error instanceof errors.JWSSignatureVerificationFailed) return refused("The token's signature is wrong.", error);
  if (error instanceof errors.JWTInvalid || error instanceof errors.JWSInvalid) return refused("The token is not a JWT.", error);
  if (error instanceof errors.JWKSTimeout || error instanceof errors.JWKSInvalid || error instanceof errors.JWKInvalid) return unreachable(error);
  // The remote key set answered with something else than 200 and JSON.
  if (error instanceof errors.JOSEError) return error.code === "ERR_JOSE_GENERIC" ? unreachable(error) : refused("The token cannot be verified.", error);
  return refused("The token cannot be verified.", error);
}

function unreachable(cause: unknown): IasError {
  return new IasError("unavailable", "The keys of the token's issuer cannot be fetched at the moment.", {
    cause,
    retryable: true,
    retryAfterMs: 5000,
    reason: "ISSUER_UNREACHABLE",
  });
}

function toPrincipal(payload: JWTPayload, claims: NonNullable<JwtOptions["claims"]>, defaultTenant: string | undefined): Principal {
  const user = readClaim(payload, claims.user ?? "sub");
  const tenant = readClaim(payload, claims.tenant ?? "tenant") ?? defaultTenant;
  const roles = claims.roles === undefined ? undefined : readClaim(payload, claims.roles);
  return {
    tenant: nonEmpty(tenant, claims.tenant ?? "tenant"),
    user: nonEmpty(user, claims.user ?? "sub"),
    ...(Array.isArray(roles) && { roles: roles.filter((role) => typeof role === "string") }),
    ...(typeof roles === "string" && { roles: roles.split(" ").filter((role) => role !== "") }),
  };
}

function readClaim(payload: JWTPayload, claim: Claim): unknown {
  let value: unknown = payload;
  for (const name of typeof claim === "string" ? [claim] : claim) {
    value = value !== null && typeof value === "object" && Object.hasOwn(value, name) ? (value as Record<string, unknown>)[name] : undefined;
  }
  return value;
}

function nonEmpty(value: unknown, claim: Claim): string {
  if (typeof value === "string" && value !== "" && value.length <= 256) return value;
  throw refused(`The token needs the claim ${JSON.stringify(claim)}, a text of 1 to 256 characters.`);
}

function schemeOf({ openIdConnectUrl }: JwtOptions): SecurityScheme {
  if (openIdConnectUrl !== undefined) return { kind: "open-id-connect", name: "openIdConnect", url: openIdConnectUrl };
  return { kind: "http", name: "bearer", scheme: "Bearer", bearerFormat: "JWT" };
}
