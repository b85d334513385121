import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { defineAgent } from "../engine/define-agent.ts";
import type { EventLog } from "../log/log.ts";
import { createMemoryStore } from "../log/memory.ts";
import { encodeEvent } from "../model/entry.ts";
import { createTaskView } from "../task/view.ts";
import { createScribe, type Scribe } from "./scribe.ts";
import { createTurnWriter, type TurnWriter } from "./turn-writer.ts";

const KEY = { tenant: "", user: "user", agent: "agent", task: "task" };

interface Open {
  readonly log: EventLog;
  readonly writer: TurnWriter;
  readonly scribe: Scribe;
}

/** A writer and a scribe on a stream that has its first entry. */
async function openWriter(wrap: (log: EventLog) => EventLog = (log) => log): Promise<Open> {
  const { log } = createMemoryStore();
  const opened = await log.open(KEY, { owner: "test", expect: 0 });
  assert.ok(opened.ok);
  const view = createTaskView();
  const event = { task: { id: "task", contextId: "context", status: { state: "TASK_STATE_SUBMITTED" as const } } };
  const entry = { seq: 1, gen: 1, at: 0, attempt: 0, audience: "public" as const, event: encodeEvent(event) };
  await log.append(KEY, { epoch: opened.epoch, firstSeq: 1, entries: [entry] });
  view.apply(entry, event);
  const context = "context";
  const now = Date.now;
  const writer = createTurnWriter({
    log: wrap(log),
    key: KEY,
    context,
    createdAt: 0,
    opened: { ...opened, nextSeq: 2, gen: 1 },
    attempt: 1,
    view,
    maxUncommittedBytes: 1000,
    now,
  });
  const agent = defineAgent({ id: "agent", engine: { async *run() {} } });
  const scribe = createScribe({ task: "task", context, agent, limits: { maxEntryBytes: 6000 }, view, turn: 1, now });
  return { log, writer, scribe };
}

async function headOf(log: EventLog): Promise<number | undefined> {
  return (await log.read(KEY, { after: 0, maxBytes: 0 }))?.head;
}

describe("turn writer", () => {
  it("commits what is written in any microtask around the commit before", async () => {
    for (let ticks = 0; ticks < 20; ticks += 1) {
      const { log, writer, scribe } = await openWriter();
      writer.write(scribe.write({ kind: "text", text: "one" }));
      for (let tick = 0; tick < ticks; tick += 1) await Promise.resolve();
      writer.write(scribe.write({ kind: "text", text: "two" }));
      await writer.flushed();
      assert.equal(await headOf(log), 3, `after ${ticks} microtasks`);
    }
  });

  it("renews a lease between writes without holding them up", async () => {
    const { log, writer, scribe } = await openWriter();
    writer.write(scribe.write({ kind: "text", text: "one" }));
    await writer.flushed();
    writer.renew();
    writer.renew();
    writer.write(scribe.write({ kind: "text", text: "two" }));
    await writer.flushed();
    assert.equal(await headOf(log), 3);
  });

  it("sends what was written while an append is under way as one batch, and makes the engine wait beyond the limit", async () => {
    const gate = Promise.withResolvers<void>();
    const sizes: number[] = [];
    const { writer, scribe } = await openWriter((log) => ({
      ...log,
      append: async (key, batch) => {
        sizes.push(batch.entries.length);
        if (sizes.length === 1) await gate.promise;
        return log.append(key, batch);
      },
    }));
    for (const text of ["one", "two", "three"]) writer.write(scribe.write({ kind: "text", text }));
    assert.equal(writer.ready(), undefined);
    writer.write(scribe.write({ kind: "text", text: "x".repeat(900) }));
    const room = writer.ready();
    assert.ok(room !== undefined);
    gate.resolve();
    await room;
    await writer.flushed();
    assert.deepEqual(sizes, [1, 3]);
  });

  it("is lost when another takes the stream, and says why", async () => {
    const { log, writer, scribe } = await openWriter();
    assert.ok((await log.open(KEY, { owner: "other", expect: 1 })).ok);
    writer.write(scribe.write({ kind: "text", text: "one" }));
    await assert.rejects(writer.flushed(), { code: "fenced" });
    assert.ok(writer.lost.aborted);
    writer.write(scribe.write({ kind: "text", text: "two" }));
    await assert.rejects(writer.flushed(), { code: "fenced" });
    assert.equal(await headOf(log), 1);
  });
});
