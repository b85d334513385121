import { createAgentEndpoints, type ServerFacts, toServerInfo } from "../api/agents.ts";
import type { Api } from "../api/api.ts";
import type { ApiParts } from "../api/api-parts.ts";
import { createApi } from "../api/create-api.ts";
import { createApiRoute, type DispatchOptions, type Endpoint } from "../api/endpoint.ts";
import { createExportEndpoint } from "../api/export.ts";
import { findTask } from "../api/find-task.ts";
import { createMessageEndpoints } from "../api/messages.ts";
import { createReferenceEndpoints } from "../api/openapi.ts";
import { createRateLimit } from "../api/rate-limit.ts";
import { createReaderEndpoints } from "../api/reader-list.ts";
import { createSessions } from "../api/sessions.ts";
import { createStreamEndpoints } from "../api/streams.ts";
import { createTaskEndpoints } from "../api/tasks.ts";
import { createUploadEndpoints } from "../api/uploads.ts";
import { createBridges } from "../bridge/bridges.ts";
import type { CampaignDirectory } from "../campaign/web/directory.ts";
import { createCampaignEndpoints } from "../campaign/web/endpoints.ts";
import type { GatewayParts } from "../gateway/gateway.ts";
import type { Store } from "../log/store.ts";
import type { IasError } from "../model/errors.ts";
import { joinKey, type Principal } from "../model/key.ts";
import { joinRoutes, type Route } from "../net/route.ts";
import type { TaskSearch } from "../search/search.ts";
import type { Core } from "./core.ts";
import { packageVersion } from "./version.ts";

/** What the API is wired from. */
export interface ApiWiring {
  readonly core: Core;
  readonly store: Store;
  readonly search: TaskSearch | undefined;
  /** Campaigns that operators see and start; absent: none are served. */
  readonly campaigns: CampaignDirectory | undefined;
  /** Media types that may be uploaded. */
  readonly uploadTypes: readonly string[];
  /** The agents `team` and `assistant` answer from a script: a page may begin a conversation with them by itself. */
  readonly demo: boolean;
  /** Where the server is reached, once it listens. */
  readonly origin: () => string;
  readonly report: (error: IasError) => void;
}

/** The API of a server: its parts for sockets and bridges, what it does, and the route of everything beside A2A. */
export interface WiredApi {
  readonly parts: ApiParts;
  readonly api: Api;
  /** Throws `limit-reached` for a caller, or an address, that asks too often. */
  readonly admit: (principal: Principal, address?: string) => void;
  readonly route: Route;
  /** Who sends a request: for frontends also by a session's cookie or a ticket. */
  readonly authenticate: GatewayParts["authenticate"];
}

/** Makes the API's parts and joins all routes of frontends: endpoints under `/api`, bridges. */
export function wireApi({ core, store, search, campaigns, uploadTypes, demo, origin, report }: ApiWiring): WiredApi {
  const { limits, operations, views, media, agents, readers } = core;
  const now = Date.now;
  const parts: ApiParts = { operations, store, views, media, agents, limits, readers, now, report, ...(search !== undefined && { search }) };
  const api = createApi(parts);
  const facts: ServerFacts = {
    version: packageVersion(),
    logId: store.log.id,
    durability: store.log.durability,
    maxBodyBytes: limits.maxBodyBytes,
    maxUploadBytes: limits.maxUploadBytes,
    uploadTypes,
    features: ["remotes", ...(search === undefined ? [] : ["search"]), ...(demo ? ["demo"] : []), ...(campaigns === undefined ? [] : ["campaigns"])],
  };
  const sessions = createSessions({
    records: store.records,
    secrets: core.secrets,
    authenticate: core.authenticate,
    needsCredentials: core.needsCredentials,
    logId: store.log.id,
    origin,
    info: (principal) => toServerInfo(principal, facts),
    limits,
    now,
  });
  const endpoints: readonly Endpoint[] = [
    ...createAgentEndpoints(parts, { facts: () => facts, remote: core.remotes.factsOf }),
    ...core.remotes.endpoints,
    ...sessions.endpoints,
    ...createMessageEndpoints(api, async (principal, name) => (await findTask(parts, principal, name)).key.agent),
    ...createTaskEndpoints(parts),
    ...createStreamEndpoints(api),
    createExportEndpoint(parts),
    ...createReaderEndpoints(parts),
    ...createUploadEndpoints({ blobs: core.blobs, waiting: core.uploads, agents: () => agents.keys(), limits, types: uploadTypes, now }),
    ...(campaigns === undefined ? [] : createCampaignEndpoints(campaigns)),
  ];
  const perAddress = createRateLimit({ names: ["maxAddressRate", "maxAddressBurst"], perSecond: limits.maxAddressRate, burst: limits.maxAddressBurst, now });
  const perCaller = createRateLimit({ names: ["maxApiRate", "maxApiBurst"], perSecond: limits.maxApiRate, burst: limits.maxApiBurst, now });
  const admitCaller: WiredApi["admit"] = ({ tenant, user }, address) => {
    if (address !== undefined) perAddress(address);
    perCaller(joinKey(tenant, user));
  };
  const admit: NonNullable<DispatchOptions["admit"]> = ({ address }, principal) => {
    if (principal === undefined) perAddress(address);
    else admitCaller(principal);
  };
  // Routes of other rooms stand before the endpoints, which answer for all that is left under /api.
  const route = joinRoutes(createBridges({ ...parts, api, admit }), createApiRoute(createReferenceEndpoints(endpoints, facts), { limits, report, admit }));
  const authenticate: GatewayParts["authenticate"] = ({ header, frontend }) =>
    frontend === undefined ? core.authenticate({ header }) : sessions.authenticate({ ...frontend, header });
  return { parts, api, admit: admitCaller, route, authenticate };
}
