import type { Api } from "../api/api.ts";
import type { ApiParts } from "../api/api-parts.ts";
import type { Principal } from "../model/key.ts";
import type { RouteRequest } from "../net/route.ts";

/** What a bridge stands on: the API for what it does, its parts for agents, index and limits. */
export interface BridgeParts extends ApiParts {
  readonly api: Api;
  /** Throws `limit-reached` for a caller that asks too often: before it is known (by its address), and after. */
  readonly admit: (request: RouteRequest, principal?: Principal) => void;
}
