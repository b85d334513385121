import type { TaskIndex } from "../log/task-index.ts";
import type { Message, Task } from "../model/a2a.ts";
import { keyText, type StreamKey } from "../model/key.ts";
import { conversation, type TaskViews } from "./view.ts";

/** Tasks of a conversation that history looks at, newest first; older ones are left out. */
const MAX_TASKS = 50;

/** What was said in the conversation's other tasks that were created before `createdAt`, oldest first, at most `limit` messages (the newest). */
export async function conversationHistory(
  parts: { readonly index: TaskIndex; readonly views: TaskViews },
  at: { readonly key: StreamKey; readonly context: string; readonly createdAt: number; readonly limit: number },
): Promise<readonly Message[]> {
  const { key, context } = at;
  const { tasks } = await parts.index.list({ tenant: key.tenant, user: key.user, agent: key.agent, context, limit: MAX_TASKS });
  const earlier = tasks.filter((task) => task.createdAt <= at.createdAt && keyText(task.key) !== keyText(key)).sort((a, b) => b.createdAt - a.createdAt);
  const said: Message[] = [];
  for (const task of earlier) {
    if (said.length >= at.limit) break;
    said.unshift(...((await parts.views.with(task.key, (view) => conversation(view))) ?? []));
  }
  return said.slice(-at.limit);
}

/** The tasks that messages name in `referenceTaskIds`, as far as the same principal and agent have them, each once. */
export async function referencedTasks(views: TaskViews, key: StreamKey, messages: readonly Message[]): Promise<readonly Task[]> {
  const ids = new Set(messages.flatMap((message) => message.referenceTaskIds ?? []));
  const tasks: Task[] = [];
  for (const id of ids) {
    const task = await views.with({ ...key, task: id }, (view) => view.fold.task());
    if (task !== undefined) tasks.push(task);
  }
  return tasks;
}
