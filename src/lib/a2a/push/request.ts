import { createHash, createHmac } from "node:crypto";
import { IasError } from "../../model/errors.ts";
import type { GuardedFetch } from "../../net/guarded-fetch.ts";
import { readRetryAfter } from "../../net/retry-after.ts";
import type { SigningKey } from "../signing-key.ts";
import { HMAC_SCHEME, isScheme, JWT_SCHEME, type KeptConfig } from "./config.ts";

/** One notification, ready to go as often as it needs. */
export interface Notification {
  /** The same at each attempt. */
  readonly id: string;
  readonly body: string;
  readonly contentType: string;
}

/** What all requests of a server share. */
export interface PostOptions {
  readonly fetch: GuardedFetch;
  readonly signingKey?: SigningKey | undefined;
  /** The issuer in signed tokens: the server's own URL. */
  readonly issuer: () => string;
  readonly now: () => number;
  readonly signal: AbortSignal;
  /** Until the answer, ms. */
  readonly timeoutMs: number;
}

/** What became of an attempt. */
export type Posted =
  | { readonly kind: "delivered" }
  | { readonly kind: "failed"; readonly why: string; readonly retryAfterMs?: number | undefined; /** The receiver wants no more. */ readonly gone: boolean };

/** Sends a notification once. A 2xx answer is delivery; anything else is not, redirects included: a receiver that moves is configured anew. Never throws. */
export async function post(kept: KeptConfig, notification: Notification, options: PostOptions): Promise<Posted> {
  const { url } = kept.config;
  try {
    const response = await options.fetch(url, {
      method: "POST",
      headers: await headersOf(kept, notification, options),
      body: notification.body,
      signal: options.signal,
      limits: { maxRedirects: 0, totalTimeoutMs: options.timeoutMs, headersTimeoutMs: options.timeoutMs, idleTimeoutMs: options.timeoutMs },
    });
    await response.body?.cancel();
    if (response.ok) return { kind: "delivered" };
    return {
      kind: "failed",
      why: `${new URL(url).origin} answered ${response.status}`,
      retryAfterMs: readRetryAfter(response.headers.get("retry-after"), options.now()),
      gone: response.status === 410,
    };
  } catch (error) {
    return { kind: "failed", why: IasError.from(error, "unavailable").message, gone: false };
  }
}

/**
 * Content type, the caller's token and authentication, and the headers of Standard Webhooks: `webhook-id` (the same at each attempt),
 * `webhook-timestamp` (s), and with the scheme HMAC-SHA256 `webhook-signature`.
 */
async function headersOf({ config }: KeptConfig, { id, body, contentType }: Notification, options: PostOptions): Promise<Record<string, string>> {
  const { token, authentication, url } = config;
  const seconds = Math.floor(options.now() / 1000);
  const headers: Record<string, string> = {
    "content-type": contentType,
    "user-agent": "infinite-agent-streams",
    "webhook-id": id,
    "webhook-timestamp": String(seconds),
    ...(token !== undefined && { "x-a2a-notification-token": token }),
  };
  if (authentication === undefined) return headers;
  const { scheme, credentials = "" } = authentication;
  if (isScheme(scheme, HMAC_SCHEME)) {
    headers["webhook-signature"] = `v1,${createHmac("sha256", secretBytes(credentials)).update(`${id}.${seconds}.${body}`).digest("base64")}`;
  } else if (isScheme(scheme, JWT_SCHEME)) {
    headers["authorization"] = `Bearer ${await tokenOf(url, id, body, seconds, options)}`;
  } else headers["authorization"] = credentials === "" ? scheme : `${scheme} ${credentials}`;
  return headers;
}

/** A JWT over the body's hash, as A2A's own samples have it; its key is at `JWKS_PATH`. */
async function tokenOf(url: string, id: string, body: string, seconds: number, { signingKey, issuer }: PostOptions): Promise<string> {
  if (signingKey === undefined) throw new IasError("configuration", "This server has no key to sign webhooks with.");
  const claims = {
    iss: issuer(),
    aud: new URL(url).origin,
    iat: seconds,
    exp: seconds + 300,
    jti: id,
    request_body_sha256: createHash("sha256").update(body).digest("hex"),
  };
  return signingKey.signCompact(Buffer.from(JSON.stringify(claims)), { typ: "JWT" });
}

/** Standard Webhooks writes secrets as `whsec_` and base64; any other text stands for its own bytes. */
function secretBytes(secret: string): Buffer {
  return secret.startsWith("whsec_") ? Buffer.from(secret.slice("whsec_".length), "base64") : Buffer.from(secret);
}
