import type { Part, StreamResponse, TaskArtifactUpdateEvent } from "../../model/a2a.ts";
import { decodeEvent, type Entry } from "../../model/entry.ts";
import { isPieceOnly, isPlain } from "../../model/fold.ts";
import type { Clock } from "../../stream/clock.ts";

/** One event for a webhook. */
export interface Outgoing {
  readonly event: StreamResponse;
  /** Everything up to this entry has been delivered with it. */
  readonly seq: number;
}

/** How far appends are joined. */
export interface CoalesceOptions {
  /** An event of joined appends waits no longer than this, ms. */
  readonly maxMs: number;
  /** And grows no larger than this, UTF-16 units of JSON; a larger single entry goes as it is. */
  readonly maxBytes: number;
  readonly clock: Clock;
}

interface Run {
  readonly update: TaskArtifactUpdateEvent;
  readonly parts: Part[];
  seq: number;
  bytes: number;
  readonly since: number;
}

/**
 * The public entries of a stream as events for a webhook: consecutive appends of one artifact become one, everything else goes at once and flushes
 * what was before it (SEMANTICS 20). While the consumer is busy, entries stay in the log: at most one batch is held.
 */
export async function* coalesce(batches: AsyncIterable<readonly Entry[]>, options: CoalesceOptions): AsyncGenerator<Outgoing, void, undefined> {
  const { clock, maxMs, maxBytes } = options;
  const source = batches[Symbol.asyncIterator]();
  let run: Run | undefined;
  let next = source.next();
  // It is awaited below; but if the consumer leaves, nobody hears of it.
  next.catch(() => undefined);
  try {
    for (;;) {
      const result = run === undefined ? await next : await beforeDue(next, run.since + maxMs, clock);
      if (result === "due") {
        if (run !== undefined) yield close(run);
        run = undefined;
        continue;
      }
      if (result.done === true) break;
      for (const entry of result.value) {
        if (entry.audience !== "public") continue;
        const event = decodeEvent(entry);
        const size = entry.event.length;
        if (run !== undefined && (run.bytes + size > maxBytes || !joins(run, event))) {
          yield close(run);
          run = undefined;
        }
        if ("artifactUpdate" in event) {
          if (run === undefined) run = open(event.artifactUpdate, entry.seq, size, clock.now());
          else join(run, event.artifactUpdate, entry.seq, size);
          if (event.artifactUpdate.lastChunk !== true && run.bytes < maxBytes) continue;
          yield close(run, event.artifactUpdate.lastChunk);
          run = undefined;
        } else yield { event, seq: entry.seq };
      }
      next = source.next();
      next.catch(() => undefined);
    }
    if (run !== undefined) yield close(run);
  } finally {
    await source.return?.();
  }
}

async function beforeDue<T>(next: Promise<T>, due: number, clock: Clock): Promise<T | "due"> {
  const left = due - clock.now();
  if (left <= 0) return "due";
  const enough = new AbortController();
  try {
    return await Promise.race([next, clock.sleep(left, enough.signal).then(() => "due" as const)]);
  } finally {
    enough.abort();
  }
}

function open(update: TaskArtifactUpdateEvent, seq: number, bytes: number, since: number): Run {
  return { update, parts: [...update.artifact.parts], seq, bytes, since };
}

/** Only what adds parts and nothing else can be joined, so that nothing is lost. */
function joins(run: Run, event: StreamResponse): boolean {
  if (!("artifactUpdate" in event)) return false;
  const { artifact, append, metadata } = event.artifactUpdate;
  return append === true && metadata === undefined && artifact.artifactId === run.update.artifact.artifactId && isPieceOnly(artifact);
}

function join(run: Run, update: TaskArtifactUpdateEvent, seq: number, bytes: number): void {
  for (const part of update.artifact.parts) {
    const last = run.parts.at(-1);
    if (last?.text !== undefined && part.text !== undefined && isPlain(last) && isPlain(part))
      run.parts[run.parts.length - 1] = { text: last.text + part.text };
    else run.parts.push(part);
  }
  run.seq = seq;
  run.bytes += bytes;
}

function close(run: Run, lastChunk?: boolean): Outgoing {
  const { update, parts, seq } = run;
  return { seq, event: { artifactUpdate: { ...update, artifact: { ...update.artifact, parts }, ...(lastChunk === true && { lastChunk }) } } };
}

/**
 * Entries of a stream that may turn out to be a message-only reply (SEMANTICS 6): entry 1 waits for the next public one, and after a reply there is nothing,
 * because no task of that stream is on the wire.
 */
export async function* withoutReply(batches: AsyncIterable<readonly Entry[]>): AsyncGenerator<readonly Entry[], void, undefined> {
  let first: Entry | undefined;
  for await (const batch of batches) {
    if (batch.some((entry) => entry.audience === "internal" && entry.event.includes('"kind":"reply"'))) return;
    const rest = batch[0]?.seq === 1 ? batch.slice(1) : batch;
    if (rest !== batch) [first] = batch;
    if (first !== undefined && !rest.some((entry) => entry.audience === "public")) continue;
    yield first === undefined ? rest : [first, ...rest];
    first = undefined;
  }
  if (first !== undefined) yield [first];
}
