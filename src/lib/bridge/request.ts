import { checkJsonBody, parseJsonBody } from "../a2a/binding.ts";
import type { Caller } from "../api/api.ts";
import { IasError } from "../model/errors.ts";
import type { RouteRequest } from "../net/route.ts";
import type { BridgeParts } from "./bridge-parts.ts";
import type { z } from "zod";

/** A request's JSON body in the shape of `schema`. Throws `content-type-not-supported`, `parse-error`, `too-large`; `invalid-params` that names each field at fault. */
export async function readJson<Schema extends z.ZodType>(parts: Pick<BridgeParts, "limits">, request: RouteRequest, schema: Schema): Promise<z.infer<Schema>> {
  const body = await request.body();
  checkJsonBody({ header: request.header, body });
  const result = schema.safeParse(parseJsonBody(body, parts.limits));
  if (result.success) return result.data;
  const fields = result.error.issues.slice(0, 20).map(({ path, message }) => ({ field: path.join(".") || "body", description: message }));
  throw new IasError("invalid-params", fields.map(({ field, description }) => `${field}: ${description}`).join("; "), { fields });
}

/** Who sends a request, and under which address of this server. */
export interface BridgeCaller extends Caller {
  /** The `Host` of the request. */
  readonly host?: string;
}

/** Who sends a request. Throws `unauthenticated`; `limit-reached` where it asks too often. */
export async function callerOf({ admit }: Pick<BridgeParts, "admit">, request: RouteRequest): Promise<BridgeCaller> {
  admit(request);
  const principal = await request.principal();
  admit(request, principal);
  const host = request.header("host");
  return { principal, signal: request.signal, ...(host !== undefined && { host }) };
}

/** Where people find a task of which a protocol cannot tell the rest: the inspector's page of it, relative to this server. */
export function taskLink(agent: string, task: string): string {
  return `/t/${encodeURIComponent(agent)}/${encodeURIComponent(task)}`;
}
