import { IasError } from "../../model/errors.ts";
import { newId } from "../../model/ids.ts";
import { joinKey, keyText, type StreamKey } from "../../model/key.ts";
import type { Limits } from "../../model/limits.ts";
import type { GuardedFetch } from "../../net/guarded-fetch.ts";
import type { Clock } from "../../stream/clock.ts";
import { createPermits } from "../../stream/permits.ts";
import { createQueues } from "../../stream/queues.ts";
import type { Secrets } from "../../tenancy/secrets.ts";
import type { PushConfig } from "../operations.ts";
import type { PushConfigs } from "../server.ts";
import { type Backoff, DEFAULT_BACKOFF } from "./backoff.ts";
import { checkConfig, configFolder, configKey, holdKey, type KeptConfig, readConfig, readHoldKey, writeConfig } from "./config.ts";
import { createDeliveries, type Deliveries } from "./deliveries.ts";
import type { DeliveryParts, Hold } from "./delivery.ts";

/** What push notifications are made of. */
export interface PushParts extends Omit<DeliveryParts, "permits" | "backoff" | "coalesce" | "timeoutMs" | "maxTaskBytes"> {
  readonly limits: Pick<
    Limits,
    "maxPushConfigs" | "maxIdLength" | "maxInlineBytes" | "maxParallelPushes" | "pushTimeoutMs" | "pushGiveUpMs" | "pushGiveUpFailures"
  >;
  readonly secrets: Secrets;
  /** Whether tasks of an agent may turn out to be message-only replies. */
  readonly mayReply: (agent: string) => boolean;
  readonly backoff?: Partial<Pick<Backoff, "firstMs" | "maxMs" | "maxRetryAfterMs">>;
  /** Joined appends of one artifact; 250 ms and 64 KiB. */
  readonly coalesce?: DeliveryParts["coalesce"];
}

/** Webhooks of tasks and their delivery. Disposing ends the requests that are under way; the next start goes on from the cursors. */
export interface Push extends PushConfigs, AsyncDisposable {
  /** Begins to deliver what an earlier process left undelivered: once, when the server knows its own address. */
  start(): Promise<void>;
  /** Deliveries that wait or work now. */
  readonly deliveries: number;
}

/** How long the address check of a new webhook may take; then it is judged at delivery, ms. */
const ADDRESS_CHECK_MS = 2000;
/** Holds that are read at once when deliveries begin again. */
const PAGE = 500;

/**
 * Webhooks over a store. A task without configurations costs nothing: each delivery follows its own stream.
 * One process of a store runs this; a second one would end the first one's deliveries.
 */
export function createPush(options: PushParts): Push {
  const { limits, secrets } = options;
  const parts = toDeliveryParts(options);
  const { records, log } = parts;
  const deliveries = createDeliveries(parts, options.mayReply);
  /** Changes of one task's configurations, one after the other. */
  const perTask = createQueues();

  async function check(config: Partial<Omit<PushConfig, "taskId">>): Promise<void> {
    checkConfig(config, { maxIdLength: limits.maxIdLength, canSign: parts.signingKey !== undefined });
    await checkAddress(config.url ?? "", parts);
  }

  async function create(key: StreamKey, kept: KeptConfig): Promise<PushConfig> {
    const { id } = kept.config;
    const page = await log.read(key, { after: 0, maxBytes: 0 });
    if (page === undefined) throw new IasError("task-not-found", `There is no task ${key.task}.`);
    if ((await records.get(configKey(key, id))) === undefined) await checkRoom(parts, key, limits.maxPushConfigs);
    await deliveries.stop(key, id);
    const old = await records.get(holdKey(key, id));
    const value = writeConfig(key, kept, secrets);
    if (!page.sealed) {
      // The hold first: one without a configuration is removed at the next start, the other way round nothing would be delivered.
      const hold = firstHold(page.head, old === undefined ? undefined : (JSON.parse(old.value) as Hold));
      await records.put({ key: holdKey(key, id), value: JSON.stringify(hold) });
    }
    await records.put({ key: configKey(key, id), value });
    if (!page.sealed || old !== undefined) deliveries.launch(key, kept);
    return kept.config;
  }

  return {
    get deliveries() {
      return deliveries.size;
    },
    start: () => resume(parts, deliveries, secrets),
    check,
    async create(call, key, config) {
      await check(config);
      const id = config.id === "" ? newId() : config.id;
      const { url, token, authentication } = config;
      const kept: KeptConfig = {
        version: call.version,
        config: { id, taskId: key.task, url, ...(token !== undefined && { token }), ...(authentication !== undefined && { authentication }) },
      };
      return perTask.run(keyText(key), () => create(key, kept));
    },
    async get(key, id) {
      const found = await records.get(configKey(key, id));
      return found && readConfig(key, id, found.value, secrets).config;
    },
    async list(key, { after, limit }) {
      const found = await records.list(configFolder(key), { limit, ...(after !== undefined && { after: configKey(key, after) }) });
      return found.map((record) => {
        const id = decodeURIComponent(record.key.slice(configFolder(key).length));
        return readConfig(key, id, record.value, secrets).config;
      });
    },
    delete: (key, id) =>
      perTask.run(keyText(key), async () => {
        await deliveries.stop(key, id);
        await records.delete(configKey(key, id));
        await records.delete(holdKey(key, id));
      }),
    async [Symbol.asyncDispose]() {
      // What is launched from now on ends at once.
      await Promise.all([deliveries[Symbol.asyncDispose](), perTask.idle()]);
    },
  };
}

/** Throws `limit-reached` when the task can have no further configuration. */
async function checkRoom({ records }: Pick<DeliveryParts, "records">, key: StreamKey, most: number): Promise<void> {
  const others = await records.list(configFolder(key), { limit: Math.min(1000, most) });
  if (others.length < most) return;
  throw new IasError("limit-reached", `The task has ${others.length} push notification configurations (maxPushConfigs); delete one first.`, {
    reason: "TOO_MANY_PUSH_CONFIGS",
  });
}

/** Launches the delivery of each hold, and removes holds that have no configuration. */
async function resume({ records, report }: DeliveryParts, deliveries: Deliveries, secrets: Secrets): Promise<void> {
  let after: string | undefined;
  for (;;) {
    const holds = await records.list(`${joinKey("hold")}/`, { limit: PAGE, ...(after !== undefined && { after }) });
    for (const hold of holds) {
      const place = readHoldKey(hold.key);
      if (place === undefined) continue;
      const { key, id } = place;
      const found = await records.get(configKey(key, id));
      if (found === undefined) await records.delete(hold.key);
      else
        try {
          deliveries.launch(key, readConfig(key, id, found.value, secrets));
        } catch (error) {
          report(IasError.from(error, "corrupt"), key);
        }
    }
    after = holds.at(-1)?.key;
    if (holds.length < PAGE) return;
  }
}

/** What deliveries share, with the defaults filled in. */
function toDeliveryParts(options: PushParts): DeliveryParts {
  const { limits } = options;
  return {
    ...options,
    maxTaskBytes: limits.maxInlineBytes,
    backoff: { ...DEFAULT_BACKOFF, giveUpAfterMs: limits.pushGiveUpMs, giveUpAfterFailures: limits.pushGiveUpFailures, ...options.backoff },
    coalesce: options.coalesce ?? { maxMs: 250, maxBytes: 64 * 1024 },
    timeoutMs: limits.pushTimeoutMs,
    permits: createPermits(limits.maxParallelPushes),
  };
}

/** Throws `forbidden` or `invalid-params` for an address that may not be reached, as far as that is known soon. */
async function checkAddress(url: string, { fetch, clock }: { readonly fetch: GuardedFetch; readonly clock: Clock }): Promise<void> {
  const enough = new AbortController();
  const judged = fetch.check(url).then(
    () => undefined,
    (error: unknown) => IasError.from(error),
  );
  const refused = await Promise.race([judged, clock.sleep(ADDRESS_CHECK_MS, enough.signal).then(() => undefined)]);
  enough.abort();
  // A name that has no address now may have one when there is something to deliver; then it is judged again.
  if (refused !== undefined && (refused.code === "forbidden" || refused.code === "invalid-params")) throw refused;
}

/** Where a delivery begins: where the one that it replaces stood, unless that was given up. Else a task that has only just been made is told from its beginning, any other from now on. */
function firstHold(head: number, old: Hold | undefined): Hold {
  if (old !== undefined && old.final !== true) return { seq: old.seq };
  return { seq: head <= 1 ? 0 : head };
}
