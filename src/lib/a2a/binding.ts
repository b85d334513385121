import type { Agent } from "../engine/agent.ts";
import { EXTENSION_URI } from "../model/entry.ts";
import { IasError, invalidField } from "../model/errors.ts";
import type { Principal } from "../model/key.ts";
import type { Limits } from "../model/limits.ts";
import type { Call, FrameStream, Operations } from "./operations.ts";

/**
 * What an HTTP binding is: a function from a request to a reply, without sockets. The gateway has checked Host, Origin and credentials, read the
 * body (`maxBodyBytes`), and writes what comes back; so bindings are tested without a server.
 */
export type HttpBinding = (operations: Operations, request: BindingRequest) => Promise<Reply>;

/** A request that the gateway has let in. */
export interface BindingRequest {
  /** Upper case. */
  readonly method: string;
  /** What follows the binding's own prefix, percent-encoded: "" or begins with "/". */
  readonly path: string;
  readonly query: URLSearchParams;
  /** A header by its lower-case name; several values joined by ", ". */
  header(name: string): string | undefined;
  readonly body: Buffer;
  readonly principal: Principal;
  readonly agent: Agent;
  /** Aborted when the caller is gone. */
  readonly signal: AbortSignal;
}

/** A whole answer, or a stream with the binding's framing. */
export type Reply =
  | { readonly kind: "whole"; readonly status: number; readonly headers: Readonly<Record<string, string>>; readonly body: string }
  | { readonly kind: "stream"; readonly stream: FrameStream; readonly framing: Framing };

/** SSE around a frame: three slices, `prefix + event + suffix` is the data line's content (SEMANTICS 7). */
export interface Framing {
  /** Beside the SSE headers. */
  readonly headers: Readonly<Record<string, string>>;
  readonly prefix: string;
  readonly suffix: string;
  /** The data line that ends a stream which broke, where the binding has one. */
  readonly error: (error: unknown) => string;
}

/** What a request names as its version, in the header or else in the query, whose key may be of any case (specification 3.2.6); "" if nothing. */
export function namedVersion({ header, query }: Pick<BindingRequest, "header" | "query">): string {
  const named = header("a2a-version") ?? [...query].find(([name]) => name.toLowerCase() === "a2a-version")?.[1];
  return (named ?? "").trim();
}

/** The protocol version that a request asks for: "" means 0.3 (specification 3.6.2), patch numbers do not matter. Throws `version-not-supported`. */
export function readVersion(request: Pick<BindingRequest, "header" | "query">): Call["version"] {
  const asked = namedVersion(request);
  if (asked === "" || /^0\.3(\.\d+)?$/.test(asked)) return "0.3";
  if (/^1\.0(\.\d+)?$/.test(asked)) return "1.0";
  throw new IasError("version-not-supported", `A2A-Version ${JSON.stringify(asked.slice(0, 20))} is not served here; 1.0 and 0.3 are.`, {
    details: { supported: "1.0, 0.3" },
  });
}

/** URIs named in `A2A-Extensions`, and in the `X-A2A-Extensions` of 0.3. */
export function readExtensions(request: Pick<BindingRequest, "header">): ReadonlySet<string> {
  const text = [request.header("a2a-extensions"), request.header("x-a2a-extensions")].filter((value) => value !== undefined).join(",");
  return new Set(
    text
      .split(",")
      .map((uri) => uri.trim())
      .filter((uri) => uri !== ""),
  );
}

/** Longest idempotency key and tenant that a caller may name, characters. */
const MAX_NAME_LENGTH = 256;

/** The call that a request makes. `tenant` is the one in its parameters or path, if any. */
export function toCall(request: BindingRequest, version: Call["version"], tenant: string | undefined): Call {
  const lastEventId = request.header("last-event-id");
  const idempotencyKey = request.header("idempotency-key");
  if (idempotencyKey !== undefined && idempotencyKey.length > MAX_NAME_LENGTH)
    throw new IasError("invalid-request", `The Idempotency-Key header is longer than ${MAX_NAME_LENGTH} characters.`);
  return {
    principal: forTenant(request.principal, tenant),
    agent: request.agent,
    version,
    extensions: readExtensions(request),
    signal: request.signal,
    ...(lastEventId !== undefined && lastEventId !== "" && { lastEventId }),
    ...(idempotencyKey !== undefined && idempotencyKey !== "" && { idempotencyKey }),
  };
}

/**
 * The principal in the tenant that a request names. The local principal of a server without authentication has no tenant of its own (`""`) and takes
 * any; an authenticated one only its own: another tenant's tasks do not exist for it, and it cannot make any there.
 */
export function forTenant(principal: Principal, tenant: string | undefined): Principal {
  if (tenant === undefined || tenant === "" || tenant === principal.tenant) return principal;
  if (principal.tenant !== "") throw new IasError("forbidden", `These credentials are not for the tenant ${JSON.stringify(tenant.slice(0, 64))}.`);
  if (tenant.length > MAX_NAME_LENGTH) throw invalidField("tenant", `is longer than ${MAX_NAME_LENGTH} characters`);
  return { ...principal, tenant };
}

/** Extensions of the call that the agent supports, ours among them, for the `A2A-Extensions` response header (specification 4.6). */
export function activatedExtensions(call: Call): readonly string[] {
  const supported = new Set([EXTENSION_URI, ...call.agent.extensions.map((extension) => extension.uri)]);
  return [...supported].filter((uri) => call.extensions.has(uri));
}

/** Says which extensions are active in the answer (specification 4.6.2). */
export function extensionHeaders(made: Call | undefined): Readonly<Record<string, string>> {
  const active = made === undefined ? [] : activatedExtensions(made);
  return active.length === 0 ? {} : { "a2a-extensions": active.join(", ") };
}

/** A2A's own media type: of bodies on REST and in webhooks (specification 5.5). */
export const A2A_MEDIA_TYPE = "application/a2a+json";

const JSON_TYPES: readonly string[] = [A2A_MEDIA_TYPE, "application/json"];

/** Throws `content-type-not-supported` unless a body of a JSON type came, or none. */
export function checkJsonBody(request: Pick<BindingRequest, "header" | "body">): void {
  const type = (request.header("content-type") ?? "").split(";")[0]?.trim().toLowerCase() ?? "";
  if (JSON_TYPES.includes(type) || (request.body.length === 0 && type === "")) return;
  throw new IasError(
    "content-type-not-supported",
    `The body must be ${JSON_TYPES.join(" or ")}, not ${type === "" ? "without a Content-Type" : JSON.stringify(type.slice(0, 100))}.`,
  );
}

const utf8 = new TextDecoder("utf-8", { fatal: true });

/** What the JSON of a request may be. */
export type JsonLimits = Pick<Limits, "maxJsonDepth" | "maxJsonValues">;

/** The body as JSON. Throws `parse-error` for broken UTF-8 or JSON, `invalid-request` when it is nested too deeply, `too-large` when it has too many values. */
export function parseJsonBody(body: Buffer, limits: JsonLimits): unknown {
  let value: unknown;
  try {
    checkJsonShape(body, limits);
    value = JSON.parse(utf8.decode(body));
  } catch (error) {
    if (error instanceof IasError) throw error;
    throw new IasError("parse-error", "Invalid JSON payload: the body is not UTF-8 JSON.", { cause: error });
  }
  return value;
}

/** Counts brackets and commas outside of strings, before parsing, so that deep nesting and very many values cost nothing: a loop over bytes is cheap, each value after it is not. */
function checkJsonShape(body: Buffer, { maxJsonDepth, maxJsonValues }: JsonLimits): void {
  let depth = 0;
  let values = 1;
  let inString = false;
  for (let at = 0; at < body.length; at += 1) {
    const byte = body[at];
    if (inString) {
      if (byte === 0x5c) at += 1;
      else if (byte === 0x22) inString = false;
    } else if (byte === 0x22) inString = true;
    else if (byte === 0x2c) values += 1;
    else if (byte === 0x7b || byte === 0x5b) {
      depth += 1;
      values += 1;
      if (depth > maxJsonDepth) throw tooDeep("The JSON body", maxJsonDepth);
    } else if (byte === 0x7d || byte === 0x5d) depth -= 1;
    if (values > maxJsonValues) throw tooManyValues("The JSON body", maxJsonValues);
  }
}

/** `what` is nested deeper than `maxJsonDepth`. */
export function tooDeep(what: string, limit: number): IasError {
  return new IasError("invalid-request", `${what} is nested deeper than ${limit} levels (maxJsonDepth).`, { reason: "TOO_DEEP" });
}

/** `what` has more than `maxJsonValues`. */
export function tooManyValues(what: string, limit: number): IasError {
  return new IasError("too-large", `${what} has more than ${limit} values (maxJsonValues). Send long lists as a file part, or raise the limit.`, {
    reason: "TOO_MANY_VALUES",
  });
}
