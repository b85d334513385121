import { IasError } from "../../model/errors.ts";
import {
  A2A_MEDIA_TYPE,
  type BindingRequest,
  checkJsonBody,
  extensionHeaders,
  type JsonLimits,
  parseJsonBody,
  readVersion,
  type Reply,
  toCall,
} from "../binding.ts";
import { toRestError } from "../errors.ts";
import type { Call, FrameStream, Operations } from "../operations.ts";
import { matchRest, type RestMatch, withBody } from "./route.ts";

/** How version 0.3 answers a request under its own `/v1/` paths; it never throws. */
export type VersionedRest = (operations: Operations, request: BindingRequest) => Promise<Reply>;

/**
 * The HTTP+JSON binding (specification 11). Bodies may be `application/json` as well. Errors are `google.rpc.Status` objects, before a stream with their
 * HTTP status, in the middle of one as its last data line. The order of checks: version, path, content type, JSON, parameters.
 */
export async function handleRest(
  operations: Operations,
  request: BindingRequest,
  options: { readonly limits: JsonLimits; readonly v0_3: VersionedRest },
): Promise<Reply> {
  try {
    const version = readVersion(request);
    const legacy = /^\/v1(\/|$)/.test(request.path);
    if (version === "0.3" && legacy) return await options.v0_3(operations, request);
    const match = matchRest(request.method, request.path, request.query);
    if (match.kind === "miss") return restError(match.error, match);
    if (version === "0.3") throw versionMissing();
    if (legacy) throw new IasError("method-not-found", "Paths under /v1/ are of A2A 0.3; in 1.0 the resources stand directly under the interface's URL.");
    return await call(operations, request, match, options.limits);
  } catch (error) {
    return restError(error);
  }
}

async function call(operations: Operations, request: BindingRequest, match: RestMatch, limits: JsonLimits): Promise<Reply> {
  if (match.takesBody) checkJsonBody(request);
  const body = match.takesBody && request.body.length > 0 ? parseJsonBody(request.body, limits) : undefined;
  const params = withBody(match, body);
  const made = toCall(request, "1.0", typeof params["tenant"] === "string" ? params["tenant"] : undefined);
  const { operation } = match;
  if (operation === "sendStreamingMessage" || operation === "subscribeToTask") return restStream(await operations[operation](made, params), made);
  const result = await operations[operation](made, params);
  return { kind: "whole", status: 200, headers: { "content-type": A2A_MEDIA_TYPE, ...extensionHeaders(made) }, body: JSON.stringify(result ?? {}) };
}

/** A stream whose data lines are bare `StreamResponse`s. */
function restStream(stream: FrameStream, made: Call): Reply {
  return {
    kind: "stream",
    stream,
    framing: { headers: extensionHeaders(made), prefix: "", suffix: "", error: (error) => JSON.stringify(toRestError(error).body) },
  };
}

/** Any thrown value as `google.rpc.Status`. */
export function restError(thrown: unknown, http?: { readonly status: number; readonly headers: Readonly<Record<string, string>> }): Reply {
  const { status, headers, body } = toRestError(thrown, http);
  return { kind: "whole", status, headers: { "content-type": A2A_MEDIA_TYPE, ...headers }, body: JSON.stringify(body) };
}

function versionMissing(): IasError {
  return new IasError(
    "version-not-supported",
    'This path is of A2A 1.0: send the header "A2A-Version: 1.0" with it (or the query parameter A2A-Version=1.0). Without it a request is of A2A 0.3, whose paths begin with /v1/.',
    { reason: "VERSION_HEADER_MISSING", details: { header: "A2A-Version: 1.0" } },
  );
}
