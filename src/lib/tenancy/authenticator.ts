import type { Principal } from "../model/key.ts";

/**
 * Who sends a request (SEMANTICS 22). Bindings ask it before anything else of a request is looked at; which tenant an authenticated principal may
 * name is theirs to check (`forTenant`): its own.
 *
 * MUST: give a principal with a `tenant` that is not empty, unless it authenticates nobody (`none`); say in errors what is wrong, never the credentials.
 */
export interface Authenticator extends AsyncDisposable {
  /**
   * Throws `unauthenticated` (reason CREDENTIALS_MISSING or CREDENTIALS_INVALID), which becomes 401 with `WWW-Authenticate`;
   * `unavailable` when the authority itself cannot be asked (retryable).
   */
  authenticate(request: Credentials): Promise<Principal>;
  /** For the agent card: any one of them is enough; none when no credentials are needed. */
  readonly schemes: readonly SecurityScheme[];
}

/** Headers of an HTTP request or metadata of a gRPC call, by lower-case name. */
export interface Credentials {
  header(name: string): string | undefined;
}

/** A way to authenticate, as a card declares it (specification 4.5). `name` is its key in `securitySchemes`. */
export type SecurityScheme =
  | { readonly kind: "http"; readonly name: string; readonly scheme: "Bearer"; readonly bearerFormat?: string; readonly description?: string }
  | { readonly kind: "api-key"; readonly name: string; readonly header: string; readonly description?: string }
  | { readonly kind: "open-id-connect"; readonly name: string; readonly url: string; readonly description?: string };
