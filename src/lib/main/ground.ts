import type { Agent } from "../engine/agent.ts";
import { defineAgent } from "../engine/define-agent.ts";
import type { BlobStore } from "../media/blobs.ts";
import { createMemoryBlobs } from "../media/memory.ts";
import type { Media } from "../media/media.ts";
import { createMedia } from "../media/stored-media.ts";
import type { WaitingUploads } from "../media/uploads.ts";
import { createWaitingUploads } from "../media/waiting-uploads.ts";
import { IasError } from "../model/errors.ts";
import { DEFAULT_LIMITS, type Limits, NO_QUOTAS } from "../model/limits.ts";
import { createGuardedFetch, type GuardedFetch } from "../net/guarded-fetch.ts";
import type { Page } from "../net/page.ts";
import { createTaskViews, type TaskViews } from "../task/view.ts";
import { createSecrets, loadStoreKey, type Secrets } from "../tenancy/secrets.ts";
import type { ServerOptions } from "./server.ts";
import type { CoreOptions } from "./core.ts";

/** Leaves the end of a resource with the closer. */
export type Opened = <T extends AsyncDisposable>(resource: T) => T;

/** What all parts of a core stand on, beside the options. */
export interface Ground {
  readonly limits: Limits;
  /** Remote agents come and go in it. */
  readonly agents: Map<string, Agent>;
  readonly outgoing: GuardedFetch;
  readonly blobs: BlobStore;
  readonly media: Media & { readonly page: Page };
  readonly uploads: WaitingUploads;
  readonly views: TaskViews;
  readonly secrets: Secrets;
  readonly origin: () => string;
  readonly now: () => number;
}

/** Opens what all parts stand on. Throws `configuration` where agents do not fit. */
export async function wireGround(
  { store, settings, where, ...options }: CoreOptions,
  { opened, needsCredentials }: { readonly opened: Opened; readonly needsCredentials: boolean },
): Promise<Ground> {
  const limits: Limits = { ...DEFAULT_LIMITS, ...(!needsCredentials && NO_QUOTAS), ...settings.limits };
  const agents = readAgents(options.agents);
  const now = Date.now;
  const origin = (): string => where.origin;
  const outgoing = options.fetch ?? opened(createGuardedFetch({ allowLocal: settings.allowLocalTargets }));
  const blobs = options.blobs ?? opened(createMemoryBlobs(limits));
  const views = createTaskViews(store.log);
  const uploads = createWaitingUploads({ records: store.records, limits, now });
  const media = await createMedia(blobs, {
    records: store.records,
    limits,
    origin,
    fetch: outgoing,
    task: (key) => views.with(key, (view) => view.fold.task()),
    now,
    uploads,
  });
  const secrets = options.secrets ?? createSecrets(await loadStoreKey(store.records));
  return { limits, agents, outgoing, blobs, media, uploads, views, secrets, origin, now };
}

function readAgents(given: ServerOptions["agents"]): Map<string, Agent> {
  const agents = new Map<string, Agent>();
  for (const agent of given.map(defineAgent)) {
    if (agents.has(agent.id)) throw new IasError("configuration", `Two agents have the id ${JSON.stringify(agent.id)}; each needs its own.`);
    agents.set(agent.id, agent);
  }
  if (agents.size === 0) throw new IasError("configuration", "There is no agent to serve; give at least one in `agents`.");
  return agents;
}
