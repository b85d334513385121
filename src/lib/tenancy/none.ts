import type { Authenticator } from "./authenticator.ts";

/**
 * Everybody is the one local user. Its tenant is empty, so the tenant that a request names partitions its tasks (`forTenant`).
 * For servers on loopback, or where something in front authenticates.
 */
export function createNoAuthenticator(): Authenticator {
  return {
    schemes: [],
    authenticate: async () => ({ tenant: "", user: "local" }),
    [Symbol.asyncDispose]: async () => undefined,
  };
}
