import assert from "node:assert/strict";
import { LEASE_MS } from "../log/log.ts";
import type { LogCase } from "./log-support.ts";
import { keyOf, openStream, openWriter, readAll, rowOf, statusEntry, textEntries, textEntry } from "./log-support.ts";

/** Taking a stream: compare-and-set, epochs, leases (SEMANTICS 10, 12). */
export const openCases: readonly LogCase[] = [
  {
    title: "open: `expect: 0` creates a stream with epoch 1, which exists from then on with no entry",
    async run({ store: { log }, clock }) {
      const opened = await log.open(keyOf("t"), { owner: "host:1", expect: 0 });
      assert.deepEqual(opened, { ok: true, epoch: 1, nextSeq: 1, leaseEndsAt: clock.now() + LEASE_MS, gen: 0, attempt: 0 });
      const page = await log.read(keyOf("t"), { after: 0 });
      assert.deepEqual(page, { entries: [], head: 0, floor: 0, sealed: false, epoch: 1, owner: "host:1", leaseEndsAt: clock.now() + LEASE_MS });
    },
  },
  {
    title: "open: `expect: 0` is refused when the stream exists, and names its epoch and owner",
    async run({ store: { log } }) {
      await openStream(log, keyOf("t"), 0);
      assert.deepEqual(await log.open(keyOf("t"), { owner: "other", expect: 0 }), { ok: false, reason: "exists", epoch: 1, owner: "suite" });
    },
  },
  {
    title: "open: a stream that does not exist cannot be taken",
    async run({ store: { log } }) {
      assert.deepEqual(await log.open(keyOf("t"), { owner: "w", expect: 1 }), { ok: false, reason: "missing", epoch: 0 });
      assert.deepEqual(await log.open(keyOf("t"), { owner: "w", expect: "expired" }), { ok: false, reason: "missing", epoch: 0 });
      assert.equal(await log.read(keyOf("t"), { after: 0 }), undefined);
    },
  },
  {
    title: "open: the present epoch takes the stream, lease or not; any other is refused and changes nothing",
    async run({ store: { log } }) {
      await openStream(log, keyOf("t"), 0);
      assert.equal((await openStream(log, keyOf("t"), 1)).epoch, 2);
      for (const expect of [1, 3, 99]) {
        assert.deepEqual(await log.open(keyOf("t"), { owner: "w", expect }), { ok: false, reason: "epoch", epoch: 2, owner: "suite" });
      }
      assert.equal((await openStream(log, keyOf("t"), 2)).epoch, 3);
    },
  },
  {
    title: "open: with `head` only while the stream has not grown beyond it, whether what was added is committed or under way",
    async run({ store: { log } }) {
      const writer = await openWriter(log, keyOf("t"));
      await writer.write([textEntry("one")]);
      assert.equal((await log.open(keyOf("t"), { owner: "w", expect: 1, head: 0 })).ok, false);
      const under = writer.write([textEntry("two")]);
      assert.deepEqual(await log.open(keyOf("t"), { owner: "w", expect: 1, head: 1 }), { ok: false, reason: "head", epoch: 1, owner: "suite" });
      await under;
      assert.deepEqual(await log.open(keyOf("t"), { owner: "w", expect: 1, head: 3 }), { ok: false, reason: "head", epoch: 1, owner: "suite" });
      assert.equal((await writer.send({ entries: [textEntry("three")] })).kind, "ok", "who is refused fences nobody");
      const opened = await log.open(keyOf("t"), { owner: "w", expect: 1, head: 3 });
      assert.ok(opened.ok && opened.epoch === 2 && opened.nextSeq === 4);
      await assert.rejects(async () => log.open(keyOf("t"), { owner: "w", expect: 2, head: -1 }), /head must be a seq from 0, not -1/);
    },
  },
  {
    title: "open: of many that expect the same epoch at once, one wins",
    async run({ store: { log } }) {
      for (const expect of [0, 1]) {
        const answers = await Promise.all(Array.from({ length: 20 }, (_, i) => log.open(keyOf("t"), { owner: `w${i}`, expect })));
        assert.equal(answers.filter((answer) => answer.ok).length, 1);
        for (const answer of answers) assert.equal(answer.epoch, expect + 1);
      }
    },
  },
  {
    title: "open: `expired` waits for the end of the lease by the log's clock",
    async run({ store: { log }, clock }) {
      await openStream(log, keyOf("t"), 0);
      assert.deepEqual(await log.open(keyOf("t"), { owner: "w", expect: "expired" }), { ok: false, reason: "leased", epoch: 1, owner: "suite" });
      clock.advance(LEASE_MS - 1);
      assert.equal((await log.open(keyOf("t"), { owner: "w", expect: "expired" })).ok, false);
      clock.advance(1);
      assert.equal((await openStream(log, keyOf("t"), "expired")).epoch, 2);
      assert.equal((await log.open(keyOf("t"), { owner: "w", expect: "expired" })).ok, false, "the new lease holds");
    },
  },
  {
    title: "open: appends renew the lease, also empty, repeated and parked ones; a fenced one does not",
    async run({ store: { log }, clock }) {
      const writer = await openWriter(log, keyOf("t"));
      const renewals = [
        () => writer.write([textEntry("a")]),
        () => writer.send({}),
        () => writer.send({ firstSeq: 1, entries: [textEntry("a")] }),
        () => writer.send({ firstSeq: 9, entries: [textEntry("b")] }),
      ];
      for (const renew of renewals) {
        clock.advance(LEASE_MS - 1000);
        const answer = await renew();
        if (answer.kind === "ok" || answer.kind === "duplicate") assert.equal(answer.leaseEndsAt, clock.now() + LEASE_MS);
        assert.equal((await log.read(keyOf("t"), { after: 0 }))?.leaseEndsAt, clock.now() + LEASE_MS);
      }
      const second = await openWriter(log, keyOf("t"), 1);
      clock.advance(1000);
      await writer.send({});
      assert.equal((await log.read(keyOf("t"), { after: 0 }))?.leaseEndsAt, clock.now() + LEASE_MS - 1000);
      assert.equal(second.epoch, 2);
    },
  },
  {
    title: "open: gives the next writer the place, generation, attempt and resume state of the last",
    async run({ store: { log } }) {
      const writer = await openWriter(log, keyOf("t"));
      await writer.write(textEntries(3), { state: { version: "v/1", data: '{"step":3}' } });
      await writer.write([textEntry("x", { gen: 4, attempt: 2, audience: "internal" })]);
      const { epoch, nextSeq, gen, attempt, state } = await openStream(log, keyOf("t"), 1);
      assert.deepEqual({ epoch, nextSeq, gen, attempt, state }, { epoch: 2, nextSeq: 5, gen: 4, attempt: 2, state: { version: "v/1", data: '{"step":3}' } });
    },
  },
  {
    title: "open: a sealed stream cannot be taken",
    async run({ store: { log }, clock }) {
      const writer = await openWriter(log, keyOf("t"));
      await writer.write([statusEntry("TASK_STATE_COMPLETED")], { index: rowOf(keyOf("t"), { state: "TASK_STATE_COMPLETED" }) });
      clock.advance(LEASE_MS);
      for (const expect of [1, "expired"] as const) {
        assert.deepEqual(await log.open(keyOf("t"), { owner: "w", expect }), { ok: false, reason: "sealed", epoch: 1, owner: "suite" });
      }
    },
  },
  {
    title: "fencing: an append of an older epoch is refused with the present one and writes nothing",
    async run({ store: { log, records } }) {
      const old = await openWriter(log, keyOf("t"));
      await old.write(textEntries(2));
      const young = await openWriter(log, keyOf("t"), 1);
      const late = { entries: [statusEntry("TASK_STATE_WORKING")], index: rowOf(keyOf("t")), records: [{ key: "k", value: "1" }] };
      assert.deepEqual(await old.send(late), { kind: "fenced", epoch: 2 });
      await young.write(textEntries(2, 3));
      assert.deepEqual(await old.send({ entries: [textEntry("late")] }), { kind: "fenced", epoch: 2 });
      assert.equal(await records.get("k"), undefined);
      assert.deepEqual(
        (await readAll(log, keyOf("t"))).map((entry) => entry.event),
        textEntries(4).map((entry) => entry.event),
      );
    },
  },
  {
    title: "fencing: holds within one turn of the event loop: append, open, append",
    async run({ store: { log } }) {
      const old = await openWriter(log, keyOf("t"));
      const [first, opened, second] = await Promise.all([
        old.send({ firstSeq: 1, entries: [textEntry("in time")] }),
        log.open(keyOf("t"), { owner: "young", expect: 1 }),
        old.send({ firstSeq: 2, entries: [textEntry("late")] }),
      ]);
      assert.ok(first.kind === "ok" || first.kind === "fenced");
      assert.ok(opened.ok);
      assert.equal(second.kind, "fenced");
      const entries = await readAll(log, keyOf("t"));
      assert.equal(entries.length, opened.nextSeq - 1, "nothing comes between the open and the new writer");
      assert.equal(entries.length, first.kind === "ok" ? 1 : 0);
    },
  },
  {
    title: "fencing: an epoch that nobody took yet is refused; an append to no stream is fenced by epoch 0",
    async run({ store: { log } }) {
      const writer = await openWriter(log, keyOf("t"));
      assert.deepEqual(await writer.send({ epoch: 2, entries: [textEntry("x")] }), { kind: "fenced", epoch: 1 });
      assert.deepEqual(await log.append(keyOf("none"), { epoch: 1, firstSeq: 1, entries: [textEntry("x")] }), { kind: "fenced", epoch: 0 });
    },
  },
  {
    title: "keys: every part counts, whatever characters it has",
    async run({ store: { log } }) {
      const keys = [
        keyOf("t"),
        keyOf("t", { user: "bob" }),
        keyOf("t", { tenant: "other" }),
        keyOf("t", { agent: "other" }),
        keyOf("t", { tenant: "acme/ann", user: "" }),
        keyOf("t", { tenant: "acme", user: "ann/writer", agent: "" }),
        keyOf("a%2Fb"),
        keyOf("a/b"),
        keyOf("ünï-çödé 🙂"),
        keyOf("", { user: "ann-writer" }),
      ];
      for (const [place, key] of keys.entries()) {
        const writer = await openWriter(log, key);
        await writer.write([textEntry(`stream ${place}`)]);
      }
      for (const [place, key] of keys.entries()) {
        const entries = await readAll(log, key);
        assert.deepEqual(
          entries.map((entry) => entry.event),
          [textEntry(`stream ${place}`).event],
        );
      }
    },
  },
  {
    title: "log: the id suits a cursor, the durability is stated",
    async run({ store: { log } }) {
      assert.match(log.id, /^[a-z0-9]{4,32}$/);
      assert.ok(["none", "process", "host"].includes(log.durability));
    },
  },
  {
    title: "open: refuses an owner or an epoch that cannot be, with a named error",
    async run({ store: { log } }) {
      for (const options of [
        { owner: "", expect: 0 },
        { owner: "x".repeat(201), expect: 0 },
        { owner: "w", expect: -1 },
        { owner: "w", expect: 0.5 },
      ]) {
        await assert.rejects(log.open(keyOf("t"), options), { name: "IasError", code: "invalid-request" });
      }
    },
  },
];
