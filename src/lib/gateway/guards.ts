import { IasError } from "../model/errors.ts";
import { isLoopbackHost } from "../net/address.ts";

/** Which hosts and origins a gateway answers to (SEMANTICS 23): against DNS rebinding and foreign pages. */
export interface Guards {
  /** Host names beside loopback, lower case, without port; `*` admits any. */
  readonly allowedHosts: ReadonlySet<string>;
  /** Origins beside the server's own, for example `https://app.example.com`; `*` admits any. */
  readonly allowedOrigins: ReadonlySet<string>;
}

/** Throws `forbidden` for a foreign Host or Origin, with the setting that would admit it. */
export function checkRequest(guards: Guards, headers: { readonly host?: string | undefined; readonly origin?: string | undefined }): void {
  const host = parseHost(headers.host);
  if (host === undefined) throw new IasError("invalid-request", "The Host header is missing, unreadable, or there more than once.");
  if (!isLoopbackHost(host.name) && !guards.allowedHosts.has(host.name) && !guards.allowedHosts.has("*")) {
    throw new IasError("forbidden", `The host ${JSON.stringify(host.name.slice(0, 100))} is not served here; add it to ALLOWED_HOSTS.`, {
      reason: "HOST_NOT_ALLOWED",
    });
  }
  const { origin } = headers;
  if (origin === undefined || guards.allowedOrigins.has(origin) || guards.allowedOrigins.has("*")) return;
  if (URL.canParse(origin) && new URL(origin).host === headers.host?.toLowerCase()) return;
  throw new IasError("forbidden", `The origin ${JSON.stringify(origin.slice(0, 100))} may not call this server; add it to ALLOWED_ORIGINS.`, {
    reason: "ORIGIN_NOT_ALLOWED",
  });
}

/** Host name (lower case, IPv6 without brackets) and port of a Host header. */
function parseHost(header: string | undefined): { readonly name: string } | undefined {
  if (header === undefined || !/^(\[[0-9a-f:.]+\]|[a-z0-9._-]+)(:\d{1,5})?$/i.test(header)) return undefined;
  return {
    name: header
      .replace(/:\d+$/, "")
      .replace(/^\[|\]$/g, "")
      .toLowerCase(),
  };
}
