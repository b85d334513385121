import assert from "node:assert/strict";
import type { LogCase } from "./log-support.ts";
import { assertDense, followTo, keyOf, notHung, numbered, openStream, openWriter, readAll, rowOf, statusEntry, textEntries, textEntry } from "./log-support.ts";

/** What a durable store keeps over closing and opening (SEMANTICS 15). */
export const durableCases: readonly LogCase[] = [
  {
    title: "reopen: everything that was answered is there: id, entries, facts, state, index, records",
    needs: "reopen",
    async run(context) {
      const { log, index, records } = context.store;
      const id = log.id;
      const writer = await openWriter(log, keyOf("t"));
      const written = [statusEntry("TASK_STATE_WORKING", { attempt: 2, gen: 7 }), ...textEntries(50)];
      await writer.write(written, { index: rowOf(keyOf("t")), state: { version: "v/1", data: '"s"' }, records: [{ key: "once", value: "1" }] });
      await records.put({ key: "short", value: "1", ttlMs: 1000 });
      const listed = await index.list({ limit: 10 });
      const page = await log.read(keyOf("t"), { after: 0 });
      const store = await context.reopen();
      assert.equal(store.log.id, id);
      assert.deepEqual(await readAll(store.log, keyOf("t")), numbered(written));
      assert.deepEqual(await store.log.read(keyOf("t"), { after: 0 }), page);
      assert.deepEqual(await store.index.list({ limit: 10 }), listed);
      assert.deepEqual(await store.records.get("once"), { key: "once", value: "1", version: 1 });
      context.clock.advance(1000);
      assert.equal(await store.records.get("short"), undefined);
      const opened = await openStream(store.log, keyOf("t"), 1);
      assert.deepEqual([opened.epoch, opened.nextSeq, opened.gen, opened.attempt, opened.state], [2, 52, 50, 1, { version: "v/1", data: '"s"' }]);
    },
  },
  {
    title: "reopen: old writers stay fenced, leases go on, parked batches are gone, ends stay ends",
    needs: "reopen",
    async run(context) {
      const old = await openWriter(context.store.log, keyOf("t"));
      const writer = await openWriter(context.store.log, keyOf("t"), 1);
      await writer.write(textEntries(3));
      await writer.send({ firstSeq: 9, entries: [textEntry("parked")] });
      const done = await openWriter(context.store.log, keyOf("done"));
      await done.send({ seal: true });
      const { log } = await context.reopen();
      assert.equal((await log.append(keyOf("t"), { epoch: old.epoch, firstSeq: 4, entries: [textEntry("x")] })).kind, "fenced");
      assert.equal((await log.open(keyOf("t"), { owner: "w", expect: "expired" })).ok, false);
      const answer = await log.append(keyOf("t"), { epoch: writer.epoch, firstSeq: 4, entries: textEntries(5, 4) });
      assert.deepEqual([answer.kind, "head" in answer && answer.head], ["ok", 8]);
      assert.equal((await log.append(keyOf("done"), { epoch: 1, firstSeq: 1, entries: [textEntry("x")] })).kind, "sealed");
      assert.deepEqual(await notHung(followTo(log, keyOf("done"), { after: 0 }), "follow"), []);
    },
  },
  {
    title: "reopen: positions of changes go on, and old ones can be resumed",
    needs: "reopen",
    async run(context) {
      const seen = async (after: number, until: string) => {
        for await (const changes of context.store.log.changes({ after, signal: new AbortController().signal })) {
          if (changes.some((change) => change.key.task === until)) return changes;
        }
        return [];
      };
      for (const task of ["a", "b", "c"]) await (await openWriter(context.store.log, keyOf(task))).write(textEntries(3));
      const before = await notHung(seen(0, "c"), "before");
      await context.reopen();
      assert.deepEqual(await notHung(seen(0, "c"), "after"), before);
      assert.deepEqual(await notHung(seen(before[0]?.position ?? 0, "c"), "resumed"), before.slice(1));
      const next = await openWriter(context.store.log, keyOf("a"), 1);
      await next.write([textEntry("x")]);
      const [change] = await notHung(seen(before[2]?.position ?? 0, "a"), "new");
      assert.ok(change !== undefined && change.position > (before[2]?.position ?? 0));
      assert.equal(change.seq, 4);
    },
  },
  {
    title: "reopen: a position is never given twice, though the stream that had it was removed",
    needs: "reopen",
    async run(context) {
      const next = async (after: number) => {
        for await (const changes of context.store.log.changes({ after, signal: new AbortController().signal })) return changes.at(-1);
        return undefined;
      };
      const gone = await openWriter(context.store.log, keyOf("gone"));
      await gone.write(textEntries(3));
      await gone.send({ seal: true });
      const last = await notHung(next(0), "last");
      assert.equal(await context.store.upkeep.remove(keyOf("gone")), true);
      await context.reopen();
      await openWriter(context.store.log, keyOf("new"));
      const change = await notHung(next(last?.position ?? 0), "new");
      assert.equal(change?.key.task, "new");
    },
  },
  {
    title: "reopen: segments, floors and snapshots are kept",
    needs: "reopen",
    async run(context) {
      const writer = await openWriter(context.store.log, keyOf("t"));
      await writer.write(textEntries(500));
      await context.store.upkeep.compact({ budgetMs: 1000 });
      await context.store.upkeep.truncate(keyOf("t"), { floor: 100, snapshot: '{"id":"t"}' });
      const { log, upkeep } = await context.reopen();
      const page = await log.read(keyOf("t"), { after: 0 });
      assert.deepEqual([page?.floor, page?.snapshot, page?.head], [100, '{"id":"t"}', 500]);
      assert.deepEqual(await readAll(log, keyOf("t")), numbered(textEntries(500)).slice(100));
      await upkeep.compact({ budgetMs: 1000 });
      assertDense(await readAll(log, keyOf("t")), 100, 500);
    },
  },
  {
    title: "close: what was being written is committed or refused, followers and changes end, later calls are refused",
    needs: "reopen",
    async run(context) {
      const { store } = context;
      const writer = await openWriter(store.log, keyOf("t"));
      const live = followTo(store.log, keyOf("t"), { after: 0 });
      const ringing = (async () => {
        for await (const _ of store.log.changes({ after: 1e9, signal: new AbortController().signal })) assert.fail("there is no such change");
      })();
      const pending = writer.write(textEntries(3));
      const settled = pending.then(
        (answer) => answer.head,
        () => 0,
      );
      await context.reopen();
      const head = await notHung(settled, "append");
      await notHung(live, "follow");
      await notHung(ringing, "changes");
      await assert.rejects(store.log.read(keyOf("t"), { after: 0 }), { name: "IasError", code: "unavailable" });
      await assert.rejects(writer.send({}), { name: "IasError", code: "unavailable" });
      assertDense(await readAll(context.store.log, keyOf("t")), 0, head);
    },
  },
];
