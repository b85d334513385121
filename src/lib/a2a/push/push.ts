import { IasError } from "../../model/errors.ts";
import { newId } from "../../model/ids.ts";
import { joinKey, keyText, type StreamKey } from "../../model/key.ts";
import type { Limits } from "../../model/limits.ts";
import { createPermits } from "../../stream/permits.ts";
import { createQueues } from "../../stream/queues.ts";
import type { Secrets } from "../../tenancy/secrets.ts";
import type { PushConfig } from "../operations.ts";
import type { PushConfigs } from "../server.ts";
import { type Backoff, DEFAULT_BACKOFF } from "./backoff.ts";
import { checkConfig, configFolder, configKey, holdKey, type KeptConfig, readConfig, readHoldKey, writeConfig } from "./config.ts";
import { deliver, type DeliveryParts, type Hold } from "./delivery.ts";

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

/** How long a delivery rests that the store failed, ms. */
const STORE_RETRY_MS = 5000;
/** How long the address check of a new webhook may take; then it is judged at delivery, ms. */
const ADDRESS_CHECK_MS = 2000;
const PAGE = 500;

/**
 * Webhooks over a store. A task without configurations costs nothing: each delivery follows its own stream.
 * One process of a store runs this; a second one would end the first one's deliveries.
 */
export function createPush(options: PushParts): Push {
  const { limits, secrets } = options;
  const parts: DeliveryParts = {
    ...options,
    maxTaskBytes: limits.maxInlineBytes,
    backoff: { ...DEFAULT_BACKOFF, giveUpAfterMs: limits.pushGiveUpMs, giveUpAfterFailures: limits.pushGiveUpFailures, ...options.backoff },
    coalesce: options.coalesce ?? { maxMs: 250, maxBytes: 64 * 1024 },
    timeoutMs: limits.pushTimeoutMs,
    permits: createPermits(limits.maxParallelPushes),
  };
  const { records, log, clock } = parts;
  const closing = new AbortController();
  const running = new Map<string, { readonly abort: AbortController; readonly done: Promise<void> }>();
  /** Changes of one task's configurations, one after the other. */
  const perTask = createQueues();

  const launch = (key: StreamKey, kept: KeptConfig): void => {
    const name = holdKey(key, kept.config.id);
    const abort = new AbortController();
    const signal = AbortSignal.any([abort.signal, closing.signal]);
    const done = supervise(key, kept, signal).finally(() => {
      if (running.get(name)?.abort === abort) running.delete(name);
    });
    running.set(name, { abort, done });
  };

  /** A delivery ends by itself; what the store or the program throws is said, and it goes on from its cursor. */
  const supervise = async (key: StreamKey, kept: KeptConfig, signal: AbortSignal): Promise<void> => {
    while (!signal.aborted) {
      try {
        const found = await records.get(holdKey(key, kept.config.id));
        if (found === undefined) return;
        const hold = JSON.parse(found.value) as Hold;
        return await deliver(parts, { key, kept, hold, version: found.version, mayReply: options.mayReply(key.agent), signal });
      } catch (error) {
        if (signal.aborted) return;
        parts.report(IasError.from(error), key);
        await clock.sleep(STORE_RETRY_MS, signal);
      }
    }
  };

  const stop = async (key: StreamKey, id: string): Promise<void> => {
    const delivery = running.get(holdKey(key, id));
    delivery?.abort.abort();
    await delivery?.done;
  };

  const check = async (config: Partial<Omit<PushConfig, "taskId">>): Promise<void> => {
    checkConfig(config, { maxIdLength: limits.maxIdLength, canSign: parts.signingKey !== undefined });
    const enough = new AbortController();
    const judged = options.fetch.check(config.url ?? "").then(
      () => undefined,
      (error: unknown) => IasError.from(error),
    );
    const refused = await Promise.race([judged, clock.sleep(ADDRESS_CHECK_MS, enough.signal).then(() => undefined)]);
    enough.abort();
    // A name that has no address now may have one when there is something to deliver; then it is judged again.
    if (refused !== undefined && (refused.code === "forbidden" || refused.code === "invalid-params")) throw refused;
  };

  const create = async (key: StreamKey, kept: KeptConfig): Promise<PushConfig> => {
    const { id } = kept.config;
    const page = await log.read(key, { after: 0, maxBytes: 0 });
    if (page === undefined) throw new IasError("task-not-found", `There is no task ${key.task}.`);
    if ((await records.get(configKey(key, id))) === undefined) {
      const others = await records.list(configFolder(key), { limit: Math.min(1000, limits.maxPushConfigs) });
      if (others.length >= limits.maxPushConfigs)
        throw new IasError("limit-reached", `The task has ${others.length} push notification configurations (maxPushConfigs); delete one first.`, {
          reason: "TOO_MANY_PUSH_CONFIGS",
        });
    }
    await stop(key, id);
    const old = await records.get(holdKey(key, id));
    const value = writeConfig(key, kept, secrets);
    if (!page.sealed) {
      // The hold first: one without a configuration is removed at the next start, the other way round nothing would be delivered.
      const from = old === undefined ? undefined : (JSON.parse(old.value) as Hold);
      // A task that has only just been made is told from its beginning, any other from now on.
      const seq = from !== undefined && from.final !== true ? from.seq : page.head <= 1 ? 0 : page.head;
      await records.put({ key: holdKey(key, id), value: JSON.stringify({ seq } satisfies Hold) });
    }
    await records.put({ key: configKey(key, id), value });
    if (!page.sealed || old !== undefined) launch(key, kept);
    return kept.config;
  };

  const resume = async (): Promise<void> => {
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
            launch(key, readConfig(key, id, found.value, secrets));
          } catch (error) {
            parts.report(IasError.from(error, "corrupt"), key);
          }
      }
      after = holds.at(-1)?.key;
      if (holds.length < PAGE) return;
    }
  };

  return {
    get deliveries() {
      return running.size;
    },
    start: resume,
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
        await stop(key, id);
        await records.delete(configKey(key, id));
        await records.delete(holdKey(key, id));
      }),
    async [Symbol.asyncDispose]() {
      closing.abort();
      await perTask.idle();
      await Promise.all([...running.values()].map(({ done }) => done));
    },
  };
}
