import { createHash } from "node:crypto";
import type { Caller, SendOptions } from "../api/api.ts";
import type { Agent } from "../engine/agent.ts";
import { hasBlobs } from "../media/media.ts";
import type { ListedTask } from "../log/task-index.ts";
import { type Message, isInterrupted, isTerminal, type StreamResponse, type Task } from "../model/a2a.ts";
import type { ReaderInfo, SendBody, StreamEntry } from "../model/api.ts";
import { readCursor, toCursor } from "../model/cursor.ts";
import { decodeEvent, type Entry, isVisible } from "../model/entry.ts";
import { IasError } from "../model/errors.ts";
import { readExtension } from "../model/extension.ts";
import { type StreamKey, streamKey } from "../model/key.ts";
import type { BridgeEvent } from "./bridge-event.ts";
import type { BridgeParts } from "./bridge-parts.ts";
import { ownFiles } from "./file-parts.ts";
import type { BridgeCaller } from "./request.ts";
import { createTranslator, type Translator } from "./translate.ts";

/** A turn that a frontend's message began: where its entries stand, or the whole answer of an agent that replies without a task. */
export type Turn = TaskTurn | { readonly kind: "reply"; readonly agent: Agent; readonly message: Message };

/** A turn of a task. Entry numbers are exclusive: what counts comes after them. */
export interface TaskTurn {
  readonly kind: "task";
  readonly agent: Agent;
  readonly task: string;
  readonly context: string;
  /** When the task was made, ms since the epoch. */
  readonly createdAt: number;
  /** From where to read; the same for every reader of this answer. */
  readonly after: number;
  /** Where the turn itself begins: earlier, where a task waited for an answer, it has gone on. At least `after`. */
  readonly begins: number;
  /** Attempts that were started over, in order: who saw nothing of them is spared them (SEMANTICS 19). */
  readonly voids: readonly Span[];
}

/** Entries after `after`, up to `upTo`. */
interface Span {
  readonly after: number;
  readonly upTo: number;
}

/** Puts a message into the log. The same body again attaches to the turn that the first began, wherever that is by now (SEMANTICS 16). */
export async function startTurn(parts: BridgeParts, caller: BridgeCaller, agent: Agent, body: SendBody, options: SendOptions = {}): Promise<Turn> {
  const sent = await parts.api.send(caller, agent.id, { ...body, parts: ownFiles(body.parts, caller.host) }, options);
  if ("message" in sent) return { kind: "reply", agent, message: sent.message };
  // Looked up after it was sent, so that of two equal requests at once both find the same.
  const inputs = body.taskId === undefined ? [] : await findInputs(parts, streamKey(caller.principal, agent.id, sent.task));
  const input = inputs.find(({ messageId }) => messageId === body.messageId);
  const after = input === undefined ? seqOf(parts, sent.cursor) : input.seq - 1;
  const turn = await turnAt(parts, caller, agent, sent.task, after);
  if (turn === undefined) throw new IasError("task-not-found", `The task ${sent.task} is gone.`);
  return turn;
}

/** The turn of a task that begins after an entry; undefined where there is no such task of this agent. */
export async function turnAt(parts: BridgeParts, caller: Caller, agent: Agent, task: string, after: number): Promise<TaskTurn | undefined> {
  const key = streamKey(caller.principal, agent.id, task);
  const row = await parts.store.index.get(key);
  if (row === undefined) return undefined;
  const { context, createdAt } = row;
  return { kind: "task", agent, task, context, createdAt, after, begins: after, voids: await voidAttempts(parts, key, after, after) };
}

/**
 * The newest answer of a conversation, under way or over, from its beginning: a turn, together with those before it that only waited for an approval, or for what was
 * said elsewhere. Undefined where the conversation has no task.
 */
export async function newestTurn(parts: BridgeParts, caller: Caller, agent: Agent, context: string): Promise<TaskTurn | undefined> {
  const row = await newestTask(parts, caller, agent, context);
  if (row === undefined) return undefined;
  const { key, createdAt } = row;
  // A message that waits for its turn begins it; else the last turn does.
  const at = await parts.views.with(key, ({ ledger }) => ({
    first: ledger.turn === 0 || (ledger.turn === 1 && ledger.unread().length === 0),
    begun: row.state === "TASK_STATE_SUBMITTED" ? ledger.unread()[0]?.seq : ledger.startedAt,
  }));
  if (at?.first !== false) return turnAt(parts, caller, agent, key.task, 0);
  const begins = Math.max(0, (at.begun ?? 0) - 1);
  const message = (await findInputs(parts, key)).findLast(({ seq, messageId, approves }) => !approves && isOfBridge(messageId) && seq <= begins + 1);
  const after = message === undefined ? 0 : message.seq - 1;
  return { kind: "task", agent, task: key.task, context, createdAt, after, begins, voids: await voidAttempts(parts, key, after, begins) };
}

/** The newest task of a conversation. */
export async function newestTask(parts: BridgeParts, caller: Caller, agent: Agent, context: string): Promise<ListedTask | undefined> {
  const { tenant, user } = caller.principal;
  return (await parts.store.index.list({ tenant, user, agent: agent.id, context, limit: 1 })).tasks[0];
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
  if (turn.kind === "reply") return replyEvents(turn.message);
  const translator = createTranslator({ rolls: turn.agent.maxArtifactBytes.policy === "roll", pausesUntil: turn.begins });
  const after = turn.after === 0 ? "0" : toCursor(parts.store.log.id, turn.after);
  const stream = await parts.api.events(caller, { task: turn.task, agent: turn.agent.id }, { after, transport });
  return (async function* () {
    const { snapshot } = stream.opened;
    if (snapshot !== undefined) {
      const events = snapshotEvents(translator, snapshot as unknown as Task);
      yield events;
      if (events.at(-1)?.kind === "end") return;
    }
    for await (const batch of stream.batches) {
      const events: BridgeEvent[] = [];
      for (const { seq, json } of batch) {
        if (isVoid(turn, seq)) continue;
        const entry = JSON.parse(json) as StreamEntry;
        events.push(...translator.next(entry, entry.event));
      }
      if (events.length > 0) yield events;
      if (events.at(-1)?.kind === "end") return;
    }
  })();
}

/** What happened in a turn so far, up to the head of its stream. */
export async function* readSoFar(parts: BridgeParts, caller: Caller, turn: TaskTurn): AsyncGenerator<readonly BridgeEvent[]> {
  const key = streamKey(caller.principal, turn.agent.id, turn.task);
  const translator = createTranslator({ rolls: turn.agent.maxArtifactBytes.policy === "roll", pausesUntil: turn.begins });
  for await (const entry of pages(parts, key, turn.after)) {
    if (!isVisible(entry, "extension") || isVoid(turn, entry.seq)) continue;
    const event = hasBlobs(entry.event) ? (JSON.parse(await parts.media.present(key, entry.event)) as StreamResponse) : decodeEvent(entry);
    const events = translator.next(entry, event);
    yield events;
    if (events.at(-1)?.kind === "end") return;
  }
}

/** The message that began a turn; undefined where the entry is gone (retention). */
export async function firstMessage(parts: BridgeParts, caller: Caller, { agent, task, after }: TaskTurn): Promise<Message | undefined> {
  const page = await parts.store.log.read(streamKey(caller.principal, agent.id, task), { after, maxBytes: 1 });
  const entry = page?.entries[0];
  if (entry?.seq !== after + 1) return undefined;
  const event = decodeEvent(entry);
  if ("task" in event) return event.task.history?.[0];
  const data = readExtension(event);
  return data?.kind === "input" ? data.message : undefined;
}

/** Entries of the turn's beginning are gone (retention): what the task amounts to stands for them. */
function snapshotEvents(translator: Translator, { id: taskId, contextId, artifacts = [], status }: Task): readonly BridgeEvent[] {
  const shown = { seq: Number.MAX_SAFE_INTEGER, audience: "public" as const };
  const events = artifacts.flatMap((artifact) => translator.next(shown, { artifactUpdate: { taskId, contextId, artifact } }));
  return [...events, ...translator.next(shown, { statusUpdate: { taskId, contextId, status } })];
}

/** Whether `messageIdOf` made an id: then the message is one of those that a frontend shows, and begins another answer. */
function isOfBridge(messageId: string): boolean {
  return /\.[\w-]{22}$/.test(messageId);
}

/** A message id that names the whole of what is sent: the same again attaches, what was edited under its old id is another message. */
export function messageIdOf(id: string, body: Omit<SendBody, "messageId">): string {
  return `${id.slice(0, 150)}.${createHash("sha256").update(JSON.stringify(body)).digest("base64url").slice(0, 22)}`;
}

/** A reply without a task, as a turn that is over. */
async function* replyEvents({ parts }: Message): AsyncGenerator<readonly BridgeEvent[]> {
  const said = { role: "ROLE_AGENT" as const, messageId: "reply", parts };
  const status = { state: "TASK_STATE_COMPLETED" as const, message: said };
  yield createTranslator({ rolls: false }).next({ seq: 1, audience: "public" }, { statusUpdate: { taskId: "", contextId: "", status } });
}

/** The messages that a task got after its first, in order; `approves`: all that it holds are answers to calls that waited. */
async function findInputs(
  parts: BridgeParts,
  key: StreamKey,
): Promise<readonly { readonly seq: number; readonly messageId: string; readonly approves: boolean }[]> {
  const inputs = [];
  for await (const entry of pages(parts, key, 0)) {
    if (entry.audience !== "internal" || !entry.event.includes('"kind":"input"')) continue;
    const data = readExtension(decodeEvent(entry));
    if (data?.kind !== "input") continue;
    const approves = data.message.parts.every(
      (part) => part.data !== undefined && part.data !== null && typeof part.data === "object" && "approvals" in part.data,
    );
    inputs.push({ seq: entry.seq, messageId: data.message.messageId, approves });
  }
  return inputs;
}

/** A turn, a wait and the message that ended it take at least so many entries. */
const TURN_AND_WAIT = 6;

/**
 * Attempts of an answer that were started over. The answer goes on over waits up to `begins`, and where its user had to authorise something; it ends at any other rest.
 * Reads it once, unless it cannot have any.
 */
async function voidAttempts(parts: BridgeParts, key: StreamKey, from: number, begins: number): Promise<readonly Span[]> {
  const head = (await parts.store.log.read(key, { after: 0, maxBytes: 0 }))?.head ?? 0;
  const last = head === 0 ? undefined : (await parts.store.log.read(key, { after: head - 1 }))?.entries[0];
  if (last === undefined) return [];
  // The newest attempt is a first one: earlier turns alone may have been started over.
  if (last.attempt <= 1 && (head - from < TURN_AND_WAIT || ((await parts.views.with(key, ({ ledger }) => ledger.turn)) ?? 0) <= 1)) return [];
  const voids: Span[] = [];
  let after = from;
  for await (const entry of pages(parts, key, from)) {
    if (entry.seq > head) break;
    if (isRest(entry)) {
      if (entry.seq > begins && !entry.event.includes('"TASK_STATE_AUTH_REQUIRED"')) break;
      after = entry.seq;
    } else if (entry.audience === "extension" && entry.event.includes('"kind":"attempt"') && readExtension(decodeEvent(entry))?.kind === "attempt") {
      if (voids.at(-1)?.after === after) voids.pop();
      voids.push({ after, upTo: entry.seq - 1 });
    }
  }
  return voids;
}

function isVoid({ voids }: TaskTurn, seq: number): boolean {
  return voids.some(({ after, upTo }) => seq > after && seq <= upTo);
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
