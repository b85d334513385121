import { isOpenTo } from "../engine/agents.ts";
import { IasError } from "../model/errors.ts";
import type { Call, Operations } from "./operations.ts";

/** The same operations; to any but its owner an agent with one does not exist, whatever binding asks (SEMANTICS 22). */
export function withOwners(operations: Operations): Operations {
  const owned =
    <T>(operation: (call: Call, params: unknown) => Promise<T>) =>
    async (call: Call, params: unknown): Promise<T> => {
      if (isOpenTo(call.agent, call.principal)) return operation(call, params);
      throw new IasError("not-found", `There is no agent ${JSON.stringify(call.agent.id)} here.`, { reason: "AGENT_NOT_FOUND" });
    };
  return {
    sendMessage: owned(operations.sendMessage),
    sendStreamingMessage: owned(operations.sendStreamingMessage),
    getTask: owned(operations.getTask),
    listTasks: owned(operations.listTasks),
    cancelTask: owned(operations.cancelTask),
    subscribeToTask: owned(operations.subscribeToTask),
    createTaskPushNotificationConfig: owned(operations.createTaskPushNotificationConfig),
    getTaskPushNotificationConfig: owned(operations.getTaskPushNotificationConfig),
    listTaskPushNotificationConfigs: owned(operations.listTaskPushNotificationConfigs),
    deleteTaskPushNotificationConfig: owned(operations.deleteTaskPushNotificationConfig),
    getExtendedAgentCard: owned(operations.getExtendedAgentCard),
  };
}
