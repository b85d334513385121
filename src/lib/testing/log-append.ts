import assert from "node:assert/strict";
import type { Batch } from "../log/log.ts";
import type { LogCase } from "./log-support.ts";
import { assertDense, keyOf, numbered, openStream, openWriter, pickAudience, readAll, rowOf, statusEntry, textEntries, textEntry } from "./log-support.ts";
import { createRandom } from "../model/random.ts";

/** Appending: numbers, one transaction, repeats, gaps, ends (SEMANTICS 1, 11). */
export const appendCases: readonly LogCase[] = [
  {
    title: "append: numbers entries from 1 without gaps, over batches and writers, and keeps every field as given",
    async run({ store: { log } }) {
      const random = createRandom(7);
      const written = Array.from({ length: 60 }, (_, i) =>
        textEntry(`t${i} "\\ \u2028 é 🙂 \u0000`, { gen: i, at: 1e12 + i * 3, attempt: 1 + (i % 3), audience: pickAudience(random) }),
      );
      let writer = await openWriter(log, keyOf("t"));
      for (let i = 0; i < written.length; i += 6) {
        if (i === 30) writer = await openWriter(log, keyOf("t"), 1);
        const answer = await writer.write(written.slice(i, i + 6));
        assert.equal(answer.head, i + 6);
      }
      assert.deepEqual(await readAll(log, keyOf("t")), numbered(written));
    },
  },
  {
    title: "append: many in flight without waiting are committed in the order of the calls",
    async run({ store: { log } }) {
      const writer = await openWriter(log, keyOf("t"));
      const answers = await Promise.all(textEntries(300).map((entry) => writer.write([entry])));
      assert.equal(answers.at(-1)?.head, 300);
      for (const [place, answer] of answers.entries()) assert.ok(answer.head > place);
      assert.deepEqual(await readAll(log, keyOf("t")), numbered(textEntries(300)));
    },
  },
  {
    title: "append: what it answered is there to read",
    async run({ store: { log, index } }) {
      const writer = await openWriter(log, keyOf("t"));
      for (let i = 1; i <= 20; i += 1) {
        await writer.write([statusEntry("TASK_STATE_WORKING")], { index: rowOf(keyOf("t"), { statusAt: i }) });
        assert.equal((await log.read(keyOf("t"), { after: i - 1 }))?.entries.length, 1);
        assert.deepEqual([(await index.get(keyOf("t")))?.statusAt, (await index.get(keyOf("t")))?.head], [i, i]);
      }
    },
  },
  {
    title: "append: copies what it is given",
    async run({ store: { log, index, records } }) {
      const key = { ...keyOf("t") };
      const opened = await openStream(log, key, 0);
      const entries = [{ ...statusEntry("TASK_STATE_WORKING") }];
      const index1 = rowOf(key);
      const record = { key: "k", value: "1" };
      const state = { version: "v", data: "1" };
      const promise = log.append(key, { epoch: opened.epoch, firstSeq: 1, entries, index: index1, records: [record], state });
      const parked = [{ ...textEntry("parked") }];
      const later = log.append(key, { epoch: opened.epoch, firstSeq: 3, entries: parked });
      Object.assign(entries[0] ?? {}, { event: "changed", gen: 99 });
      Object.assign(parked[0] ?? {}, { event: "changed" });
      entries.push(textEntry("more"));
      Object.assign(index1, { context: "changed" });
      Object.assign(record, { value: "changed" });
      Object.assign(state, { data: "changed" });
      Object.assign(key, { task: "changed" });
      await Promise.all([promise, later]);
      await log.append(keyOf("t"), { epoch: opened.epoch, firstSeq: 2, entries: [textEntry("b")] });
      assert.deepEqual(await readAll(log, keyOf("t")), numbered([statusEntry("TASK_STATE_WORKING"), textEntry("b"), textEntry("parked")]));
      assert.deepEqual([(await index.get(keyOf("t")))?.context, (await index.get(keyOf("t")))?.key.task], ["c", "t"]);
      assert.equal((await records.get("k"))?.value, "1");
      assert.equal((await openStream(log, keyOf("t"), 1)).state?.data, "1");
    },
  },
  {
    title: "append: a repeated batch is a duplicate and changes nothing, in part or whole",
    async run({ store: { log, records } }) {
      const writer = await openWriter(log, keyOf("t"));
      await writer.write(textEntries(5));
      for (const [firstSeq, count] of [
        [1, 5],
        [1, 1],
        [5, 1],
        [2, 3],
      ] as const) {
        const answer = await writer.send({
          firstSeq,
          entries: Array.from({ length: count }, () => textEntry("other")),
          records: [{ key: "k", value: "1" }],
          state: { version: "v", data: "1" },
        });
        assert.deepEqual([answer.kind, "head" in answer && answer.head], ["duplicate", 5]);
      }
      assert.equal(await records.get("k"), undefined);
      assert.deepEqual(await readAll(log, keyOf("t")), numbered(textEntries(5)));
      assert.equal((await openStream(log, keyOf("t"), 1)).state, undefined);
    },
  },
  {
    title: "append: of a batch that overlaps, only what is new is written",
    async run({ store: { log } }) {
      const writer = await openWriter(log, keyOf("t"));
      await writer.write(textEntries(5));
      const answer = await writer.send({ firstSeq: 4, entries: [textEntry("x"), textEntry("y"), textEntry("six"), textEntry("seven")] });
      assert.deepEqual([answer.kind, "head" in answer && answer.head], ["ok", 7]);
      assert.deepEqual(await readAll(log, keyOf("t")), numbered([...textEntries(5), textEntry("six"), textEntry("seven")]));
    },
  },
  {
    title: "append: a batch ahead of its turn is parked, unseen, and joined by the one that closes the gap",
    async run({ store: { log } }) {
      const all = textEntries(9);
      const writer = await openWriter(log, keyOf("t"));
      assert.deepEqual(await writer.send({ firstSeq: 7, entries: all.slice(6, 9) }), { kind: "gap", expected: 1, parked: true });
      assert.deepEqual(await writer.send({ firstSeq: 3, entries: all.slice(2, 4) }), { kind: "gap", expected: 1, parked: true });
      assert.deepEqual(await writer.send({ firstSeq: 3, entries: all.slice(2, 4) }), { kind: "gap", expected: 1, parked: true });
      assert.equal((await log.read(keyOf("t"), { after: 0 }))?.head, 0);
      const first = await writer.send({ firstSeq: 1, entries: all.slice(0, 2) });
      assert.deepEqual([first.kind, "head" in first && first.head], ["ok", 4]);
      const second = await writer.send({ firstSeq: 5, entries: all.slice(4, 7) });
      assert.deepEqual([second.kind, "head" in second && second.head], ["ok", 9]);
      assert.deepEqual(await readAll(log, keyOf("t")), numbered(all));
    },
  },
  {
    title: "append: batches in any order, some of them twice, give the same stream",
    async run({ store: { log } }) {
      const random = createRandom(11);
      const all = textEntries(200);
      const writer = await openWriter(log, keyOf("t"));
      const batches: { firstSeq: number; entries: typeof all }[] = [];
      for (let start = 0; start < all.length;) {
        const count = 1 + Math.floor(random() * 7);
        batches.push({ firstSeq: start + 1, entries: all.slice(start, start + count) });
        if (random() < 0.3) batches.push({ firstSeq: Math.max(1, start - 1), entries: all.slice(Math.max(0, start - 2), start + count) });
        start += count;
      }
      batches.sort(() => random() - 0.5);
      await Promise.all(batches.map((batch) => writer.send(batch)));
      assert.deepEqual(await readAll(log, keyOf("t")), numbered(all));
    },
  },
  {
    title: "append: what a parked batch carries is written when it is joined",
    async run({ store: { log, index, records } }) {
      const writer = await openWriter(log, keyOf("t"));
      await writer.send({
        firstSeq: 2,
        entries: [statusEntry("TASK_STATE_COMPLETED")],
        index: rowOf(keyOf("t"), { state: "TASK_STATE_COMPLETED" }),
        records: [{ key: "k", value: "1" }],
      });
      assert.deepEqual([await index.get(keyOf("t")), await records.get("k")], [undefined, undefined]);
      await writer.write([textEntry("a")]);
      assert.equal((await index.get(keyOf("t")))?.state, "TASK_STATE_COMPLETED");
      assert.equal((await records.get("k"))?.value, "1");
      assert.equal((await log.read(keyOf("t"), { after: 0 }))?.sealed, true);
    },
  },
  {
    title: "append: a parked batch whose record conflicts is dropped whole",
    async run({ store: { log, records } }) {
      await records.put({ key: "k", value: "0" });
      const writer = await openWriter(log, keyOf("t"));
      await writer.send({ firstSeq: 2, entries: [textEntry("b")], records: [{ key: "k", value: "1", ifVersion: 0 }] });
      assert.equal((await writer.write([textEntry("a")])).head, 1);
      assert.equal((await records.get("k"))?.value, "0");
      assert.equal((await writer.send({ firstSeq: 2, entries: [textEntry("b")] })).kind, "ok");
    },
  },
  {
    title: "append: parking is bounded; beyond the limit the answer says that it must be sent again",
    async run({ store: { log } }) {
      const writer = await openWriter(log, keyOf("t"));
      const big = textEntry("x".repeat(100_000));
      let refused = 0;
      for (let seq = 2; seq <= 40; seq += 1) {
        const answer = await writer.send({ firstSeq: seq, entries: [big] });
        assert.ok(answer.kind === "gap" && answer.expected === 1);
        if (!answer.parked) refused += 1;
      }
      assert.ok(refused >= 1 && refused < 39, `some of 4 MB are parked, not all: ${refused} refused`);
      const joined = await writer.write([big]);
      assert.equal(joined.head, 40 - refused);
      for (let seq = joined.head + 1; seq <= 40; seq += 1) assert.equal((await writer.send({ firstSeq: seq, entries: [big] })).kind, "ok");
      assertDense(await readAll(log, keyOf("t")), 0, 40);
    },
  },
  {
    title: "append: batches parked by an older epoch are dropped at open",
    async run({ store: { log } }) {
      const old = await openWriter(log, keyOf("t"));
      await old.send({ firstSeq: 2, entries: [textEntry("old")] });
      const young = await openWriter(log, keyOf("t"), 1);
      assert.equal((await young.write([textEntry("young")])).head, 1);
    },
  },
  {
    title: "append: a record whose version does not hold stops the whole batch, and is returned",
    async run({ store: { log, index, records } }) {
      await records.put({ key: "once/1", value: '"first"' });
      const writer = await openWriter(log, keyOf("t"));
      await writer.write([statusEntry("TASK_STATE_SUBMITTED")], { index: rowOf(keyOf("t"), { state: "TASK_STATE_SUBMITTED" }) });
      const answer = await writer.send({
        firstSeq: 2,
        entries: [statusEntry("TASK_STATE_COMPLETED")],
        index: rowOf(keyOf("t"), { state: "TASK_STATE_COMPLETED" }),
        state: { version: "v", data: "1" },
        records: [
          { key: "free", value: "1" },
          { key: "once/1", value: '"second"', ifVersion: 0 },
        ],
      });
      assert.deepEqual(answer, { kind: "conflict", record: { key: "once/1", value: '"first"', version: 1 } });
      assert.equal(await records.get("free"), undefined);
      assert.equal((await index.get(keyOf("t")))?.state, "TASK_STATE_SUBMITTED");
      const page = await log.read(keyOf("t"), { after: 0 });
      assert.deepEqual([page?.head, page?.sealed], [1, false]);
      assert.equal((await openStream(log, keyOf("t"), 1)).state, undefined);
    },
  },
  {
    title: "append: records are written with their versions, in the same turn too",
    async run({ store: { log, records } }) {
      const a = await openWriter(log, keyOf("a"));
      const b = await openWriter(log, keyOf("b"));
      const once: Partial<Batch> = { entries: [textEntry("x")], records: [{ key: "once", value: "1", ifVersion: 0 }] };
      const answers = await Promise.all([a.send(once), b.send(once)]);
      assert.deepEqual(answers.map((answer) => answer.kind).sort(), ["conflict", "ok"]);
      assert.equal((await records.get("once"))?.version, 1);
      assert.equal(((await log.read(keyOf("a"), { after: 0 }))?.head ?? 0) + ((await log.read(keyOf("b"), { after: 0 }))?.head ?? 0), 1);
      const winner = answers[0]?.kind === "ok" ? a : b;
      winner.next = 2;
      await winner.write([textEntry("y")], { records: [{ key: "once", value: "2", ifVersion: 1 }] });
      assert.deepEqual(await records.get("once"), { key: "once", value: "2", version: 2 });
    },
  },
  {
    title: "append: a record written twice in one batch has the version of the first write in between",
    async run({ store: { log, records } }) {
      const writer = await openWriter(log, keyOf("t"));
      const twice = [
        { key: "k", value: "1", ifVersion: 0 },
        { key: "k", value: "2", ifVersion: 1 },
      ];
      await writer.write([textEntry("a")], { records: twice });
      assert.deepEqual(await records.get("k"), { key: "k", value: "2", version: 2 });
      assert.equal((await writer.send({ entries: [textEntry("b")], records: twice })).kind, "conflict");
    },
  },
  {
    title: "append: the resume state is replaced, kept or removed",
    async run({ store: { log } }) {
      const writer = await openWriter(log, keyOf("t"));
      await writer.write([textEntry("a")], { state: { version: "v/1", data: "1" } });
      await writer.write([textEntry("b")]);
      assert.deepEqual((await openStream(log, keyOf("t"), 1)).state, { version: "v/1", data: "1" });
      const second = await openWriter(log, keyOf("t"), 2);
      await second.send({ state: { version: "v/2", data: "2" } });
      assert.deepEqual((await openStream(log, keyOf("t"), 3)).state, { version: "v/2", data: "2" });
      const third = await openWriter(log, keyOf("t"), 4);
      await third.write([textEntry("c")], { state: null });
      assert.equal((await openStream(log, keyOf("t"), 5)).state, undefined);
    },
  },
  {
    title: "append: an empty batch writes what it carries and no entry",
    async run({ store: { log, records } }) {
      const writer = await openWriter(log, keyOf("t"));
      const answer = await writer.send({ records: [{ key: "k", value: "1" }] });
      assert.deepEqual([answer.kind, "head" in answer && answer.head], ["ok", 0]);
      assert.equal((await records.get("k"))?.value, "1");
    },
  },
  {
    title: "append: a terminal index row or `seal` ends the stream; a repeat of the end is still a duplicate",
    async run({ store: { log, index } }) {
      for (const [task, rest] of [
        ["terminal", { index: rowOf(keyOf("terminal"), { state: "TASK_STATE_FAILED" }) }],
        ["sealed", { seal: true }],
      ] as const) {
        const writer = await openWriter(log, keyOf(task));
        await writer.write([statusEntry("TASK_STATE_FAILED")], rest);
        assert.equal((await log.read(keyOf(task), { after: 0 }))?.sealed, true);
        assert.deepEqual(await writer.send({ entries: [textEntry("x")] }), { kind: "sealed", head: 1 });
        assert.deepEqual(await writer.send({}), { kind: "sealed", head: 1 });
        assert.equal((await writer.send({ firstSeq: 1, entries: [statusEntry("TASK_STATE_FAILED")], ...rest })).kind, "duplicate");
        assert.equal((await log.read(keyOf(task), { after: 0 }))?.head, 1);
      }
      assert.equal((await index.get(keyOf("terminal")))?.state, "TASK_STATE_FAILED");
    },
  },
  {
    title: "append: `seal` alone ends a stream and takes its row out of the index",
    async run({ store: { log, index } }) {
      const writer = await openWriter(log, keyOf("t"));
      await writer.write([statusEntry("TASK_STATE_SUBMITTED")], { index: rowOf(keyOf("t"), { state: "TASK_STATE_SUBMITTED" }) });
      await writer.send({ seal: true, index: null });
      assert.equal((await log.read(keyOf("t"), { after: 0 }))?.sealed, true);
      assert.equal(await index.get(keyOf("t")), undefined);
    },
  },
  {
    title: "append: a batch that breaks the contract is refused by a named error and writes nothing",
    async run({ store: { log } }) {
      const writer = await openWriter(log, keyOf("t"));
      const status = statusEntry("TASK_STATE_WORKING");
      const wrong: [Partial<Batch>, string][] = [
        [{ firstSeq: 0, entries: [status] }, "invalid-request"],
        [{ firstSeq: 1.5, entries: [status] }, "invalid-request"],
        [{ entries: [status], index: rowOf(keyOf("other")) }, "invalid-request"],
        [{ entries: [textEntry("x")], index: rowOf(keyOf("t")) }, "invalid-request"],
        [{ entries: [{ ...status, audience: "internal" }], index: rowOf(keyOf("t")) }, "invalid-request"],
        [{ entries: [status], state: { version: "v", data: "x".repeat(1024 * 1024 + 1) } }, "too-large"],
        [{ entries: [status], records: [{ key: "k", value: "x".repeat(256 * 1024 + 1) }] }, "too-large"],
        [{ entries: [status], records: [{ key: "k", value: "1", ttlMs: 0 }] }, "invalid-request"],
      ];
      for (const [batch, code] of wrong) await assert.rejects(writer.send(batch), { name: "IasError", code });
      assert.equal((await log.read(keyOf("t"), { after: 0 }))?.head, 0);
    },
  },
];
