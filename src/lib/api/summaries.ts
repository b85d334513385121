import type { ListedTask } from "../log/task-index.ts";
import type { StreamResponse, Task } from "../model/a2a.ts";
import type { TaskSummary } from "../model/api.ts";
import type { StreamKey } from "../model/key.ts";
import { taskTitle } from "../model/title.ts";
import type { ApiParts } from "./api-parts.ts";

/** A row of the index as the API lists it, with the task's title. */
export async function toSummary(parts: Pick<ApiParts, "store">, row: ListedTask): Promise<TaskSummary> {
  const title = await titleOf(parts, row.key);
  const { key, context, state, statusAt, createdAt, head } = row;
  return { agent: key.agent, task: key.task, context, state, statusAt, createdAt, head, ...(title !== undefined && { title }) };
}

/** The beginning of a task's first user message: of its first entry, or of what stands for it. */
export async function titleOf({ store }: Pick<ApiParts, "store">, key: StreamKey): Promise<string | undefined> {
  const page = await store.log.read(key, { after: 0, maxBytes: 1 });
  const first = page?.entries[0];
  if (page?.snapshot !== undefined) return taskTitle(taskOfSnapshot(page.snapshot));
  if (first === undefined) return undefined;
  const event = JSON.parse(first.event) as StreamResponse;
  return "task" in event ? taskTitle(event.task) : undefined;
}

function taskOfSnapshot(snapshot: string): Task | undefined {
  const said = JSON.parse(snapshot) as { readonly task?: Task } | Task;
  return "task" in said ? said.task : "id" in said ? said : undefined;
}
