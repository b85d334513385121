import { readFile } from "node:fs/promises";
import { createSigningKey, type SigningKey } from "../a2a/signing-key.ts";
import { IasError, messageOf } from "../model/errors.ts";
import { isLoopbackHost } from "../net/address.ts";
import { createApiKeys } from "../tenancy/api-keys.ts";
import type { Authenticator } from "../tenancy/authenticator.ts";
import { createJwtAuthenticator } from "../tenancy/jwt.ts";
import { createNoAuthenticator } from "../tenancy/none.ts";
import type { Auth } from "./settings.ts";

/** The authenticator that settings ask for. Throws `configuration`. */
export async function openAuthenticator(
  auth: Auth | undefined,
  { host, ...options }: { readonly host: string; readonly now: () => number; readonly report: (error: IasError) => void },
): Promise<Authenticator> {
  switch (auth?.kind) {
    case undefined:
      return createNoAuthenticator({ isOperator: isLoopbackHost(host) });
    case "api-keys":
      return naming("API_KEYS_FILE", createApiKeys({ file: auth.file, ...options }));
    case "jwt": {
      const { kind: _, jwks, ...rest } = auth;
      return naming("JWT_JWKS", createJwtAuthenticator({ ...rest, jwks: /^https?:\/\//.test(jwks) ? { url: jwks } : { file: jwks }, ...options }));
    }
  }
}

/** Says of a setting that cannot be used which one it is. */
async function naming(setting: string, opened: Promise<Authenticator>): Promise<Authenticator> {
  try {
    return await opened;
  } catch (cause) {
    throw new IasError("configuration", `${setting}: ${messageOf(cause)}`, { cause });
  }
}

/** The key that signs cards, from a file with a private JWK. Throws `configuration`. */
export async function readSigningKey(file: string): Promise<SigningKey> {
  let jwk: unknown;
  try {
    jwk = JSON.parse(await readFile(file, "utf8"));
  } catch (error) {
    throw new IasError("configuration", `CARD_KEY_FILE ${file} cannot be read as JSON; it must hold a private key as JWK.`, { cause: error });
  }
  return createSigningKey(jwk as Parameters<typeof createSigningKey>[0]);
}
