import type { Metadata } from "@grpc/grpc-js";
import type { Agent } from "../../engine/agent.ts";
import { IasError } from "../../model/errors.ts";
import type { Principal } from "../../model/key.ts";
import { type BindingRequest, readVersion, toCall } from "../binding.ts";
import type { Call } from "../operations.ts";

/** Service parameters by their lower-case names (specification 10.2); a cursor comes as `a2a-last-event-id`. */
export function metadataHeader(metadata: Metadata): BindingRequest["header"] {
  return (name) => {
    const values = metadata.get(name === "last-event-id" ? "a2a-last-event-id" : name).filter((value) => typeof value === "string");
    return values.length === 0 ? undefined : values.join(", ");
  };
}

/** Throws `version-not-supported` unless the call says that it is of 1.0: this service is not in 0.3. */
export function checkVersion(header: BindingRequest["header"]): void {
  if (readVersion({ header, query: new URLSearchParams() }) === "1.0") return;
  throw new IasError("version-not-supported", "The service lf.a2a.v1.A2AService is of A2A 1.0: send the metadata a2a-version: 1.0 with each call.", {
    reason: "VERSION_HEADER_MISSING",
    details: { header: "a2a-version: 1.0" },
  });
}

/** The call that a gRPC request makes of `agent`. */
export function toGrpcCall(
  header: BindingRequest["header"],
  who: { readonly principal: Principal; readonly agent: Agent; readonly signal: AbortSignal },
  tenant: string | undefined,
): Call {
  return toCall({ ...who, header, method: "POST", path: "", query: new URLSearchParams(), body: Buffer.alloc(0) }, "1.0", tenant);
}

/**
 * gRPC has one address for all agents of a server, so an agent is told by the tenant of its card's gRPC interface, which clients repeat in each request:
 * `<agent>` or `<agent>/<tenant>`. Any other tenant is one of the default agent.
 */
export function chooseAgent(agents: ReadonlyMap<string, Agent>, defaultAgent: string, tenant: string): { readonly agent: Agent; readonly tenant: string } {
  const slash = tenant.indexOf("/");
  const named = agents.get(slash < 0 ? tenant : tenant.slice(0, slash));
  if (named !== undefined) return { agent: named, tenant: slash < 0 ? "" : tenant.slice(slash + 1) };
  const agent = agents.get(defaultAgent);
  if (agent === undefined) throw new IasError("configuration", `The default agent ${JSON.stringify(defaultAgent)} is not among the agents.`);
  return { agent, tenant };
}
