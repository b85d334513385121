import type { Api } from "../api/api.ts";
import type { ApiParts } from "../api/api-parts.ts";

/** What a bridge stands on: the API for what it does, its parts for agents, index and limits. */
export interface BridgeParts extends ApiParts {
  readonly api: Api;
}
