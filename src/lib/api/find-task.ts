import type { Page } from "../log/log.ts";
import { IasError } from "../model/errors.ts";
import { type Principal, type StreamKey, streamKey } from "../model/key.ts";
import type { TaskName } from "./api.ts";
import type { ApiParts } from "./api-parts.ts";

/** A task's stream and how it stands, without entries. */
export interface FoundTask {
  readonly key: StreamKey;
  readonly page: Page;
}

/** Finds a task of the caller: at the agent that is named, then at the others. Throws `task-not-found`, also for tasks of others (SEMANTICS 22). */
export async function findTask(parts: Pick<ApiParts, "store" | "agents">, principal: Principal, name: TaskName): Promise<FoundTask> {
  const found = await seekTask(parts, principal, name);
  if (found === undefined) throw taskNotFound(name.task);
  return found;
}

/** As `findTask`; undefined where there is none. */
export async function seekTask(
  { store, agents }: Pick<ApiParts, "store" | "agents">,
  principal: Principal,
  { task, agent }: TaskName,
): Promise<FoundTask | undefined> {
  const asked = new Set([...(agent === undefined ? [] : [agent]), ...agents.keys()]);
  for (const each of asked) {
    const key = streamKey(principal, each, task);
    const page = await store.log.read(key, { after: 0, maxBytes: 0 });
    if (page !== undefined) return { key, page };
  }
  return undefined;
}

/** A task that is not there for this caller: whether it exists elsewhere is not told (SEMANTICS 22). */
export function taskNotFound(task: string): IasError {
  return new IasError("task-not-found", `There is no task ${JSON.stringify(task.slice(0, 256))} here. Check the id and the credentials.`, {
    details: { taskId: task.slice(0, 256) },
  });
}
