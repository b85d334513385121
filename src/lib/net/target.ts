import { lookup as dnsLookup } from "node:dns/promises";
import { IasError } from "../model/errors.ts";
import { isAllowed, literalAddress, zoneOf } from "./address.ts";

/** A URL that may be connected to, at these addresses (of its name, those that are allowed; at least one). */
export interface Target {
  readonly url: URL;
  readonly addresses: readonly string[];
}

/** Which addresses may be reached beside public ones. */
export interface Allowance {
  readonly local: boolean;
  readonly private: boolean;
}

/** None beside public ones. */
export const PUBLIC_ONLY: Allowance = { local: false, private: false };

/** A target as it was given. @throws IasError `invalid-params` with reason TARGET_INVALID: not an http(s) URL, credentials in it, port 0. */
export function parseTarget(input: string | URL): URL {
  if (!URL.canParse(String(input))) throw new IasError("invalid-params", "The target is not an absolute URL.", { reason: "TARGET_INVALID" });
  const url = new URL(String(input));
  if (url.protocol !== "http:" && url.protocol !== "https:") {
    throw new IasError("invalid-params", `The target's scheme is ${url.protocol} but must be http: or https:.`, { reason: "TARGET_INVALID" });
  }
  if (url.username !== "" || url.password !== "")
    throw new IasError("invalid-params", "The target URL holds credentials; send them in a header.", { reason: "TARGET_INVALID" });
  if (url.port === "0") throw new IasError("invalid-params", "The target's port is 0.", { reason: "TARGET_INVALID" });
  url.hash = "";
  return url;
}

/** The addresses of `hostname` that may be connected to. @throws IasError `forbidden` (TARGET_NOT_ALLOWED) or `unavailable` (CONNECT_FAILED) when there is none. */
export async function judgeTarget(hostname: string, allow: Allowance, resolve: (hostname: string) => Promise<readonly string[]>): Promise<readonly string[]> {
  const literal = literalAddress(hostname);
  const found = literal === undefined ? await resolve(hostname).catch((error: unknown) => Promise.reject(unresolved(hostname, error))) : [literal];
  const allowed = found.filter((address) => isAllowed(zoneOf(address), allow));
  if (allowed.length > 0) return allowed;
  if (found.length === 0) throw unresolved(hostname, undefined);
  // The address itself is not told: whoever chose the name could use us to look into our network's names.
  const hint =
    "A client opens loopback with allowLocal: true and private ranges with allowPrivate: true; a server that is bound to loopback opens loopback with ALLOW_LOCAL_TARGETS=1.";
  throw new IasError("forbidden", `${hostname} is not a public address. ${hint}`, { reason: "TARGET_NOT_ALLOWED", details: { host: hostname } });
}

function unresolved(hostname: string, cause: unknown): IasError {
  return new IasError("unavailable", `${hostname} has no address.`, { cause, retryable: true, reason: "CONNECT_FAILED" });
}

/** Every address of a name, from the system's resolver. */
export async function systemResolve(hostname: string): Promise<readonly string[]> {
  const found = await dnsLookup(hostname, { all: true, order: "verbatim" });
  return found.map((entry) => entry.address);
}
