import type { Opened } from "../log/log.ts";
import type { RecordWrite, StoredRecord } from "../log/records.ts";
import type { ListedTask } from "../log/task-index.ts";
import type { JsonObject, Message, StreamResponse, TaskState } from "../model/a2a.ts";
import { type Audience, encodeEvent, type NewEntry } from "../model/entry.ts";
import { IasError } from "../model/errors.ts";
import { type ExtensionData, toMetadata } from "../model/extension.ts";
import { toTimestamp } from "../model/ids.ts";
import type { StreamKey } from "../model/key.ts";
import type { ServerParts } from "./server.ts";

/**
 * What a gateway writes itself, each time through an epoch that it opened (SEMANTICS 10): the first entry of a task, a message to a task whose
 * turn does not run, a cancellation that no owner answered.
 */

type RecordParts = Pick<ServerParts, "store" | "now" | "owner">;

/** Creates the task's stream with entry 1, SUBMITTED. Returns the record that stands in the way if `once` is taken: then nothing was created. */
export async function recordTask(
  parts: RecordParts,
  key: StreamKey,
  task: { context: string; message: Message; metadata: JsonObject | undefined },
  records: readonly RecordWrite[],
): Promise<{ readonly ok: true } | { readonly ok: false; readonly found: StoredRecord }> {
  const { log } = parts.store;
  const opened = await log.open(key, { owner: parts.owner, expect: 0 });
  if (!opened.ok) throw new IasError("internal", `The new task ${key.task} could not be opened (${opened.reason}).`);
  const at = parts.now();
  const event: StreamResponse = {
    task: {
      id: key.task,
      contextId: task.context,
      status: { state: "TASK_STATE_SUBMITTED", timestamp: toTimestamp(at) },
      history: [task.message],
      ...(task.metadata !== undefined && { metadata: task.metadata }),
    },
  };
  const appended = await log.append(key, {
    epoch: opened.epoch,
    firstSeq: 1,
    entries: [{ gen: 1, at, attempt: 0, audience: "public", event: encodeEvent(event) }],
    index: { key, context: task.context, state: "TASK_STATE_SUBMITTED", statusAt: at, createdAt: at },
    ...(records.length > 0 && { records }),
  });
  if (appended.kind === "conflict") return { ok: false, found: appended.record };
  if (appended.kind !== "ok") throw new IasError("internal", `The new task ${key.task} could not be recorded (${appended.kind}).`);
  return { ok: true };
}

/** What to add to a task that rests, and the state that it goes to. */
export interface Addition {
  readonly data: ExtensionData;
  /** Absent: the status stays. */
  readonly state?: TaskState;
  readonly records?: readonly RecordWrite[];
}

/**
 * Adds an internal entry, and a public status if the state changes, to a task that `row` describes. `taken` if somebody else has it meanwhile: look
 * again. `take` is what the caller may take: the very stream of `row`, whose epoch may be that of a turn which begins just now and is not to be
 * fenced once it has, or only one whose lease has ended.
 */
export async function recordAddition(
  parts: RecordParts,
  row: ListedTask,
  addition: Addition,
  take: "unchanged" | "expired",
): Promise<{ readonly kind: "ok"; readonly head: number } | { readonly kind: "taken" } | { readonly kind: "conflict"; readonly found: StoredRecord }> {
  const { log } = parts.store;
  const opened = await log.open(row.key, { owner: parts.owner, ...(take === "expired" ? { expect: take } : { expect: row.epoch, head: row.head }) });
  if (!opened.ok) return { kind: "taken" };
  const at = parts.now();
  const status = { state: addition.state ?? row.state, timestamp: toTimestamp(addition.state === undefined ? row.statusAt : at) };
  const base = { taskId: row.key.task, contextId: row.context, status };
  const changes = addition.state !== undefined && addition.state !== row.state;
  const entry = (audience: Audience, gen: number, event: StreamResponse): NewEntry => ({
    gen,
    at,
    attempt: opened.attempt,
    audience,
    event: encodeEvent(event),
  });
  const entries = [entry("internal", opened.gen, { statusUpdate: { ...base, metadata: toMetadata(addition.data) } })];
  if (changes) entries.push(entry("public", opened.gen + 1, { statusUpdate: base }));
  const appended = await log.append(row.key, {
    epoch: opened.epoch,
    firstSeq: opened.nextSeq,
    entries,
    ...(changes && { index: { key: row.key, context: row.context, state: status.state, statusAt: at, createdAt: row.createdAt } }),
    ...(addition.records !== undefined && addition.records.length > 0 && { records: addition.records }),
  });
  if (appended.kind === "ok") return { kind: "ok", head: lastSeq(opened, entries) };
  if (appended.kind === "conflict") return { kind: "conflict", found: appended.record };
  return { kind: "taken" };
}

function lastSeq(opened: Opened, entries: readonly NewEntry[]): number {
  return opened.nextSeq + entries.length - 1;
}
