import { hasBlobs } from "../media/media.ts";
import { isInterrupted, isTerminal, type Task, type TaskState } from "../model/a2a.ts";
import { readCursor, toCursor } from "../model/cursor.ts";
import { type Audience, decodeEvent, type Entry, EXTENSION_URI, isVisible } from "../model/entry.ts";
import { withCursor } from "../model/extension.ts";
import { IasError } from "../model/errors.ts";
import type { StreamKey } from "../model/key.ts";
import type { Call, Frame, FrameStream } from "./operations.ts";
import type { ServerParts } from "./server.ts";
import { snapshotFrames } from "./snapshot.ts";

/** What streams and Tasks are read from. */
export type FrameParts = Pick<ServerParts, "store" | "views" | "media" | "limits">;

/** Where a stream begins and ends. */
export interface StreamOptions {
  /** `start`: entry 1, which is the Task itself. `head`: the Task folded as it stands. A cursor that the caller may use goes before either. */
  readonly from: "start" | "head";
  /** `turn`: also when the turn that answers input `after` ends in INPUT_REQUIRED. `terminal`: only with the task (SEMANTICS 5). */
  readonly until: "terminal" | { readonly turnAfter: number };
}

/** Readers of our extension see more than plain ones. */
export function audienceOf(call: Call): Audience {
  return call.extensions.has(EXTENSION_URI) ? "extension" : "public";
}

/** Opens a task's stream for a caller (SEMANTICS 4). Throws `task-not-found`. */
export async function openFrames(parts: FrameParts, call: Call, key: StreamKey, options: StreamOptions): Promise<FrameStream> {
  const { log } = parts.store;
  const audience = audienceOf(call);
  const cursor = audience === "public" ? undefined : call.lastEventId;
  const page = await log.read(key, { after: 0, maxBytes: 0 });
  if (page === undefined) throw taskNotFound(key.task);
  const maxBytes = Math.min(call.maxBatchBytes ?? Number.POSITIVE_INFINITY, parts.limits.maxFrameBytes);
  const reader = { parts, key, audience, signal: call.signal, maxBytes, options };
  const place = cursor === undefined ? undefined : readCursor(cursor, { logId: log.id, head: page.head, floor: page.floor });
  if (place?.kind === "resume") return { key, audience, opening: "resume", frames: readFrames(reader, async () => nothingFirst(place.seq)) };
  if (place === undefined && options.from === "start" && page.floor === 0) {
    return { key, audience, opening: "fresh", frames: readFrames(reader, async () => nothingFirst(0)) };
  }
  const opening = place === undefined ? "fresh" : "reset";
  return { key, audience, opening, frames: readFrames(reader, () => taskFirst(reader, opening)) };
}

interface Reader {
  readonly parts: FrameParts;
  readonly key: StreamKey;
  readonly audience: Audience;
  readonly signal: AbortSignal;
  /** Largest batch, UTF-16 units of events. */
  readonly maxBytes: number;
  readonly options: StreamOptions;
}

/** What a stream begins with, and the entry after which it goes on; undefined where it ends there. */
interface Opening {
  readonly frames: Iterable<Frame>;
  readonly after: number | undefined;
}

function nothingFirst(after: number): Opening {
  return { frames: [], after };
}

/** The Task folded at head H, then H + 1 and on: both from one read of the log, so there is nothing between them. */
async function taskFirst({ parts, key, options }: Reader, opening: "fresh" | "reset"): Promise<Opening> {
  const at = await parts.views.with(key, (view) => ({ task: view.fold.task(), seq: view.fold.seq }));
  if (at?.task === undefined) return { frames: [], after: undefined };
  const task = opening === "reset" ? { ...at.task, metadata: { ...at.task.metadata, [EXTENSION_URI]: { reset: true } } } : at.task;
  const frames = snapshotFrames(withCursor(task, toCursor(parts.store.log.id, at.seq)), at.seq, parts.limits.maxFrameBytes);
  return { frames, after: endsWith(at.task.status.state, at.seq, options) ? undefined : at.seq };
}

/** The opening's frames, each by itself, then the log's entries as they come. Written by hand: two async generators one in the other cost 4 µs a token. */
function readFrames(reader: Reader, open: () => Promise<Opening>): AsyncIterable<readonly Frame[]> {
  const { parts, key, signal, maxBytes } = reader;
  return {
    [Symbol.asyncIterator]() {
      let first: Iterator<Frame> | undefined;
      let entries: AsyncIterator<readonly Entry[]> | undefined;
      /** The last entry that was read. */
      let last = 0;
      const next = async (): Promise<IteratorResult<readonly Frame[], undefined>> => {
        if (first === undefined) {
          const { frames, after } = await open();
          first = frames[Symbol.iterator]();
          if (after !== undefined) entries = parts.store.log.follow(key, { after, signal, maxBytes })[Symbol.asyncIterator]();
          last = after ?? 0;
        }
        const opening = first.next();
        if (opening.done !== true) return { done: false, value: [await present(parts, key, opening.value)] };
        while (entries !== undefined) {
          const { done, value } = await entries.next();
          // Of a stream that rolls, entries may go while a slow reader has not had them: it comes back, and gets the Task as it is then.
          if (done === true || value[0]?.seq !== last + 1) break;
          last = value.at(-1)?.seq ?? last;
          const { seen, work, ends } = sift(reader, value);
          if (ends) await finish();
          if (seen.length > 0) return { done: false, value: work ? await fit(parts, key, seen) : seen };
        }
        await finish();
        return { done: true, value: undefined };
      };
      const finish = async (): Promise<void> => {
        first = [][Symbol.iterator]();
        const open = entries;
        entries = undefined;
        await open?.return?.();
      };
      return {
        next,
        async return() {
          await finish();
          return { done: true, value: undefined };
        },
      };
    },
  };
}

/** Which entries of a batch a reader sees (the batch itself, if all: readers share it), whether one needs more than to be sent, and whether the stream ends with them. */
function sift(reader: Reader, batch: readonly Entry[]): { readonly seen: readonly Entry[]; readonly work: boolean; readonly ends: boolean } {
  const { audience, options, parts } = reader;
  let seen: Entry[] | undefined;
  let work = false;
  for (let index = 0; index < batch.length; index += 1) {
    const entry = batch[index];
    if (entry === undefined) break;
    if (isVisible(entry, audience)) {
      seen?.push(entry);
      work ||= entry.event.length > parts.limits.maxFrameBytes || hasBlobs(entry.event);
      if (options.until !== "terminal" && mayEnd(entry) && endsWith(stateOf(entry), entry.seq, options)) {
        return { seen: seen ?? batch.slice(0, index + 1), work, ends: true };
      }
    } else seen ??= batch.slice(0, index);
  }
  return { seen: seen ?? batch, work, ends: false };
}

/** A cheap test before decoding: nearly every entry fails it at its first characters, and an escaped quote never matches. */
function mayEnd({ audience, event }: Entry): boolean {
  return audience === "public" && event.startsWith('{"statusUpdate"') && event.includes('"state":"TASK_STATE_INPUT_REQUIRED"');
}

function stateOf(entry: Entry): TaskState | undefined {
  const event = decodeEvent(entry);
  return "statusUpdate" in event ? event.statusUpdate.status.state : undefined;
}

function endsWith(state: TaskState | undefined, seq: number, options: StreamOptions): boolean {
  if (state === undefined) return false;
  return isTerminal(state) || (options.until !== "terminal" && state === "TASK_STATE_INPUT_REQUIRED" && seq > options.until.turnAfter);
}

/** Frames with stored bytes presented, and a first Task that is too large for a frame cut down to one. */
async function fit(parts: FrameParts, key: StreamKey, frames: readonly Frame[]): Promise<readonly Frame[]> {
  const fitted: Frame[] = [];
  for (const frame of frames) {
    if (frame.event.length > parts.limits.maxFrameBytes && frame.event.startsWith('{"task"')) {
      const { task } = JSON.parse(frame.event) as { task: Task };
      fitted.push(...snapshotFrames(task, frame.seq, parts.limits.maxFrameBytes));
    } else fitted.push(frame);
  }
  return Promise.all(fitted.map((frame) => present(parts, key, frame)));
}

async function present(parts: FrameParts, key: StreamKey, frame: Frame): Promise<Frame> {
  return hasBlobs(frame.event) ? { seq: frame.seq, event: await parts.media.present(key, frame.event) } : frame;
}

/** Waits until the turn that answers an input after `after` has ended: the task is terminal or interrupted. Returns early when `signal` aborts. */
export async function untilRest(parts: Pick<ServerParts, "store">, key: StreamKey, after: number, signal: AbortSignal): Promise<void> {
  for await (const batch of parts.store.log.follow(key, { after, signal })) {
    for (const entry of batch) {
      if (entry.audience !== "public" || !entry.event.startsWith('{"statusUpdate"')) continue;
      const state = stateOf(entry);
      if (state !== undefined && (isTerminal(state) || isInterrupted(state))) return;
    }
  }
}

/** A task that is not there for this caller: whether it exists elsewhere is not told (SEMANTICS 22). */
export function taskNotFound(id: string): IasError {
  return new IasError("task-not-found", `There is no task ${JSON.stringify(id.slice(0, 256))} here. Check the id, the agent's URL and the credentials.`, {
    details: { taskId: id.slice(0, 256) },
  });
}
