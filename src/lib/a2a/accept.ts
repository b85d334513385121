import { setTimeout as delay } from "node:timers/promises";
import type { RecordWrite } from "../log/records.ts";
import { isTerminal, type Message } from "../model/a2a.ts";
import { IasError } from "../model/errors.ts";
import { newId } from "../model/ids.ts";
import { keyText, type StreamKey, streamKey } from "../model/key.ts";
import { queueFull } from "../runtime/runtime.ts";
import { createQueues } from "../stream/queues.ts";
import { removalRecords } from "../task/removal.ts";
import { checkMessage } from "./check-message.ts";
import { taskNotFound } from "./frames.ts";
import { type Once, onceOf, onceRecords, type OnceValue, readOnce } from "./once.ts";
import type { Call } from "./operations.ts";
import { type SendParams, toPushConfig } from "./parse.ts";
import { recordAddition, recordTask } from "./record.ts";
import type { ServerParts } from "./server.ts";

/** A message that is in the log. */
export interface Accepted {
  readonly key: StreamKey;
  /** The head after it was recorded: what answers it comes later. */
  readonly after: number;
  /** The message made the task. */
  readonly created: boolean;
  /** The request was sent before; this is the task that it went to. */
  readonly repeated: boolean;
}

/** How often a message to a task in other hands is tried again, and how long to wait in between, ms: together longer than a lease. */
const TRIES = 60;
const TRY_MS = 100;

/** Makes the one way of a message into the log. */
export function createAccept(parts: ServerParts): (call: Call, request: SendParams) => Promise<Accepted> {
  /** Idempotent sends under way by key: equal ones that come at the same time go one after the other, so that the later find the record. */
  const underWay = createQueues();
  return async (call, request) => {
    const once = onceOf(call, request);
    const run = (): Promise<Accepted> => accept(parts, call, request, once);
    return once === undefined ? run() : underWay.run(once.key, run);
  };
}

/** What is sent to an agent must speak the extensions that its card requires; reading a task needs none (specification 3.3.4). */
function checkExtensions(call: Call): void {
  const missing = call.agent.extensions.find((extension) => extension.required === true && !call.extensions.has(extension.uri));
  if (missing === undefined) return;
  throw new IasError("extension-required", `The agent ${call.agent.id} requires the extension ${missing.uri}; name it in the A2A-Extensions header.`, {
    details: { extension: missing.uri },
  });
}

/** Puts the message into the log, once, and tells the runtime. */
async function accept(parts: ServerParts, call: Call, request: SendParams, once: Once | undefined): Promise<Accepted> {
  checkExtensions(call);
  const checked = checkMessage(parts.limits, call.agent, request.message, request.metadata);
  const given = request.configuration?.taskPushNotificationConfig;
  const config = given && toPushConfig(given);
  if (config !== undefined && !call.agent.pushNotifications) {
    throw new IasError("push-not-supported", `The agent ${call.agent.id} sends no push notifications; leave out taskPushNotificationConfig.`);
  }
  if (config !== undefined) await parts.push.check(config);
  if (once !== undefined) {
    const found = await parts.store.records.get(once.key);
    if (found !== undefined) return attach(parts, call, readOnce(found, once));
  }
  const accepted =
    checked.taskId === undefined ? await startTask(parts, call, request, checked, once) : await continueTask(parts, call, checked, checked.taskId, once);
  if (accepted.repeated) return accepted;
  if (config !== undefined) await parts.push.create(call, accepted.key, config);
  await parts.runtime.submit(accepted.key);
  return accepted;
}

/** The task that a repeated request went to. */
async function attach(parts: ServerParts, call: Call, value: OnceValue): Promise<Accepted> {
  const key = streamKey(call.principal, call.agent.id, value.task);
  const page = await parts.store.log.read(key, { after: 0, maxBytes: 0 });
  if (page === undefined) throw taskNotFound(value.task);
  return { key, after: value.created ? 1 : page.head, created: value.created, repeated: true };
}

async function startTask(parts: ServerParts, call: Call, request: SendParams, message: Message, once: Once | undefined): Promise<Accepted> {
  parts.runtime.admit(call.principal);
  const context = message.contextId ?? newId();
  if (message.contextId !== undefined) {
    const { tenant, user } = call.principal;
    const waiting = await parts.store.index.list({ tenant, user, agent: call.agent.id, context, states: ["TASK_STATE_SUBMITTED"], limit: 1 });
    if (waiting.total >= parts.limits.maxQueuedPerConversation) {
      throw queueFull(`${waiting.total} tasks wait in this conversation`, "maxQueuedPerConversation");
    }
  }
  const key = streamKey(call.principal, call.agent.id, newId());
  const stored = await parts.media.store(key, message.parts);
  const recorded = { ...message, parts: stored, contextId: context, taskId: key.task };
  const records = [...onceRecords(once, key, true), ...removalOf(parts, call, key)];
  const result = await recordTask(parts, key, { context, message: recorded, metadata: request.metadata }, records);
  if (result.ok) return { key, after: 1, created: true, repeated: false };
  if (once === undefined) throw new IasError("internal", `The task's record ${keyText(key)} was refused.`);
  return attach(parts, call, readOnce(result.found, once));
}

/** A message to a task that exists: its owner records it, or we do where no turn runs. Whoever has the stream may change between the two, so it is tried again. */
async function continueTask(parts: ServerParts, call: Call, message: Message, taskId: string, once: Once | undefined): Promise<Accepted> {
  const key = streamKey(call.principal, call.agent.id, taskId);
  const stored = { ...message, parts: await parts.media.store(key, message.parts) };
  const records = [...onceRecords(once, key, false), ...removalOf(parts, call, key)];
  for (let tries = 0; tries < TRIES; tries += 1) {
    const row = await parts.store.index.get(key);
    if (row === undefined) throw taskNotFound(taskId);
    if (message.contextId !== undefined && message.contextId !== row.context) {
      throw new IasError("invalid-params", `The task ${taskId} is in another context; leave contextId out, or give ${row.context}.`, {
        fields: [{ field: "message.contextId", description: "is not the task's" }],
      });
    }
    if (isTerminal(row.state)) {
      throw new IasError(
        "unsupported-operation",
        `The task ${taskId} has ended (${row.state}). Send the message without taskId, with contextId ${row.context}, to go on in this conversation.`,
        {
          reason: "TASK_TERMINAL",
          details: { state: row.state },
        },
      );
    }
    const input = { principal: call.principal, message: { ...stored, contextId: row.context, taskId }, records };
    if (row.state === "TASK_STATE_WORKING") {
      if ((await parts.runtime.input(key, input)) === "recorded") {
        const head = (await parts.store.log.read(key, { after: 0, maxBytes: 0 }))?.head ?? row.head;
        return { key, after: head, created: false, repeated: false };
      }
    } else {
      parts.runtime.admit(call.principal);
      await checkQueue(parts, key);
      const data = { kind: "input" as const, message: input.message, user: call.principal.user };
      const added = await recordAddition(parts, row, { data, state: "TASK_STATE_SUBMITTED", records }, "unchanged");
      if (added.kind === "ok") return { key, after: added.head, created: false, repeated: false };
      if (added.kind === "conflict" && once !== undefined) return attach(parts, call, readOnce(added.found, once));
    }
    await delay(TRY_MS, undefined, { signal: call.signal });
  }
  throw new IasError("unavailable", `The task ${taskId} is between two owners; send the message again in a moment.`, {
    reason: "TASK_MOVING",
    retryable: true,
    retryAfterMs: 1000,
  });
}

function removalOf({ now }: ServerParts, { removeAfterMs }: Call, key: StreamKey): readonly RecordWrite[] {
  return removeAfterMs === undefined ? [] : removalRecords({ key, afterMs: removeAfterMs }, now());
}

/** A task that waits for its turn takes only so many messages. */
async function checkQueue(parts: ServerParts, key: StreamKey): Promise<void> {
  const unread = (await parts.views.with(key, (view) => view.ledger.unread().length)) ?? 0;
  if (unread >= parts.limits.maxQueuedPerConversation) throw queueFull(`${unread} messages wait in this task`, "maxQueuedPerConversation");
}
