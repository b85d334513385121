import { IasError } from "../../model/errors.ts";
import type { Call, Operations, PushConfig } from "../operations.ts";

/** A webhook by its id, or the task's first: 0.3 may leave the id out when it is set and when it is asked for; `default` is what some clients then say. Throws as `getTaskPushNotificationConfig` does. */
export async function findPushConfig(
  operations: Operations,
  call: Call,
  { taskId, id = "" }: { readonly taskId: string; readonly id?: string | undefined },
): Promise<PushConfig> {
  if (id !== "" && id !== "default") return operations.getTaskPushNotificationConfig(call, { taskId, id });
  const { configs } = await operations.listTaskPushNotificationConfigs(call, { taskId });
  const found = configs.find((config) => config.id === id) ?? configs[0];
  if (found !== undefined) return found;
  throw new IasError("task-not-found", `The task ${taskId.slice(0, 256)} has no push notification configuration.`, {
    details: { taskId: taskId.slice(0, 256) },
  });
}
