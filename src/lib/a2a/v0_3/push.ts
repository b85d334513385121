import { IasError } from "../../model/errors.ts";
import type { Call, Operations, PushConfig } from "../operations.ts";

/** A webhook by its id, or the task's only one: 0.3 may leave the id out. Throws as `getTaskPushNotificationConfig` does. */
export async function findPushConfig(
  operations: Operations,
  call: Call,
  { taskId, id }: { readonly taskId: string; readonly id?: string | undefined },
): Promise<PushConfig> {
  if (id !== undefined && id !== "") return operations.getTaskPushNotificationConfig(call, { taskId, id });
  const { configs } = await operations.listTaskPushNotificationConfigs(call, { taskId });
  const [first] = configs;
  if (first !== undefined) return first;
  throw new IasError("task-not-found", `The task ${taskId.slice(0, 256)} has no push notification configuration.`, {
    details: { taskId: taskId.slice(0, 256) },
  });
}
