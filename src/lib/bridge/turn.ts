import { createHash } from "node:crypto";
import type { Caller } from "../api/api.ts";
import type { Agent } from "../engine/agent.ts";
import { type Message, isInterrupted, isTerminal, type Task } from "../model/a2a.ts";
import type { ReaderInfo, SendBody, StreamEntry } from "../model/api.ts";
import { readCursor, toCursor } from "../model/cursor.ts";
import { decodeEvent, type Entry } from "../model/entry.ts";
import { readExtension } from "../model/extension.ts";
import { type StreamKey, streamKey } from "../model/key.ts";
import type { BridgeEvent } from "./bridge-event.ts";
import type { BridgeParts } from "./bridge-parts.ts";
import { createTranslator } from "./translate.ts";

/** A turn that a frontend's message began: where its entries stand, or the whole answer of an agent that replies without a task. */
export type Turn =
  | { readonly kind: "task"; readonly agent: Agent; readonly task: string; readonly context: string; readonly after: number }
  | { readonly kind: "reply"; readonly agent: Agent; readonly message: Message };

/** Puts a message into the log. The same body again attaches to the turn that the first began, wherever that is by now (SEMANTICS 16). */
export async function startTurn(parts: BridgeParts, caller: Caller, agent: Agent, body: SendBody): Promise<Turn> {
  const given = body.taskId === undefined ? undefined : streamKey(caller.principal, agent.id, body.taskId);
  const earlier = given && (await findInput(parts, given, body.messageId));
  const sent = await parts.api.send(caller, agent.id, body);
  if ("message" in sent) return { kind: "reply", agent, message: sent.message };
  const head = earlier ?? seqOf(parts, sent.cursor);
  const key = streamKey(caller.principal, agent.id, sent.task);
  return { kind: "task", agent, task: sent.task, context: sent.context, after: await presentAttempt(parts, key, head) };
}

/** The turn under way of the newest task of a conversation, from its beginning; undefined where none is. */
export async function presentTurn(parts: BridgeParts, caller: Caller, agent: Agent, context: string): Promise<(Turn & { kind: "task" }) | undefined> {
  const { tenant, user } = caller.principal;
  const { tasks } = await parts.store.index.list({ tenant, user, agent: agent.id, context, limit: 1 });
  const row = tasks[0];
  if (row === undefined || isTerminal(row.state) || isInterrupted(row.state)) return undefined;
  // A message that waits for its turn begins it; else the turn that runs does.
  const begin = await parts.views.with(row.key, ({ ledger }) => (row.state === "TASK_STATE_SUBMITTED" ? ledger.unread()[0]?.seq : ledger.startedAt));
  const after = Math.max(0, (begin ?? 0) - 1);
  return { kind: "task", agent, task: row.key.task, context, after: await presentAttempt(parts, row.key, after) };
}

/**
 * What happens in a turn, a batch at a time as entries come; the last event is `end`. Without an `end` the caller has gone, the stream is too old or the server
 * stops: the turn goes on. To be iterated once. Throws `limit-reached` when too many streams are open, `task-not-found`.
 */
export async function readTurn(
  parts: BridgeParts,
  caller: Caller,
  turn: Turn,
  transport: ReaderInfo["transport"],
): Promise<AsyncIterable<readonly BridgeEvent[]>> {
  const translator = createTranslator({ rolls: turn.agent.maxArtifactBytes.policy === "roll" });
  if (turn.kind === "reply") return replyEvents(turn.message);
  const after = toCursor(parts.store.log.id, turn.after);
  const stream = await parts.api.events(caller, { task: turn.task, agent: turn.agent.id }, { after: turn.after === 0 ? "0" : after, transport });
  return (async function* () {
    const { snapshot } = stream.opened;
    if (snapshot !== undefined) {
      // Entries of the turn's beginning are gone (retention): what the task amounts to stands for them.
      const task = snapshot as unknown as Task;
      const events = [...(task.artifacts ?? [])].flatMap((artifact) =>
        translator.next({ audience: "public" }, { artifactUpdate: { taskId: task.id, contextId: task.contextId, artifact } }),
      );
      const { status } = task;
      events.push(...translator.next({ audience: "public" }, { statusUpdate: { taskId: task.id, contextId: task.contextId, status } }));
      yield events;
      if (events.at(-1)?.kind === "end") return;
    }
    for await (const batch of stream.batches) {
      const events: BridgeEvent[] = [];
      for (const { json } of batch) {
        const entry = JSON.parse(json) as StreamEntry;
        events.push(...translator.next(entry, entry.event));
      }
      if (events.length > 0) yield events;
      if (events.at(-1)?.kind === "end") return;
    }
  })();
}

/** A message id that names the whole of what is sent: the same again attaches, what was edited under its old id is another message. */
export function messageIdOf(id: string, body: Omit<SendBody, "messageId">): string {
  return `${id.slice(0, 150)}.${createHash("sha256").update(JSON.stringify(body)).digest("base64url").slice(0, 22)}`;
}

/** A reply without a task, as a turn that is over. */
async function* replyEvents({ parts }: Message): AsyncGenerator<readonly BridgeEvent[]> {
  const said = { role: "ROLE_AGENT" as const, messageId: "reply", parts };
  const status = { state: "TASK_STATE_COMPLETED" as const, message: said };
  yield createTranslator({ rolls: false }).next({ audience: "public" }, { statusUpdate: { taskId: "", contextId: "", status } });
}

/** The entry before a message that the task has already. */
async function findInput(parts: BridgeParts, key: StreamKey, messageId: string): Promise<number | undefined> {
  for await (const entry of pages(parts, key, 0)) {
    if (entry.audience !== "internal" || !entry.event.includes('"kind":"input"')) continue;
    const data = readExtension(decodeEvent(entry));
    if (data?.kind === "input" && data.message.messageId === messageId) return entry.seq - 1;
  }
  return undefined;
}

/** Where to read a turn that may have been started over: before its last attempt, so that a reader who saw nothing of the earlier ones is spared them (SEMANTICS 19). */
async function presentAttempt(parts: BridgeParts, key: StreamKey, after: number): Promise<number> {
  const head = (await parts.store.log.read(key, { after: 0, maxBytes: 0 }))?.head ?? 0;
  const last = head === 0 ? undefined : (await parts.store.log.read(key, { after: head - 1 }))?.entries[0];
  if (last === undefined || last.attempt <= 1) return after;
  let begin = after;
  for await (const entry of pages(parts, key, after)) {
    if (entry.seq > head || isRest(entry)) break;
    if (entry.audience === "extension" && entry.event.includes('"kind":"attempt"') && readExtension(decodeEvent(entry))?.kind === "attempt")
      begin = entry.seq - 1;
  }
  return begin;
}

function isRest(entry: Entry): boolean {
  if (entry.audience !== "public" || !entry.event.startsWith('{"statusUpdate"')) return false;
  const event = decodeEvent(entry);
  return "statusUpdate" in event && (isTerminal(event.statusUpdate.status.state) || isInterrupted(event.statusUpdate.status.state));
}

async function* pages(parts: BridgeParts, key: StreamKey, from: number): AsyncGenerator<Entry> {
  for (let after = from; ;) {
    const page = await parts.store.log.read(key, { after });
    yield* page?.entries ?? [];
    const last = page?.entries.at(-1)?.seq;
    if (page === undefined || last === undefined || last >= page.head) return;
    after = last;
  }
}

function seqOf(parts: BridgeParts, cursor: string): number {
  const place = readCursor(cursor, { logId: parts.store.log.id, head: Number.MAX_SAFE_INTEGER, floor: 0 });
  return place.kind === "resume" ? place.seq : 0;
}
