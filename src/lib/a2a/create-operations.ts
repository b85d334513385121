import { EXTENSION_URI } from "../model/entry.ts";
import { IasError } from "../model/errors.ts";
import { keyText, streamKey, type StreamKey } from "../model/key.ts";
import { taskNotFound } from "./frames.ts";
import type { Call, Operations, PushConfig } from "./operations.ts";
import { readPushPageToken, writePageToken } from "./page-token.ts";
import { parseParams, pushCreateSchema, pushIdSchema, pushListSchema, toPushConfig } from "./parse.ts";
import { createSend } from "./send.ts";
import type { ServerParts } from "./server.ts";
import { createTasks } from "./tasks.ts";

/** Operations over a log, a runtime and their neighbours. */
export function createOperations(parts: ServerParts): Operations {
  return { ...createSend(parts), ...createTasks(parts), ...createPushOperations(parts), getExtendedAgentCard: (call) => parts.cards.extended(call) };
}

type PushOperations = Pick<
  Operations,
  "createTaskPushNotificationConfig" | "getTaskPushNotificationConfig" | "listTaskPushNotificationConfigs" | "deleteTaskPushNotificationConfig"
>;

function createPushOperations(parts: ServerParts): PushOperations {
  const find = async (call: Call, task: string): Promise<StreamKey> => {
    if (!call.agent.pushNotifications) throw new IasError("push-not-supported", `The agent ${call.agent.id} sends no push notifications.`);
    const key = streamKey(call.principal, call.agent.id, task);
    if ((await parts.store.index.get(key)) === undefined) throw taskNotFound(task);
    return key;
  };
  return {
    async createTaskPushNotificationConfig(call, params) {
      const config = parseParams(pushCreateSchema, params);
      return parts.push.create(call, await find(call, config.taskId ?? ""), toPushConfig(config));
    },
    async getTaskPushNotificationConfig(call, params) {
      const { taskId, id } = parseParams(pushIdSchema, params);
      const found = await parts.push.get(await find(call, taskId), id);
      if (found === undefined) {
        throw new IasError("task-not-found", `The task ${taskId} has no push notification configuration ${JSON.stringify(id)}.`, {
          details: { taskId: taskId.slice(0, 256) },
        });
      }
      return shownTo(call, found);
    },
    async listTaskPushNotificationConfigs(call, params) {
      const { taskId, pageSize = 0, pageToken = "" } = parseParams(pushListSchema, params);
      const key = await find(call, taskId);
      const { records } = parts.store;
      const filter = { webhooksOf: keyText(key) };
      const token = pageToken === "" ? undefined : await readPushPageToken(records, pageToken, filter);
      // Proto3: 0 is a size that was not given.
      const limit = pageSize === 0 ? 100 : Math.min(pageSize, 100);
      const configs = await parts.push.list(key, { ...token, limit: limit + 1 });
      const page = configs.slice(0, limit);
      const last = configs.length > limit ? page.at(-1) : undefined;
      const nextPageToken = last === undefined ? "" : await writePageToken(records, { after: last.id }, filter);
      return { configs: page.map((config) => shownTo(call, config)), nextPageToken };
    },
    async deleteTaskPushNotificationConfig(call, params) {
      const { taskId, id } = parseParams(pushIdSchema, params);
      await parts.push.delete(await find(call, taskId), id);
    },
  };
}

/** What the protocol does not know is for callers of our extension: others may read strictly. */
function shownTo(call: Call, config: PushConfig): PushConfig {
  if (call.extensions.has(EXTENSION_URI)) return config;
  const { [EXTENSION_URI]: _, ...plain } = config;
  return plain;
}
