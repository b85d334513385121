import assert from "node:assert/strict";
import type { Change, ChangesOptions } from "../log/log.ts";
import type { Store } from "../log/store.ts";
import type { LogCase } from "./log-support.ts";
import { keyOf, notHung, openWriter, textEntries, textEntry, turn } from "./log-support.ts";
import { createRandom } from "../model/random.ts";

/** Doorbells over all streams (SEMANTICS 13). */
export const changesCases: readonly LogCase[] = [
  {
    title: "changes: from 0 every stream is given once, in commit order, with its head",
    async run({ store }) {
      const writers = [];
      for (let i = 0; i < 30; i += 1) writers.push(await openWriter(store.log, keyOf(`t${i}`)));
      for (const writer of writers.toReversed()) for (let i = 0; i < 5; i += 1) await writer.write([textEntry("x")]);
      const changes = await collect(store, { after: 0 }, (seen) => seen.length >= 30);
      assert.deepEqual(
        changes.map((change) => change.key.task),
        writers.toReversed().map((writer) => writer.key.task),
      );
      for (const [place, change] of changes.entries()) {
        assert.deepEqual(change.key, keyOf(change.key.task));
        assert.equal(change.seq, 5);
        assert.ok(change.position > (changes[place - 1]?.position ?? 0), "positions rise");
      }
    },
  },
  {
    title: "changes: a stream without entries is given too",
    async run({ store }) {
      await openWriter(store.log, keyOf("t"));
      const [change] = await collect(store, { after: 0 }, (seen) => seen.length >= 1);
      assert.deepEqual([change?.key.task, change?.seq], ["t", 0]);
    },
  },
  {
    title: "changes: waits for more, and rings for every commit at least once",
    async run({ store }) {
      const a = await openWriter(store.log, keyOf("a"));
      const b = await openWriter(store.log, keyOf("b"));
      const done = collect(
        store,
        { after: 0 },
        (seen) => seen.some((change) => change.key.task === "a" && change.seq === 50) && seen.some((change) => change.key.task === "b" && change.seq === 50),
      );
      for (let i = 0; i < 50; i += 1) {
        await a.write([textEntry("x")]);
        await b.write([textEntry("x")]);
        if (i % 9 === 0) await turn();
      }
      const changes = await notHung(done, "changes");
      for (const [place, change] of changes.entries()) assert.ok(change.position > (changes[place - 1]?.position ?? 0), "positions rise");
    },
  },
  {
    title: "changes: coalesces: a reader that was away hears of a task once",
    async run({ store }) {
      const a = await openWriter(store.log, keyOf("a"));
      const [first] = await collect(store, { after: 0 }, (seen) => seen.length > 0);
      for (let i = 0; i < 500; i += 1) await a.write([textEntry("x")]);
      const b = await openWriter(store.log, keyOf("b"));
      await b.write([textEntry("x")]);
      const changes = await collect(store, { after: first?.position ?? 0 }, (seen) => seen.some((change) => change.key.task === "b"));
      assert.deepEqual(
        changes.map((change) => [change.key.task, change.seq]),
        [
          ["a", 500],
          ["b", 1],
        ],
      );
    },
  },
  {
    title: "changes: resumed at any position, nothing newer is missed",
    async run({ store }) {
      const random = createRandom(5);
      const writers = [];
      for (let i = 0; i < 8; i += 1) writers.push(await openWriter(store.log, keyOf(`t${i}`)));
      let after = 0;
      const heads = new Map<string, number>();
      for (let round = 0; round < 60; round += 1) {
        for (const writer of writers) if (random() < 0.4) await writer.write(textEntries(1 + Math.floor(random() * 3)));
        if (random() < 0.5) continue;
        const marker = await openWriter(store.log, keyOf(`marker ${round}`));
        const changes = await collect(store, { after }, (seen) => seen.some((change) => change.key.task === marker.key.task));
        for (const change of changes) heads.set(change.key.task, change.seq);
        after = changes.at(-1)?.position ?? after;
        for (const writer of writers) assert.equal(heads.get(writer.key.task), writer.next - 1, `${writer.key.task} in round ${round}`);
      }
    },
  },
  {
    title: "changes: many streams that have ended long ago are given once each, in order, between those that go on",
    async run({ store }) {
      const on = [];
      for (let i = 0; i < 100; i += 1) {
        const writer = await openWriter(store.log, keyOf(`t${i}`));
        await writer.write(textEntries(1 + (i % 3)));
        if (i % 7 === 0) on.push(writer);
        else await writer.send({ seal: true });
        if (i % 10 === 9) await on[(i * 3) % on.length]?.write([textEntry("x")]);
      }
      const all = await collect(store, { after: 0 }, (seen) => new Set(seen.map((change) => change.key.task)).size >= 100);
      assert.equal(all.length, 100);
      for (const [place, change] of all.entries()) assert.ok(change.position > (all[place - 1]?.position ?? 0), "positions rise");
      for (const from of [1, 40, 98])
        assert.deepEqual(await collect(store, { after: all[from]?.position ?? 0 }, (seen) => seen.length >= 99 - from), all.slice(from + 1));
    },
  },
  {
    title: "position: of the newest change; after it comes only what is committed from then on",
    async run({ store }) {
      assert.equal(await store.log.position(), 0);
      const [a, b] = [await openWriter(store.log, keyOf("a")), await openWriter(store.log, keyOf("b"))];
      await a.write([textEntry("x")]);
      await b.write([textEntry("x")]);
      const position = await store.log.position();
      const before = await collect(store, { after: 0 }, (seen) => seen.length >= 2);
      assert.equal(before.at(-1)?.position, position);
      const next = collect(store, { after: position }, (seen) => seen.length >= 1);
      await turn();
      await b.write([textEntry("y")]);
      const changes = await notHung(next, "changes");
      assert.deepEqual([changes[0]?.key.task, changes[0]?.seq], ["b", 2]);
      assert.ok((await store.log.position()) > position);
    },
  },
  {
    title: "changes: of one tenant only, if asked",
    async run({ store }) {
      for (const [task, tenant] of [
        ["1", "acme"],
        ["2", "other"],
        ["3", "acme"],
      ] as const) {
        await openWriter(store.log, keyOf(task, { tenant }));
      }
      const mine = collect(store, { after: 0, tenant: "acme" }, (seen) => seen.some((change) => change.key.task === "5"));
      await openWriter(store.log, keyOf("4", { tenant: "other" }));
      await turn();
      await openWriter(store.log, keyOf("5"));
      assert.deepEqual(
        (await notHung(mine, "changes")).map((change) => change.key.task),
        ["1", "3", "5"],
      );
    },
  },
  {
    title: "changes: rings when a stream is sealed without an entry",
    async run({ store }) {
      const writer = await openWriter(store.log, keyOf("t"));
      const [first] = await collect(store, { after: 0 }, (seen) => seen.length > 0);
      await writer.send({ seal: true });
      const [second] = await notHung(
        collect(store, { after: first?.position ?? 0 }, (seen) => seen.length > 0),
        "seal",
      );
      assert.equal(second?.key.task, "t");
    },
  },
  {
    title: "changes: ends without an error when the signal aborts",
    async run({ store }) {
      const stop = new AbortController();
      const iterator = store.log.changes({ after: 0, signal: stop.signal })[Symbol.asyncIterator]();
      const pending = iterator.next();
      await turn();
      stop.abort();
      assert.equal((await notHung(pending, "abort")).done, true);
    },
  },
];

/** Collects changes until `enough`. */
async function collect(store: Store, options: Omit<ChangesOptions, "signal">, enough: (seen: readonly Change[]) => boolean): Promise<Change[]> {
  const seen: Change[] = [];
  const stop = new AbortController();
  const reading = (async () => {
    for await (const batch of store.log.changes({ ...options, signal: stop.signal })) {
      assert.ok(batch.length > 0, "changes never yields an empty batch");
      seen.push(...batch);
      if (enough(seen)) return;
    }
  })();
  try {
    await notHung(reading, "changes");
  } finally {
    stop.abort();
  }
  return seen;
}
