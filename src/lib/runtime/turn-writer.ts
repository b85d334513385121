import { type EventLog, LEASE_MS, type Opened, type ResumeState } from "../log/log.ts";
import type { RecordWrite } from "../log/records.ts";
import type { IndexRow } from "../log/task-index.ts";
import { isTerminal, type StreamResponse } from "../model/a2a.ts";
import { encodeEvent, type NewEntry } from "../model/entry.ts";
import { IasError } from "../model/errors.ts";
import type { StreamKey } from "../model/key.ts";
import type { TaskView } from "../task/view.ts";
import type { Draft } from "./draft.ts";

/**
 * The one fenced writer of a stream while a turn runs. Events go into the view at once, to the log in order, one append in flight: what
 * comes meanwhile is the next batch. So commits group by themselves, and memory is bounded by `ready()`.
 */
export interface TurnWriter {
  /** Puts drafts into the stream. Silently does nothing once `lost` is aborted: whoever owns the stream now writes it. */
  write(drafts: readonly Draft[], extra?: WriteExtra): void;
  /** Undefined when there is room, else a promise that resolves when there is (or the stream is lost). */
  ready(): Promise<void> | undefined;
  /** Resolves when all that was written is committed. Throws why the stream was lost, if it was. */
  flushed(): Promise<void>;
  /** Whether the entry is committed, as far as the log has answered. */
  hasCommitted(seq: number): boolean;
  /** Renews the lease if no append did since the last call. Called once a second. */
  renew(): void;
  /** Aborted when the stream is not ours any more: fenced, sealed by another, or the log failed. Its reason is an `IasError`. */
  readonly lost: AbortSignal;
}

/** What is committed together with drafts. */
export interface WriteExtra {
  readonly state?: ResumeState | null;
  readonly seal?: boolean;
  /** Takes the task out of the index (a message-only reply). */
  readonly unlist?: boolean;
  /** Written whatever stands there: a conflict of one would take the stream from its writer. */
  readonly records?: readonly RecordWrite[];
}

/** The turn that is written, and its stream. */
export interface TurnWriterOptions {
  readonly log: EventLog;
  readonly key: StreamKey;
  readonly context: string;
  readonly createdAt: number;
  readonly opened: Opened;
  readonly attempt: number;
  readonly view: TaskView;
  /** Uncommitted text at which `ready` makes the caller wait, UTF-16 units. */
  readonly maxUncommittedBytes: number;
  readonly now: () => number;
}

/** A writer that had no answer over so many calls of `renew`, a second apart, gives up, 1 s before its lease ends (SEMANTICS 12). */
const RENEW_TRIES = LEASE_MS / 1000 - 1;

interface Pending {
  readonly epoch: number;
  readonly firstSeq: number;
  readonly entries: NewEntry[];
  index?: IndexRow | null;
  state?: ResumeState | null;
  seal?: boolean;
  records?: RecordWrite[];
}

/** A writer on a stream that `opened` has taken. */
export function createTurnWriter(options: TurnWriterOptions): TurnWriter {
  const { log, key, view, now, attempt } = options;
  const epoch = options.opened.epoch;
  const lost = new AbortController();
  let nextSeq = options.opened.nextSeq;
  let gen = options.opened.gen;
  /** What the next append brings; made when there is something, since what lies ready between two tokens looks long-lived to the garbage collector. */
  let pending: Pending | undefined;
  let uncommitted = 0;
  let committed = nextSeq - 1;
  let renewed = true;
  /** Calls of `renew` since the log last answered: they come once a second, and a blocked event loop holds them up with everything else (SEMANTICS 28). */
  let unanswered = 0;
  let inFlight: Promise<void> | undefined;
  let room: { promise: Promise<void>; resolve: () => void } | undefined;

  const lose = (error: IasError): void => {
    lost.abort(error);
    room?.resolve();
    room = undefined;
  };

  /** Sends what is pending until nothing is. Clears `inFlight` in the very tick in which it finds nothing: what is written next must start it again. */
  const send = async (): Promise<void> => {
    try {
      while (pending !== undefined && !lost.signal.aborted) {
        const batch = pending;
        const size = uncommitted;
        pending = undefined;
        const result = await log.append(key, batch);
        if (result.kind !== "ok" && result.kind !== "duplicate") {
          lose(new IasError("fenced", `The stream ${key.task} is no longer this writer's (${result.kind}, epoch ${epoch}).`, { retryable: true }));
          return;
        }
        renewed = true;
        unanswered = 0;
        uncommitted -= size;
        committed = batch.firstSeq + batch.entries.length - 1;
        if (room !== undefined && uncommitted < options.maxUncommittedBytes) {
          room.resolve();
          room = undefined;
        }
      }
    } catch (error) {
      lose(IasError.from(error, "unavailable"));
    } finally {
      inFlight = undefined;
    }
  };
  const renewLease = async (): Promise<void> => {
    try {
      const result = await log.append(key, { epoch, firstSeq: nextSeq, entries: [] });
      unanswered = 0;
      if (result.kind === "fenced" || result.kind === "sealed") {
        lose(new IasError("fenced", `The stream ${key.task} was taken by another writer.`, { retryable: true }));
      }
    } catch (error) {
      lose(IasError.from(error, "unavailable"));
    } finally {
      inFlight = undefined;
      kick();
    }
  };
  const kick = (): void => {
    if (inFlight === undefined && pending !== undefined && !lost.signal.aborted) inFlight = send();
  };

  return {
    lost: lost.signal,
    write(drafts, extra) {
      if (lost.signal.aborted || (drafts.length === 0 && extra === undefined)) return;
      const next: Pending = (pending ??= { epoch, firstSeq: nextSeq, entries: [] });
      const at = now();
      for (const { audience, event, json } of drafts) {
        if (audience === "public" && changesGeneration(view, event)) gen += 1;
        const entry = { seq: nextSeq, gen, at, attempt, audience, event: json ?? encodeEvent(event) };
        nextSeq += 1;
        uncommitted += entry.event.length;
        view.apply(entry, event);
        next.entries.push(entry);
        if (audience === "public" && "statusUpdate" in event) {
          const { state, timestamp } = event.statusUpdate.status;
          next.index = {
            key,
            context: options.context,
            state,
            statusAt: timestamp === undefined ? at : Date.parse(timestamp),
            createdAt: options.createdAt,
          };
          if (isTerminal(state)) next.state = null;
        }
      }
      if (extra?.state !== undefined) next.state = extra.state;
      if (extra?.seal === true) next.seal = true;
      if (extra?.unlist === true) next.index = null;
      for (const { ifVersion: _, ...record } of extra?.records ?? []) (next.records ??= []).push(record);
      kick();
    },
    ready() {
      if (uncommitted < options.maxUncommittedBytes || lost.signal.aborted) return undefined;
      room ??= Promise.withResolvers<void>();
      return room.promise;
    },
    async flushed() {
      while (inFlight !== undefined && !lost.signal.aborted) await inFlight;
      lost.signal.throwIfAborted();
    },
    hasCommitted: (seq) => seq <= committed,
    renew() {
      if (inFlight !== undefined) unanswered += 1;
      if (unanswered >= RENEW_TRIES) {
        lose(new IasError("unavailable", `The log has not answered for ${RENEW_TRIES} s; the turn gives up before its lease ends.`, { retryable: true }));
        return;
      }
      if (renewed || inFlight !== undefined) {
        renewed = false;
        return;
      }
      inFlight = renewLease();
    },
  };
}

/** State transitions and artifact changes count, a note on the same state does not (SEMANTICS 1). */
function changesGeneration(view: TaskView, event: StreamResponse): boolean {
  return !("statusUpdate" in event) || event.statusUpdate.status.state !== view.fold.status?.state;
}
