import assert from "node:assert/strict";
import type { TaskState } from "../model/a2a.ts";
import type { Audience, Entry, NewEntry } from "../model/entry.ts";
import type { StreamKey } from "../model/key.ts";
import type { Appended, Batch, EventLog, Opened } from "../log/log.ts";
import type { Store } from "../log/store.ts";
import type { IndexRow } from "../log/task-index.ts";
import { inTime } from "./in-time.ts";

/** One requirement of the store contracts. `run` throws if the store does not meet it. */
export interface LogCase {
  readonly title: string;
  readonly needs?: "reopen";
  run(context: CaseContext): Promise<void>;
}

/** What a case works on. */
export interface CaseContext {
  /** An empty store; after `reopen` the new one. */
  readonly store: Store;
  readonly clock: TestClock;
  /** Closes the store and opens it again on the same data. */
  reopen(): Promise<Store>;
}

/** A clock that moves only when told. The store under test MUST take leases and times to live from `now`. */
export interface TestClock {
  readonly now: () => number;
  advance(ms: number): void;
}

/** Makes an empty store on the given clock. */
export type StoreFactory = (options: { readonly now: () => number }) => Promise<MadeStore>;

/** A store under test. */
export interface MadeStore {
  readonly store: Store;
  /** Disposes the store and opens the same data again; absent if nothing survives. */
  readonly reopen?: () => Promise<Store>;
  /** Disposes the store that is open and removes its data. */
  dispose(): Promise<void>;
}

/** A clock that stands at a fixed time. */
export function createClock(): TestClock {
  let time = Date.UTC(2026, 0, 1);
  return {
    now: () => time,
    advance(ms) {
      time += ms;
    },
  };
}

/** The key of a task of one tenant, user and agent, unless told otherwise. */
export function keyOf(task: string, owner: Partial<StreamKey> = {}): StreamKey {
  return { tenant: "acme", user: "ann", agent: "writer", ...owner, task };
}

/** An entry that appends `text` to artifact `a1`. */
export function textEntry(text: string, facts: Partial<NewEntry> = {}): NewEntry {
  const event = JSON.stringify({ artifactUpdate: { taskId: "t", contextId: "c", artifact: { artifactId: "a1", parts: [{ text }] }, append: true } });
  return { gen: 1, at: 1_767_225_600_000, attempt: 1, audience: "public", event, ...facts };
}

/** A public status entry. */
export function statusEntry(state: TaskState, facts: Partial<NewEntry> = {}): NewEntry {
  const event = JSON.stringify({ statusUpdate: { taskId: "t", contextId: "c", status: { state, timestamp: "2026-01-01T00:00:00.000Z" } } });
  return { gen: 1, at: 1_767_225_600_000, attempt: 1, audience: "public", event, ...facts };
}

/** `count` text entries, numbered from `first` in their text. */
export function textEntries(count: number, first = 1): NewEntry[] {
  return Array.from({ length: count }, (_, i) => textEntry(`token ${first + i} `, { gen: first + i, at: 1_767_225_600_000 + (first + i) * 7 }));
}

/** An index row of `key`. */
export function rowOf(key: StreamKey, facts: Partial<Omit<IndexRow, "key">> = {}): IndexRow {
  return { key, context: "c", state: "TASK_STATE_WORKING", statusAt: 1000, createdAt: 500, ...facts };
}

/** A writer that numbers its batches itself. */
export interface Writer {
  readonly key: StreamKey;
  readonly epoch: number;
  next: number;
  /** Appends at the writer's place and expects `ok`. */
  write(entries: readonly NewEntry[], rest?: Partial<Batch>): Promise<Appended & { kind: "ok" }>;
  /** Appends a batch as it is and gives the answer, whatever it is. */
  send(batch: Partial<Batch>): Promise<Appended>;
}

/** Creates the stream (or takes the epoch `expect`) and gives a writer of it. */
export async function openWriter(log: EventLog, key: StreamKey, expect: number | "expired" = 0): Promise<Writer> {
  const opened = await openStream(log, key, expect);
  const writer: Writer = {
    key,
    epoch: opened.epoch,
    next: opened.nextSeq,
    send: (batch) => log.append(key, { epoch: opened.epoch, firstSeq: writer.next, entries: [], ...batch }),
    async write(entries, rest = {}) {
      const firstSeq = writer.next;
      writer.next += entries.length;
      const answer = await writer.send({ ...rest, entries, firstSeq });
      if (answer.kind !== "ok") assert.fail(`append must be ok, but was ${JSON.stringify(answer)}`);
      return answer as Appended & { kind: "ok" };
    },
  };
  return writer;
}

/** Opens and expects that it works. */
export async function openStream(log: EventLog, key: StreamKey, expect: number | "expired"): Promise<Opened> {
  const opened = await log.open(key, { owner: "suite", expect });
  if (!opened.ok) assert.fail(`open must succeed, but was refused: ${opened.reason}`);
  return opened;
}

/** All entries of a stream, read by pages of `maxBytes`. */
export async function readAll(log: EventLog, key: StreamKey, options: { after?: number; maxBytes?: number } = {}): Promise<Entry[]> {
  const entries: Entry[] = [];
  let after = options.after ?? 0;
  for (;;) {
    const page = await log.read(key, { after, ...(options.maxBytes !== undefined && { maxBytes: options.maxBytes }) });
    assert.ok(page, "the stream must exist");
    entries.push(...page.entries);
    const last = page.entries.at(-1);
    if (last === undefined) return entries;
    after = last.seq;
  }
}

/** Follows until entry `until`, or to the end of the stream, and gives all entries in the order received. */
export async function followTo(log: EventLog, key: StreamKey, options: { after: number; until?: number; maxBytes?: number }): Promise<Entry[]> {
  const entries: Entry[] = [];
  const stop = new AbortController();
  const { after, maxBytes, until = Infinity } = options;
  for await (const batch of log.follow(key, { after, signal: stop.signal, ...(maxBytes !== undefined && { maxBytes }) })) {
    assert.ok(batch.length > 0, "follow never yields an empty batch");
    entries.push(...batch);
    if ((batch.at(-1)?.seq ?? 0) >= until) break;
  }
  return entries;
}

/** Checks that entries are those after `after` without a gap or a repeat. */
export function assertDense(entries: readonly Entry[], after: number, head: number): void {
  assert.equal(entries.length, head - after, "number of entries");
  for (const [place, entry] of entries.entries()) if (entry.seq !== after + 1 + place) assert.fail(`entry ${after + 1 + place} expected, ${entry.seq} found`);
}

/** What the entries must be after appending `written` to an empty stream. */
export function numbered(written: readonly NewEntry[], first = 1): Entry[] {
  return written.map((entry, place) => ({ seq: first + place, ...entry }));
}

/** Fails if `promise` is not settled in a minute: not a measure of speed, only "not hung". */
export function notHung<T>(promise: Promise<T>, what: string): Promise<T> {
  return inTime(promise, 60_000, `hung: ${what}`);
}

/** Lets the event loop turn. */
export function turn(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}

const AUDIENCES: readonly Audience[] = ["public", "extension", "internal"];

/** One of the three audiences. */
export function pickAudience(random: () => number): Audience {
  return AUDIENCES[Math.floor(random() * 3)] ?? "public";
}
