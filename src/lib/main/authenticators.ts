import { readFile } from "node:fs/promises";
import { createSigningKey, type SigningKey } from "../a2a/signing-key.ts";
import { IasError } from "../model/errors.ts";
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
      return createApiKeys({ file: auth.file, ...options });
    case "jwt": {
      const { kind: _, jwks, ...rest } = auth;
      return createJwtAuthenticator({ ...rest, jwks: /^https?:\/\//.test(jwks) ? { url: jwks } : { file: jwks }, ...options });
    }
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
