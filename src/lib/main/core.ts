import { hostname } from "node:os";
import { type CardsOptions, createCards } from "../a2a/card.ts";
import { createOperations } from "../a2a/create-operations.ts";
import type { Cards } from "../a2a/server.ts";
import { limitReaders } from "../a2a/reader-limit.ts";
import type { Operations } from "../a2a/operations.ts";
import { withOwners } from "../a2a/owned-agents.ts";
import { createPush, type Push } from "../a2a/push/push.ts";
import { createJwksPage, loadSigningKey, type SigningKey } from "../a2a/signing-key.ts";
import type { ReaderRegistry } from "../api/api-parts.ts";
import { createReaderRegistry } from "../api/readers.ts";
import { createRemotes, type Remotes } from "../api/remotes.ts";
import { a2a } from "../engine/a2a.ts";
import type { Agent } from "../engine/agent.ts";
import type { BlobStore } from "../media/blobs.ts";
import type { Media } from "../media/media.ts";
import type { WaitingUploads } from "../media/uploads.ts";
import type { Principal, StreamKey } from "../model/key.ts";
import type { Limits } from "../model/limits.ts";
import { onlyHosts } from "../net/only-hosts.ts";
import type { Page } from "../net/page.ts";
import { createInlineRuntime } from "../runtime/inline.ts";
import { watchEventLoop } from "../runtime/loop-watch.ts";
import { createReadOnlyRuntime } from "../runtime/reading.ts";
import type { Runtime } from "../runtime/runtime.ts";
import { startUpkeep } from "../runtime/upkeep.ts";
import { followLog } from "../search/follow.ts";
import { systemClock } from "../stream/clock.ts";
import type { Closer } from "../stream/closer.ts";
import { conversationHistory, referencedTasks } from "../task/lookup.ts";
import type { TaskViews } from "../task/view.ts";
import type { Secrets } from "../tenancy/secrets.ts";
import { openAuthenticator, readSigningKey } from "./authenticators.ts";
import { type Ground, type Opened, wireGround } from "./ground.ts";
import type { ServerOptions } from "./server.ts";
import type { Settings } from "./settings.ts";

/** Everything of a server that is not its sockets. */
export interface Core {
  readonly limits: Limits;
  readonly agents: ReadonlyMap<string, Agent>;
  readonly operations: Operations;
  readonly runtime: Runtime;
  readonly push: Push;
  readonly pages: readonly Page[];
  readonly views: TaskViews;
  readonly media: Media;
  readonly blobs: BlobStore;
  /** What callers have uploaded and not sent. */
  readonly uploads: WaitingUploads;
  readonly readers: ReaderRegistry;
  readonly remotes: Remotes;
  /** Seals what others entrusted to us. */
  readonly secrets: Secrets;
  /** Whether callers must prove who they are. */
  readonly needsCredentials: boolean;
  readonly authenticate: (request: { header(name: string): string | undefined }) => Promise<Principal>;
}

/** What a core is wired from. */
export interface CoreOptions extends ServerOptions {
  readonly settings: Settings;
  readonly report: NonNullable<ServerOptions["report"]>;
  /** Where the server is reached: filled in when it listens. */
  readonly where: { readonly origin: string; readonly grpc?: string };
  /** Gets what is opened here. */
  readonly closer: Closer;
}

/** Wires operations over a store. Throws `configuration`. */
export async function wireCore(options: CoreOptions): Promise<Core> {
  const { store, settings, report, closer } = options;
  const owner = `${hostname()}:${process.pid}`;
  const opened: Opened = (resource) => {
    closer.add(async () => resource[Symbol.asyncDispose]());
    return resource;
  };
  const loop = watchEventLoop(report);
  closer.add(async () => loop[Symbol.dispose]());
  const authenticator = opened(await openAuthenticator(settings.auth, { host: settings.host, now: Date.now, report }));
  const needsCredentials = authenticator.schemes.length > 0;
  const ground = await wireGround(options, { opened, needsCredentials });
  const { limits, agents, blobs, media, uploads, views, secrets, now } = ground;
  const cardKey = settings.cardKeyFile === undefined ? undefined : await readSigningKey(settings.cardKeyFile);
  const signingKey = cardKey ?? (await loadSigningKey(store.records));
  const authenticate: Core["authenticate"] = (request) => authenticator.authenticate(request);
  const cards = wireCards(options, ground, { schemes: authenticator.schemes, signingKey: cardKey, authenticate });
  const cancel = async (agent: Agent, { tenant, user, task }: StreamKey): Promise<void> => {
    const { signal } = new AbortController();
    await operations.cancelTask({ principal: { tenant, user }, agent, version: "1.0", extensions: new Set(), signal }, { id: task });
  };
  const remotes = opened(wireRemotes(options, ground, { cards, needsCredentials, cancel }));
  // Before turns are taken up again: theirs among them.
  await remotes.load();
  const readers = createReaderRegistry({ ...limits, now });
  const runtime = opened(settings.readOnly ? createReadOnlyRuntime() : wireRuntime(options, ground, owner));
  const push = opened(wirePush(options, ground, signingKey));
  const operations = withOwners(createOperations({ store, views, agents, runtime, media, limits, push, cards, owner, now, report }));
  if (!settings.readOnly) startChores(options, ground, { cancel, opened });
  return {
    limits,
    agents,
    operations: limitReaders(operations, readers.admit, ({ key, audience }, transport, at) => readers.enter({ key, audience, transport, at })),
    readers,
    remotes,
    runtime,
    push,
    pages: [cards.page, media.page, createJwksPage([signingKey])],
    views,
    media,
    blobs,
    uploads,
    secrets,
    needsCredentials,
    authenticate,
  };
}

/** Ends a task of an agent as canceled, as its user would. */
type Cancel = (agent: Agent, key: StreamKey) => Promise<void>;

/** Cards of the server's agents, signed where the operator gave a key. */
function wireCards(
  { where, bareCard, declareWebSocket }: CoreOptions,
  { agents, origin, now }: Ground,
  { signingKey, ...callers }: Pick<CardsOptions, "schemes" | "authenticate"> & { readonly signingKey: SigningKey | undefined },
): Cards & { readonly page: Page } {
  return createCards({
    agents,
    origin,
    grpc: () => where.grpc,
    ...callers,
    ...(signingKey !== undefined && { signingKey }),
    ...(bareCard !== undefined && { bare: bareCard }),
    ...(declareWebSocket !== undefined && { websocket: declareWebSocket }),
    now,
  });
}

/** Foreign agents that are added while the server runs. */
function wireRemotes(
  { store, settings, report }: CoreOptions,
  { limits, agents, outgoing, secrets, origin }: Ground,
  { cards, needsCredentials, cancel }: { readonly cards: Cards; readonly needsCredentials: boolean; readonly cancel: Cancel },
): Remotes {
  const allowedHosts = settings.remoteHosts ?? [];
  const fetch = allowedHosts.length === 0 ? outgoing : onlyHosts(outgoing, allowedHosts);
  return createRemotes({
    records: store.records,
    index: store.index,
    secrets,
    agents,
    fetch,
    engine: (remote) => a2a({ ...remote, fetch }),
    allowedHosts,
    knowsCallers: needsCredentials,
    ownCard: (agent) => cards.card(agent, "1.0"),
    cancel,
    origin,
    limits,
    report,
  });
}

/** What a server does beside its turns: fills the search, and removes what has had its time. */
function startChores(
  { store, search, report }: CoreOptions,
  { limits, agents, blobs, views, now }: Ground,
  { cancel, opened }: { readonly cancel: Cancel; readonly opened: Opened },
): void {
  const release = async (key: StreamKey): Promise<void> => {
    await blobs.release(key);
    await search?.remove(key);
  };
  const cancelTask = async (key: StreamKey): Promise<void> => {
    const agent = agents.get(key.agent);
    if (agent !== undefined) await cancel(agent, key);
  };
  if (search !== undefined) opened(followLog({ search, store, views, report }));
  opened(startUpkeep({ store, agents, limits, release, cancel: cancelTask, now, report }));
}

/** Runs turns in this process. */
function wireRuntime({ store, report }: CoreOptions, { limits, agents, media, views, now }: Ground, owner: string): Runtime {
  return createInlineRuntime({
    store,
    agents,
    limits,
    media,
    now,
    owner,
    report,
    history: (key, context, createdAt) => conversationHistory({ index: store.index, views }, { key, context, createdAt, limit: limits.maxHistoryMessages }),
    references: (key, messages) => referencedTasks(views, key, messages),
  });
}

/** Webhooks over the store. */
function wirePush({ store, report }: CoreOptions, { limits, agents, outgoing, media, views, secrets, origin }: Ground, signingKey: SigningKey): Push {
  return createPush({
    log: store.log,
    records: store.records,
    views,
    media,
    fetch: outgoing,
    signingKey,
    issuer: origin,
    limits,
    secrets,
    clock: systemClock,
    random: Math.random,
    mayReply: (agent) => agents.get(agent)?.replies !== "task",
    report,
  });
}
