import assert from "node:assert/strict";
import { joinKey, keyText, type StreamKey } from "../model/key.ts";
import type { NewEntry } from "../model/entry.ts";
import type { Store } from "../log/store.ts";
import type { LogCase } from "./log-support.ts";
import { followTo, keyOf, notHung, numbered, openWriter, pickAudience, readAll, rowOf, statusEntry, textEntries, textEntry } from "./log-support.ts";
import { createRandom } from "../model/random.ts";

/** Compaction and retention (SEMANTICS 14). */
export const upkeepCases: readonly LogCase[] = [
  {
    title: "compact: every entry reads as it was written, whatever the run: seq, gen, at, attempt, audience, bytes",
    async run({ store }) {
      for (let seed = 1; seed <= 12; seed += 1) {
        const random = createRandom(seed);
        const key = keyOf(`t${seed}`);
        const written = randomRun(random, 400);
        const writer = await openWriter(store.log, key);
        while (writer.next <= written.length) {
          await writer.write(written.slice(writer.next - 1, writer.next + Math.floor(random() * 30)));
          if (random() < 0.2) await compactAll(store);
        }
        await compactAll(store);
        const expected = numbered(written);
        for (const maxBytes of [1, 3000, 1_000_000]) assert.deepEqual(await readAll(store.log, key, { maxBytes }), expected);
        for (const after of [0, 1, 17, 200, 399]) {
          assert.deepEqual(await notHung(followTo(store.log, key, { after, until: 400, maxBytes: 2000 }), "follow"), expected.slice(after));
        }
      }
    },
  },
  {
    title: "compact: goes on while a stream is written and followed, and nobody notices",
    async run({ store }) {
      const writer = await openWriter(store.log, keyOf("t"));
      const live = followTo(store.log, keyOf("t"), { after: 0, until: 3000, maxBytes: 5000 });
      while (writer.next <= 3000) {
        await writer.write(textEntries(50, writer.next));
        if (writer.next % 400 === 1) await store.upkeep.compact({ budgetMs: 100 });
      }
      await writer.send({ seal: true });
      await compactAll(store);
      assert.deepEqual(await notHung(live, "live"), numbered(textEntries(3000)));
      assert.deepEqual(await readAll(store.log, keyOf("t")), numbered(textEntries(3000)));
    },
  },
  {
    title: "compact: rewrites no entry more often than log n times",
    async run({ store }) {
      const writer = await openWriter(store.log, keyOf("t"));
      let merged = 0;
      const total = 4096;
      while (writer.next <= total) {
        await writer.write(textEntries(16, writer.next));
        merged += (await compactAll(store)).merged;
      }
      assert.ok(merged <= total * Math.log2(total), `${merged} rewrites of ${total} entries`);
    },
  },
  {
    title: "compact: has an end: when nothing changed there is nothing to merge",
    async run({ store }) {
      const writer = await openWriter(store.log, keyOf("t"));
      await writer.write(textEntries(1000));
      await compactAll(store);
      assert.equal((await store.upkeep.compact({ budgetMs: 1000 })).merged, 0);
    },
  },
  {
    title: "compact: a stream goes on after it: numbers, resume state, changes",
    async run({ store }) {
      const writer = await openWriter(store.log, keyOf("t"));
      await writer.write(textEntries(100), { state: { version: "v", data: "1" } });
      await compactAll(store);
      await writer.write(textEntries(100, 101));
      await compactAll(store);
      const second = await openWriter(store.log, keyOf("t"), 1);
      assert.equal(second.next, 201);
      for await (const changes of store.log.changes({ after: 0, signal: new AbortController().signal })) {
        assert.equal(changes.find((change) => change.key.task === "t")?.seq, 200);
        break;
      }
    },
  },
  {
    title: "truncate: entries up to the floor are gone, the snapshot stands for them",
    async run({ store }) {
      for (const compacted of [false, true]) {
        const key = keyOf(`t ${compacted}`);
        const writer = await openWriter(store.log, key);
        await writer.write(textEntries(100));
        if (compacted) await compactAll(store);
        const snapshot = '{"id":"t"}';
        assert.deepEqual(await store.upkeep.truncate(key, { floor: 40, snapshot }), { floor: 40 });
        const page = await store.log.read(key, { after: 0 });
        assert.deepEqual([page?.floor, page?.snapshot, page?.head, page?.entries[0]?.seq], [40, snapshot, 100, 41]);
        const rest = numbered(textEntries(100)).slice(40);
        assert.deepEqual(await readAll(store.log, key), rest);
        assert.deepEqual(await notHung(followTo(store.log, key, { after: 10, until: 100 }), "follow"), rest);
        assert.deepEqual(await store.upkeep.truncate(key, { floor: 30, snapshot: "other" }), { floor: 40 });
        assert.equal((await store.log.read(key, { after: 0 }))?.snapshot, snapshot);
        await writer.write(textEntries(5, 101));
        assert.deepEqual(await store.upkeep.truncate(key, { floor: 105, snapshot }), { floor: 105 });
        const end = await store.log.read(key, { after: 0 });
        assert.deepEqual([end?.entries, end?.head, end?.floor], [[], 105, 105]);
        assert.equal((await writer.write([textEntry("on")])).head, 106);
        assert.deepEqual((await openWriter(store.log, key, 1)).next, 107);
      }
    },
  },
  {
    title: "truncate: again and again on a long stream, at any entry; what is kept reads as before",
    async run({ store }) {
      const writer = await openWriter(store.log, keyOf("t"));
      while (writer.next <= 5000) await writer.write(textEntries(250, writer.next));
      const all = numbered(textEntries(5000));
      for (const floor of [1, 700, 1023, 1024, 1025, 2999, 4600, 4999, 5000]) {
        assert.deepEqual(await store.upkeep.truncate(keyOf("t"), { floor, snapshot: `{"floor":${floor}}` }), { floor });
        assert.deepEqual(await readAll(store.log, keyOf("t")), all.slice(floor));
        if (floor === 1024) await compactAll(store);
      }
      assert.equal((await store.log.read(keyOf("t"), { after: 0 }))?.snapshot, '{"floor":5000}');
    },
  },
  {
    title: "truncate: never past a hold; it answers the floor that is allowed and changes nothing",
    async run({ store }) {
      const key = keyOf("t");
      const writer = await openWriter(store.log, key);
      await writer.write(textEntries(100));
      await store.records.put({ key: holdKey(key, "push"), value: '{"seq":60}' });
      await store.records.put({ key: holdKey(key, "campaign"), value: '{"seq":30}' });
      assert.deepEqual(await store.upkeep.truncate(key, { floor: 50, snapshot: "{}" }), { floor: 30 });
      assert.equal((await store.log.read(key, { after: 0 }))?.floor, 0);
      assert.deepEqual(await store.upkeep.truncate(key, { floor: 30, snapshot: "{}" }), { floor: 30 });
      assert.equal((await store.log.read(key, { after: 0 }))?.floor, 30);
      await store.records.delete(holdKey(key, "campaign"));
      assert.deepEqual(await store.upkeep.truncate(key, { floor: 50, snapshot: "{}" }), { floor: 50 });
    },
  },
  {
    title: "truncate: refuses a floor above the head and a stream that does not exist",
    async run({ store }) {
      await openWriter(store.log, keyOf("t"));
      await assert.rejects(store.upkeep.truncate(keyOf("t"), { floor: 1, snapshot: "{}" }), { name: "IasError", code: "invalid-request" });
      await assert.rejects(store.upkeep.truncate(keyOf("none"), { floor: 1, snapshot: "{}" }), { name: "IasError", code: "not-found" });
    },
  },
  {
    title: "remove: a sealed stream goes with its row and its records, and nothing else",
    async run({ store }) {
      const key = keyOf("t");
      const writer = await openWriter(store.log, key);
      await writer.write([statusEntry("TASK_STATE_WORKING"), ...textEntries(50)], { index: rowOf(key) });
      const own = `${joinKey("task", keyText(key))}/once`;
      const foreign = `${joinKey("task", keyText(keyOf("t2")))}/once`;
      for (const name of [own, foreign]) await store.records.put({ key: name, value: "1" });
      assert.equal(await store.upkeep.remove(key), false, "it is not sealed");
      await writer.write([statusEntry("TASK_STATE_COMPLETED")], { index: rowOf(key, { state: "TASK_STATE_COMPLETED" }) });
      await store.records.put({ key: holdKey(key, "campaign"), value: '{"seq":1000}' });
      assert.equal(await store.upkeep.remove(key), false, "a hold stands");
      assert.ok(await store.log.read(key, { after: 0 }));
      await store.records.delete(holdKey(key, "campaign"));
      assert.equal(await store.upkeep.remove(key), true);
      assert.equal(await store.log.read(key, { after: 0 }), undefined);
      assert.equal(await store.index.get(key), undefined);
      assert.deepEqual([(await store.records.get(own))?.value, (await store.records.get(foreign))?.value], [undefined, "1"]);
      assert.equal(await store.upkeep.remove(key), false, "it is gone");
      const again = await openWriter(store.log, key);
      assert.deepEqual([again.epoch, again.next], [1, 1]);
    },
  },
];

function holdKey(key: StreamKey, holder: string): string {
  return `${joinKey("hold", keyText(key))}/${holder}`;
}

/** Compacts until there is nothing left to merge. */
async function compactAll(store: Store): Promise<{ merged: number; rounds: number }> {
  let merged = 0;
  for (let rounds = 1; rounds <= 1000; rounds += 1) {
    const done = await store.upkeep.compact({ budgetMs: 1000 });
    merged += done.merged;
    if (done.merged === 0) return { merged, rounds };
  }
  return assert.fail("compaction does not end");
}

/** Entries as agents make them, with everything that could break a run: other artifacts, audiences, attempts, odd times, metadata, odd JSON. */
function randomRun(random: () => number, count: number): NewEntry[] {
  const entries: NewEntry[] = [];
  let gen = 0;
  let at = 1_767_225_600_000;
  let attempt = 1;
  for (let i = 0; i < count; i += 1) {
    at += random() < 0.05 ? -Math.floor(random() * 1000) : Math.floor(random() * 40);
    if (random() < 0.02) attempt += 1;
    if (random() < 0.95) gen += 1;
    const facts = { gen, at, attempt };
    const kind = random();
    if (kind < 0.75) entries.push(textEntry(randomText(random), facts));
    else if (kind < 0.8) entries.push(textEntry(randomText(random), { ...facts, audience: pickAudience(random) }));
    else if (kind < 0.85) entries.push(statusEntry("TASK_STATE_WORKING", facts));
    else if (kind < 0.9) entries.push({ ...textEntry(randomText(random), facts), event: JSON.stringify(oddUpdate(random)) });
    else if (kind < 0.95)
      entries.push({ ...textEntry("", facts), event: `{ "artifactUpdate" : {"artifact":{"parts":[{"text":"\\u0041${Math.floor(random() * 9)}"}] } } }` });
    else entries.push({ ...textEntry("", facts), event: JSON.stringify({ task: { id: "t", contextId: "c", status: { state: "TASK_STATE_WORKING" } } }) });
  }
  return entries;
}

function oddUpdate(random: () => number): unknown {
  const artifact = {
    artifactId: random() < 0.5 ? "a2" : "a1",
    name: "n",
    parts: random() < 0.5 ? [{ data: { x: random() } }] : [{ text: "one" }, { text: "two" }],
  };
  return {
    artifactUpdate: { taskId: "t", contextId: "c", artifact, append: random() < 0.5, lastChunk: random() < 0.5, metadata: { "urn:x": { path: "/a" } } },
  };
}

const ALPHABET = ["a", "token ", '"', "\\", "\n", "é", "🙂", "\u2028", "\u0000", "\ud800", "</script>", '"}],"append":true', "中文", "", " "];

function randomText(random: () => number): string {
  let text = "";
  for (let i = Math.floor(random() * 5); i >= 0; i -= 1) text += ALPHABET[Math.floor(random() * ALPHABET.length)] ?? "";
  return text;
}
