import type { Authenticator } from "./authenticator.ts";

/**
 * Everybody is the one local user. Its tenant is empty, so the tenant that a request names partitions its tasks (`forTenant`).
 * For servers on loopback, or where something in front authenticates. Who can reach a loopback address can run programs here anyway: with `isOperator` it has
 * that role.
 */
export function createNoAuthenticator({ isOperator }: { readonly isOperator: boolean }): Authenticator {
  return {
    schemes: [],
    authenticate: async () => ({ tenant: "", user: "local", ...(isOperator && { roles: ["operator"] }) }),
    [Symbol.asyncDispose]: async () => undefined,
  };
}
