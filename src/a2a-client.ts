export { checkCard, isCardRight, verifySignatures } from "./lib/a2a/card-check.ts";
export type { CardFinding, CardResponse } from "./lib/a2a/card-check.ts";
export { fetchCard, fetchRawCard, readCard } from "./lib/client/card.ts";
export type { Binding, FetchCardOptions, FetchedCard, RemoteCard, RemoteInterface } from "./lib/client/card.ts";
export type {
  A2AClient,
  CallOptions,
  ConnectionState,
  ListQuery,
  PushConfig,
  SendRequest,
  SendResult,
  StreamItem,
  StreamOptions,
  TaskPage,
} from "./lib/client/client.ts";
export { connectA2A } from "./lib/client/connect.ts";
export type { ConnectOptions } from "./lib/client/connect.ts";
export { createGuardedFetch } from "./lib/net/guarded-fetch.ts";
export type { FetchLimits, GuardedFetch, GuardedFetchOptions, GuardedInit } from "./lib/net/guarded-fetch.ts";
export type { Target } from "./lib/net/target.ts";
