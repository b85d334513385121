import { createHash } from "node:crypto";
import type { EventLog } from "../../log/log.ts";
import type { Records } from "../../log/records.ts";
import { hasBlobs, type Media } from "../../media/media.ts";
import type { StreamResponse, Task } from "../../model/a2a.ts";
import { toCursor } from "../../model/cursor.ts";
import type { Entry } from "../../model/entry.ts";
import { IasError } from "../../model/errors.ts";
import { withEventCursor } from "../../model/extension.ts";
import { toTimestamp } from "../../model/ids.ts";
import { joinKey, keyText, type StreamKey } from "../../model/key.ts";
import type { GuardedFetch } from "../../net/guarded-fetch.ts";
import type { Clock } from "../../stream/clock.ts";
import type { Permits } from "../../stream/permits.ts";
import type { TaskViews } from "../../task/view.ts";
import { A2A_MEDIA_TYPE } from "../binding.ts";
import type { GivenUp } from "../operations.ts";
import type { SigningKey } from "../signing-key.ts";
import { toV03Task } from "../v0_3/to-v03.ts";
import { type Backoff, isHopeless, nextDelay } from "./backoff.ts";
import { coalesce, type Outgoing, withoutReply } from "./coalesce.ts";
import { configKey, holdKey, type KeptConfig, withGivenUp } from "./config.ts";
import { type Notification, post } from "./request.ts";

/** What deliveries share. */
export interface DeliveryParts {
  readonly log: EventLog;
  readonly records: Records;
  readonly views: TaskViews;
  readonly media: Pick<Media, "present" | "fitTask">;
  readonly fetch: GuardedFetch;
  readonly signingKey?: SigningKey | undefined;
  readonly issuer: () => string;
  readonly maxTaskBytes: number;
  readonly clock: Clock;
  /** In [0, 1). */
  readonly random: () => number;
  readonly backoff: Backoff;
  readonly coalesce: { readonly maxMs: number; readonly maxBytes: number };
  readonly timeoutMs: number;
  /** Bounds the requests that are under way at once. */
  readonly permits: Permits;
  readonly report: (error: IasError, key?: StreamKey) => void;
}

/** The record of a hold: the cursor that survives a restart, and how often in a row it has failed. */
export interface Hold {
  /** Delivered up to here. Retention keeps what comes after (`Upkeep.truncate`). */
  readonly seq: number;
  readonly failures?: number;
  /** Of the first failure in the row, ms since the epoch. */
  readonly since?: number;
  /** Given up once: only the final Task is still to go. `seq` then holds no entry, only the stream. */
  readonly final?: boolean;
}

/** A hold that keeps a stream from being removed, but none of its entries. */
const NO_ENTRY = Number.MAX_SAFE_INTEGER;

/** One configuration's delivery: ordered, at least once, from a persisted cursor. */
export interface Delivery {
  readonly key: StreamKey;
  readonly kept: KeptConfig;
  readonly hold: Hold;
  /** Of the hold's record: another writer's version ends this delivery. */
  readonly version: number;
  /** The stream may turn out to be a message-only reply. */
  readonly mayReply: boolean;
  readonly signal: AbortSignal;
}

/** Thrown through a delivery whose hold somebody else has: the configuration was replaced or deleted. */
class Replaced extends Error {}

/** Delivers until the stream's end, and removes the hold. Resolves also when aborted or replaced; throws what the store throws. */
export async function deliver(parts: DeliveryParts, delivery: Delivery): Promise<void> {
  const { key, kept, signal } = delivery;
  const { id } = kept.config;
  const owner = joinKey(key.tenant, key.user);
  let { hold, version } = delivery;

  const save = async (next: Hold): Promise<void> => {
    const put = await parts.records.put({ key: holdKey(key, id), value: JSON.stringify(next), ifVersion: version });
    if (!put.ok) throw new Replaced();
    hold = next;
    version = put.version;
  };

  /** Tries until delivered, hopeless or aborted. Failures are counted over restarts. */
  const send = async (notification: Notification, seq: number): Promise<"delivered" | "hopeless" | "aborted"> => {
    for (;;) {
      if (signal.aborted) return "aborted";
      const now = (): number => parts.clock.now();
      const posted = await parts.permits.run(owner, () =>
        post(kept, notification, { fetch: parts.fetch, signingKey: parts.signingKey, issuer: parts.issuer, now, signal, timeoutMs: parts.timeoutMs }),
      );
      if (posted.kind === "delivered") {
        await save(hold.final === true ? { seq: NO_ENTRY, final: true } : { seq });
        return "delivered";
      }
      if (signal.aborted) return "aborted";
      const failures = (hold.failures ?? 0) + 1;
      const since = hold.since ?? now();
      await save({ ...hold, failures, since });
      if (posted.gone || isHopeless(parts.backoff, failures, since, now())) {
        await noteGivenUp(parts, delivery, { at: toTimestamp(now()), failures, why: posted.why });
        parts.report(gaveUp(kept, hold, failures, posted.why), key);
        return "hopeless";
      }
      await parts.clock.sleep(nextDelay(parts.backoff, failures, posted.retryAfterMs, parts.random()), signal);
    }
  };

  /** True at the end of the stream, false when given up on before it. */
  const deliverEntries = async (): Promise<boolean> => {
    const entries = parts.log.follow(key, { after: hold.seq, signal, maxBytes: parts.coalesce.maxBytes });
    const batches = delivery.mayReply && hold.seq === 0 ? withoutReply(entries) : entries;
    const events = kept.version === "0.3" ? statuses(batches) : coalesce(batches, { ...parts.coalesce, clock: parts.clock });
    for await (const outgoing of events) {
      const notification = await toNotification(parts, key, kept, outgoing);
      if (notification === undefined) continue;
      const sent = await send(notification, outgoing.seq);
      if (sent !== "delivered") return sent === "aborted";
    }
    return true;
  };

  /** The stream's content does not matter any more: only how it ends. */
  const deliverFinal = async (): Promise<void> => {
    const page = await parts.log.read(key, { after: 0, maxBytes: 0 });
    if (page === undefined) return;
    for await (const _ of parts.log.follow(key, { after: page.head, signal }));
    if (signal.aborted) return;
    const at = await foldedTask(parts, key);
    const notification = at && (await toNotification(parts, key, kept, { seq: at.seq, event: { task: at.task } }));
    if (notification !== undefined) await send(notification, at?.seq ?? 0);
  };

  try {
    if (hold.final !== true && !(await deliverEntries())) await save({ seq: NO_ENTRY, final: true });
    if (hold.final === true && !signal.aborted) await deliverFinal();
    if (!signal.aborted) await parts.records.delete(holdKey(key, id), { ifVersion: version });
  } catch (error) {
    if (!(error instanceof Replaced)) throw error;
  }
}

/** Says in the configuration that it is given up, for whoever asks for it. */
async function noteGivenUp({ records }: DeliveryParts, { key, kept }: Delivery, givenUp: GivenUp): Promise<void> {
  const found = await records.get(configKey(key, kept.config.id));
  if (found !== undefined) await records.put({ key: found.key, value: withGivenUp(found.value, givenUp), ifVersion: found.version });
}

function gaveUp({ config }: KeptConfig, hold: Hold, failures: number, why: string): IasError {
  const then = hold.final === true ? "the final Task is not delivered either" : "only the final Task will still be sent";
  return new IasError(
    "remote-failed",
    `The webhook ${JSON.stringify(config.id)} of task ${config.taskId} is given up after ${failures} failures (${why}); ${then}.`,
    {
      reason: "PUSH_GIVEN_UP",
      details: { taskId: config.taskId, configId: config.id },
    },
  );
}

/** For callers of 0.3, whose notifications are the whole Task: one for each batch that has a public status. */
async function* statuses(batches: AsyncIterable<readonly Entry[]>): AsyncGenerator<Outgoing, void, undefined> {
  for await (const batch of batches) {
    const last = batch.findLast((entry) => entry.audience === "public" && !entry.event.startsWith('{"artifactUpdate"'));
    if (last !== undefined) yield { seq: last.seq, event: JSON.parse(last.event) as StreamResponse };
  }
}

async function foldedTask(parts: DeliveryParts, key: StreamKey): Promise<{ readonly task: Task; readonly seq: number } | undefined> {
  const at = await parts.views.with(key, ({ fold }) => ({ task: fold.task(), seq: fold.seq }));
  return at?.task === undefined ? undefined : { task: at.task, seq: at.seq };
}

/** A notification's body: the event with its cursor in metadata (SEMANTICS 3), or for 0.3 the Task as it stands. Undefined when the stream is gone. */
async function toNotification(parts: DeliveryParts, key: StreamKey, kept: KeptConfig, outgoing: Outgoing): Promise<Notification | undefined> {
  const { seq } = outgoing;
  const text = joinKey(keyText(key), kept.config.id, String(seq));
  const id = createHash("sha256").update(text).digest("hex").slice(0, 32);
  const present = async (json: string): Promise<string> => (hasBlobs(json) ? parts.media.present(key, json) : json);
  const fit = (task: Task): Promise<Task> => parts.media.fitTask(key, task, parts.maxTaskBytes);
  if (kept.version === "0.3") {
    const at = await foldedTask(parts, key);
    if (at === undefined) return undefined;
    const task = JSON.parse(await present(JSON.stringify(await fit(at.task)))) as Task;
    return { id, body: JSON.stringify(toV03Task(task)), contentType: "application/json" };
  }
  const event = "task" in outgoing.event ? { task: await fit(outgoing.event.task) } : outgoing.event;
  return { id, body: await present(JSON.stringify(withEventCursor(event, toCursor(parts.log.id, seq)))), contentType: A2A_MEDIA_TYPE };
}
