import { setImmediate as nextTurn } from "node:timers/promises";
import type { ListedTask } from "../log/task-index.ts";
import { hasBlobs } from "../media/media.ts";
import { isTerminal, type Task } from "../model/a2a.ts";
import { toCursor } from "../model/cursor.ts";
import { withCursor } from "../model/extension.ts";
import { IasError } from "../model/errors.ts";
import { type StreamKey, streamKey } from "../model/key.ts";
import { audienceOf, openFrames, taskNotFound, untilRest } from "./frames.ts";
import type { Operations } from "./operations.ts";
import { getTaskSchema, listTasksSchema, parseParams, taskIdSchema } from "./parse.ts";
import { readPageToken, writePageToken } from "./page-token.ts";
import { recordAddition } from "./record.ts";
import type { ServerParts } from "./server.ts";

/** A page of ListTasks where the caller names no size (specification 3.1.4). */
const PAGE_SIZE = 50;

/** The operations on tasks that exist. */
export function createTasks(parts: ServerParts): Pick<Operations, "getTask" | "listTasks" | "cancelTask" | "subscribeToTask"> {
  return {
    async getTask(call, params) {
      const { id, historyLength } = parseParams(getTaskSchema, params);
      return taskAnswer(parts, streamKey(call.principal, call.agent.id, id), historyLength);
    },

    async listTasks(call, params) {
      const request = parseParams(listTasksSchema, params);
      const limit = request.pageSize ?? PAGE_SIZE;
      const filter = {
        tenant: call.principal.tenant,
        user: call.principal.user,
        agent: call.agent.id,
        ...(request.contextId !== undefined && request.contextId !== "" && { context: request.contextId }),
        ...(request.status !== undefined && request.status !== "TASK_STATE_UNSPECIFIED" && { states: [request.status] }),
        ...(request.statusTimestampAfter !== undefined && { statusAfter: Date.parse(request.statusTimestampAfter) }),
      };
      const token =
        request.pageToken === undefined || request.pageToken === "" ? undefined : await readPageToken(parts.store.records, request.pageToken, filter);
      const until = token?.until ?? parts.now();
      const page = await parts.store.index.list({ ...filter, statusUntil: until, ...(token !== undefined && { after: token.after }), limit });
      // A page is held whole in memory, so it has the budget of one Task: it ends early, and its token goes on where it ended (SEMANTICS 21).
      const tasks: Task[] = [];
      let left = parts.limits.maxInlineBytes;
      let last: ListedTask | undefined;
      for (const row of page.tasks) {
        const shown = await showTask(parts, row.key, request).catch(skipRemoved);
        if (shown !== undefined) {
          left -= shown.bytes;
          if (left < 0 && tasks.length > 0) break;
          tasks.push(shown.task);
        }
        last = row;
        // Each task may cost megabytes of folding and JSON; streams get their turn in between.
        await nextTurn();
      }
      const nextPageToken =
        last !== undefined && (page.more || last !== page.tasks.at(-1))
          ? await writePageToken(parts.store.records, { until, after: { time: last.statusAt, task: last.key.task } }, filter)
          : "";
      return { tasks, nextPageToken, pageSize: limit, totalSize: page.total };
    },

    async cancelTask(call, params) {
      const { id } = parseParams(taskIdSchema, params);
      const key = streamKey(call.principal, call.agent.id, id);
      const request = { principal: call.principal };
      for (let asked = false; ;) {
        const row = await parts.store.index.get(key);
        if (row === undefined) throw taskNotFound(id);
        if (row.state === "TASK_STATE_CANCELED") return taskAnswer(parts, key, undefined);
        if (isTerminal(row.state)) {
          throw new IasError("task-not-cancelable", `The task ${id} has ended (${row.state}) and cannot be canceled.`, {
            details: { taskId: id.slice(0, 256), state: row.state },
          });
        }
        if (!asked && (await parts.runtime.cancel(key, request)) === "asked") {
          // The owner gets `cancelWaitMs`; then we take the stream from it and write CANCELED ourselves.
          await untilRest(parts, key, row.head, AbortSignal.timeout(parts.limits.cancelWaitMs));
          asked = true;
          continue;
        }
        const data = { kind: "cancel" as const, user: call.principal.user };
        await recordAddition(parts, row, { data, state: "TASK_STATE_CANCELED" }, "unchanged");
      }
    },

    async subscribeToTask(call, params) {
      if (!call.agent.streaming) throw new IasError("unsupported-operation", `The agent ${call.agent.id} does not stream; read the task instead.`);
      const { id } = parseParams(taskIdSchema, params);
      const key = streamKey(call.principal, call.agent.id, id);
      const row = await parts.store.index.get(key);
      if (row === undefined) throw taskNotFound(id);
      if (isTerminal(row.state) && audienceOf(call) === "public") {
        throw new IasError("unsupported-operation", `The task ${id} has ended (${row.state}); read the task instead.`, { details: { state: row.state } });
      }
      return openFrames(parts, call, key, { from: "head", until: "terminal" });
    },
  };
}

/** The Task of `key` as an operation returns it: with its cursor, the newest `historyLength` messages (all when undefined), and no more inline than a client takes. */
export async function taskAnswer(parts: ShowParts, key: StreamKey, historyLength: number | undefined): Promise<Task> {
  return (await showTask(parts, key, { historyLength, includeArtifacts: true })).task;
}

type ShowParts = Pick<ServerParts, "store" | "views" | "media" | "limits">;

/** What a caller wants to see of a task. */
interface Wanted {
  readonly historyLength?: number | undefined;
  readonly includeArtifacts?: boolean | undefined;
}

/** A Task as it goes out, and what it has in bytes of JSON. */
async function showTask(parts: ShowParts, key: StreamKey, wanted: Wanted): Promise<{ readonly task: Task; readonly bytes: number }> {
  const listed = await parts.store.index.get(key);
  const artifacts = wanted.includeArtifacts === true;
  const at = listed && (await parts.views.with(key, (view) => ({ task: view.fold.task({ artifacts }), seq: view.fold.seq })));
  if (at?.task === undefined) throw taskNotFound(key.task);
  const { history = [], ...rest } = withCursor(at.task, toCursor(parts.store.log.id, at.seq));
  const kept = wanted.historyLength === undefined ? history : history.slice(Math.max(0, history.length - wanted.historyLength));
  const task: Task = { ...rest, ...(kept.length > 0 && { history: kept }) };
  const fitted = await parts.media.fitTask(key, task, parts.limits.maxInlineBytes);
  const json = JSON.stringify(fitted);
  if (!hasBlobs(json)) return { task: fitted, bytes: Buffer.byteLength(json) };
  const presented = await parts.media.present(key, json);
  return { task: JSON.parse(presented) as Task, bytes: Buffer.byteLength(presented) };
}

/** A task that retention removed between the index and the log is left out of a page. */
function skipRemoved(error: unknown): undefined {
  if (error instanceof IasError && error.code === "task-not-found") return undefined;
  throw error;
}
