import type { Entry, NewEntry } from "../../model/entry.ts";
import type { StreamKey } from "../../model/key.ts";
import { admit, refusalOf, seals, type WriteLimits } from "../admission.ts";
import { LEASE_MS, type Appended, type Batch, type Opened, type OpenOptions, type Refused } from "../log.ts";
import { createParking } from "../parking.ts";
import { numbered } from "../recent.ts";
import type { RecordWrite } from "../records.ts";
import { tellLong } from "./long-entries.ts";
import type { Group } from "./group.ts";
import type { SqliteRecords } from "./records.ts";
import type { States } from "./states.ts";
import type { SqliteStream } from "./stream.ts";
import type { Streams } from "./streams.ts";
import type { SqliteIndex } from "./task-index.ts";

/** The writing half of a SQLite log. Contract: `EventLog`. */
export interface SqliteWriter {
  open(key: StreamKey, options: OpenOptions): Promise<Opened | Refused>;
  append(key: StreamKey, batch: Batch): Promise<Appended>;
}

/** What the writer is made of. */
export interface WriterParts {
  readonly streams: Streams;
  readonly group: Group;
  readonly records: SqliteRecords;
  readonly index: SqliteIndex;
  readonly states: States;
  readonly limits: WriteLimits;
  readonly now: () => number;
  readonly onLongEntries: (length: number) => void;
}

/** How old the lease of an idle writer may be on disk: only a killed process' leases are read from there. */
const LEASE_SAVED_EVERY_MS = 1000;

/** A batch whose entries are numbered copies. */
interface OwnBatch extends Batch {
  readonly entries: readonly Entry[];
}

/** Makes the writer over `parts`. */
export function createSqliteWriter({ streams, group, records, index, states, limits, now, onLongEntries }: WriterParts): SqliteWriter {
  function open(key: StreamKey, options: OpenOptions): Opened | Refused {
    let stream = streams.find(key);
    if (stream === undefined) {
      if (options.expect !== 0) return { ok: false, reason: "missing", epoch: 0 };
      group.begin();
      stream = streams.create(key);
      group.touch(stream, "created");
    } else {
      const reason = refusalOf({ sealed: stream.ended, epoch: stream.epoch, head: stream.written, leaseEndsAt: stream.leaseEndsAt }, options, now());
      if (reason !== undefined) return { ok: false, reason, epoch: stream.epoch, owner: stream.owner };
      group.touch(stream, "changed");
    }
    group.saveLater(stream);
    stream.parking = undefined;
    stream.epoch += 1;
    stream.owner = options.owner;
    stream.leaseEndsAt = now() + LEASE_MS;
    const { epoch, leaseEndsAt, written, gen, attempt } = stream;
    const state = states.get(stream.id);
    return { ok: true, epoch, nextSeq: written + 1, leaseEndsAt, gen, attempt, ...(state && { state }) };
  }

  function append(stream: SqliteStream | undefined, batch: OwnBatch): Appended {
    if (stream === undefined || stream.gone) return { kind: "fenced", epoch: 0 };
    const admission = admit(stream.epoch, stream.written, stream.ended, batch);
    if (admission.kind === "fenced") return { kind: "fenced", epoch: stream.epoch };
    if (admission.kind === "sealed") return { kind: "sealed", head: stream.written };
    renew(stream, admission.kind === "write" && batch.entries.length > 0);
    if (admission.kind === "duplicate") return { kind: "duplicate", head: stream.written, leaseEndsAt: stream.leaseEndsAt };
    if (admission.kind === "gap") {
      stream.parking ??= createParking(limits);
      return { kind: "gap", expected: stream.written + 1, parked: stream.parking.park(batch) };
    }
    const blocker = batch.records && records.blocker(batch.records);
    if (blocker !== undefined) return { kind: "conflict", record: blocker };
    group.touch(stream, "changed");
    write(stream, batch, admission.skip);
    if (stream.parking !== undefined) joinParked(stream);
    return { kind: "ok", head: stream.written, leaseEndsAt: stream.leaseEndsAt };
  }

  /** Entries are written with the time, so only a writer without any has its lease written. */
  function renew(stream: SqliteStream, written: boolean): void {
    stream.leaseEndsAt = now() + LEASE_MS;
    if (written || stream.leaseEndsAt - stream.leaseSaved < LEASE_SAVED_EVERY_MS) return;
    group.begin();
    group.touch(stream, "changed");
    group.saveLater(stream);
    // Once a group is enough.
    stream.leaseSaved = stream.leaseEndsAt;
  }

  function write(stream: SqliteStream, batch: OwnBatch, skip: number): void {
    for (let i = skip; i < batch.entries.length; i += 1) stream.recent.push(batch.entries[i] as Entry);
    const last = batch.entries[batch.entries.length - 1];
    tellLong(batch.entries, onLongEntries);
    if (last !== undefined) {
      stream.written = last.seq;
      stream.gen = last.gen;
      stream.attempt = last.attempt;
    }
    if (batch.state !== undefined || batch.index !== undefined || batch.records !== undefined) writeRest(stream, batch);
    if (seals(batch)) stream.ended = true;
  }

  function writeRest(stream: SqliteStream, batch: OwnBatch): void {
    group.begin();
    if (batch.state !== undefined) states.set(stream.id, batch.state);
    if (batch.index !== undefined) index.set(stream, batch.index);
    if (batch.records !== undefined) for (const record of batch.records) records.write(record);
  }

  /** Commits what waited for the present head. A parked batch whose records conflict is dropped: its writer learns it when it sends again. */
  function joinParked(stream: SqliteStream): void {
    const { parking } = stream;
    for (let batch = parking?.take(stream.written + 1); batch !== undefined; batch = parking?.take(stream.written + 1)) {
      const admission = admit(stream.epoch, stream.written, stream.ended, batch);
      if (admission.kind === "write" && (batch.records === undefined || records.blocker(batch.records) === undefined))
        write(stream, own(batch), admission.skip);
    }
    if (parking?.empty === true) stream.parking = undefined;
  }

  return {
    open({ tenant, user, agent, task }, options) {
      const key = { tenant, user, agent, task };
      return group.submit(() => open(key, options));
    },
    append(key, batch) {
      const copy = own(batch);
      const stream = streams.find(key);
      if (stream !== undefined) return group.submit(() => append(stream, copy));
      // It may be created by an open that waits in the same group.
      const { tenant, user, agent, task } = key;
      return group.submit(() => append(streams.find({ tenant, user, agent, task }), copy));
    },
  };
}

/** Copies a batch, deep enough that its maker may change everything, and numbers its entries. */
function own(batch: Batch): OwnBatch {
  const { epoch, firstSeq, entries, index, state, records, seal } = batch;
  const own: Entry[] = [];
  for (let i = 0; i < entries.length; i += 1) own.push(numbered(entries[i] as NewEntry, firstSeq + i));
  if (index === undefined && state === undefined && records === undefined && seal === undefined) return { epoch, firstSeq, entries: own };
  return {
    epoch,
    firstSeq,
    entries: own,
    ...(index !== undefined && { index: index && { ...index } }),
    ...(state !== undefined && { state: state && { ...state } }),
    ...(records !== undefined && { records: records.map((record): RecordWrite => ({ ...record })) }),
    ...(seal !== undefined && { seal }),
  };
}
