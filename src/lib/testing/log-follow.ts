import assert from "node:assert/strict";
import type { Entry } from "../model/entry.ts";
import type { LogCase } from "./log-support.ts";
import { assertDense, followTo, keyOf, notHung, numbered, openWriter, readAll, rowOf, statusEntry, textEntries, textEntry, turn } from "./log-support.ts";
import { createRandom } from "../model/random.ts";

/** Following: live, from any cursor, bounded, ending (SEMANTICS 1, 4). */
export const followCases: readonly LogCase[] = [
  {
    title: "follow: gives what is there, then what comes, as read gives it",
    async run({ store: { log } }) {
      const writer = await openWriter(log, keyOf("t"));
      await writer.write(textEntries(10));
      const following = followTo(log, keyOf("t"), { after: 4, until: 30 });
      for (let i = 11; i <= 30; i += 1) {
        await writer.write(textEntries(1, i));
        if (i % 5 === 0) await turn();
      }
      assert.deepEqual(await notHung(following, "follow"), numbered(textEntries(30)).slice(4));
    },
  },
  {
    title: "follow: an entry is delivered as soon as it is committed, one at a time (lock step)",
    async run({ store: { log } }) {
      const writer = await openWriter(log, keyOf("t"));
      const follow = log.follow(keyOf("t"), { after: 0, signal: new AbortController().signal })[Symbol.asyncIterator]();
      for (let i = 1; i <= 200; i += 1) {
        const next = follow.next();
        await writer.write([textEntry(`${i}`)]);
        const batch: readonly Entry[] | undefined = (await notHung(next, `entry ${i}`)).value;
        assert.deepEqual(
          batch?.map((entry) => entry.seq),
          [i],
        );
      }
      await follow.return?.();
    },
  },
  {
    title: "follow: from every cursor, joining while a burst is written, there is no gap and no repeat",
    async run({ store: { log } }) {
      const random = createRandom(3);
      const writer = await openWriter(log, keyOf("t"));
      const total = 2000;
      const followers: { after: number; entries: Promise<Entry[]> }[] = [];
      while (writer.next <= total) {
        const count = Math.min(1 + Math.floor(random() * 12), total + 1 - writer.next);
        const written = writer.write(textEntries(count, writer.next));
        if (random() < 0.5) {
          const after = Math.floor(random() * (writer.next + 20));
          followers.push({ after, entries: followTo(log, keyOf("t"), { after, until: total, maxBytes: 200 + Math.floor(random() * 5000) }) });
        }
        if (random() < 0.5) await written;
        else if (random() < 0.3) await turn();
      }
      const expected = numbered(textEntries(total));
      assert.ok(followers.length > 50);
      for (const { after, entries } of followers) assert.deepEqual(await notHung(entries, `follower from ${after}`), expected.slice(after));
    },
  },
  {
    title: "follow: 500 followers of one stream each get every entry",
    async run({ store: { log } }) {
      const writer = await openWriter(log, keyOf("t"));
      const followers = Array.from({ length: 500 }, () => followTo(log, keyOf("t"), { after: 0 }));
      for (let i = 1; i <= 50; i += 1) await writer.write(textEntries(2, i * 2 - 1));
      await writer.send({ seal: true });
      for (const follower of followers) assertDense(await notHung(follower, "follower"), 0, 100);
    },
  },
  {
    title: "follow: a batch has at least one entry and at most `maxBytes` of event text",
    async run({ store: { log } }) {
      const writer = await openWriter(log, keyOf("t"));
      const all = [...textEntries(50), textEntry("x".repeat(4000)), ...textEntries(50, 52)];
      await writer.write(all);
      await writer.send({ seal: true });
      const entries: Entry[] = [];
      for await (const batch of log.follow(keyOf("t"), { after: 0, maxBytes: 1000, signal: new AbortController().signal })) {
        const size = batch.reduce((sum, entry) => sum + entry.event.length, 0);
        assert.ok(batch.length === 1 || size <= 1000, `${batch.length} entries of ${size}`);
        entries.push(...batch);
      }
      assert.deepEqual(entries, numbered(all));
    },
  },
  {
    title: "follow: a follower that stops asking gets nothing more until it asks, and then the rest in bounded batches",
    async run({ store: { log } }) {
      const writer = await openWriter(log, keyOf("t"));
      await writer.write([textEntry("first")]);
      const follow = log.follow(keyOf("t"), { after: 0, maxBytes: 64 * 1024, signal: new AbortController().signal })[Symbol.asyncIterator]();
      assert.equal((await notHung(follow.next(), "first")).value?.length, 1);
      const pad = "x".repeat(900);
      for (let i = 0; i < 40; i += 1) await writer.write(Array.from({ length: 100 }, () => textEntry(pad)));
      await writer.send({ seal: true });
      let last = 1;
      for (let step = await follow.next(); step.done !== true; step = await notHung(follow.next(), "next")) {
        assert.ok(step.value.length * 1000 <= 80 * 1024);
        assertDense(step.value, last, last + step.value.length);
        last += step.value.length;
      }
      assert.equal(last, 4001);
    },
  },
  {
    title: "follow: ends when the stream is sealed and read to its head, at once if it was before",
    async run({ store: { log } }) {
      const writer = await openWriter(log, keyOf("t"));
      const live = followTo(log, keyOf("t"), { after: 0 });
      await writer.write(textEntries(3));
      await writer.write([statusEntry("TASK_STATE_CANCELED")], { index: rowOf(keyOf("t"), { state: "TASK_STATE_CANCELED" }) });
      assertDense(await notHung(live, "live follower"), 0, 4);
      assertDense(await notHung(followTo(log, keyOf("t"), { after: 2 }), "late follower"), 2, 4);
      assert.deepEqual(await notHung(followTo(log, keyOf("t"), { after: 4 }), "follower at the end"), []);
      assert.deepEqual(await notHung(followTo(log, keyOf("t"), { after: 99 }), "follower beyond the end"), []);
    },
  },
  {
    title: "follow: ends when the stream is sealed without an entry, when it is removed, and when there is none",
    async run({ store: { log, upkeep } }) {
      const writer = await openWriter(log, keyOf("t"));
      const waiting = followTo(log, keyOf("t"), { after: 0 });
      await turn();
      await writer.send({ seal: true });
      assert.deepEqual(await notHung(waiting, "seal"), []);
      assert.deepEqual(await notHung(followTo(log, keyOf("none"), { after: 0 }), "no stream"), []);

      const other = await openWriter(log, keyOf("o"));
      await other.write(textEntries(10));
      const reader = log.follow(keyOf("o"), { after: 0, maxBytes: 1, signal: new AbortController().signal })[Symbol.asyncIterator]();
      await reader.next();
      await other.send({ seal: true });
      assert.equal(await upkeep.remove(keyOf("o")), true);
      assert.equal((await notHung(reader.next(), "removed")).done, true);
    },
  },
  {
    title: "follow: ends without an error when the signal aborts, waiting or not, and before it began",
    async run({ store: { log } }) {
      const writer = await openWriter(log, keyOf("t"));
      await writer.write(textEntries(2));
      const stop = new AbortController();
      const waiting = log.follow(keyOf("t"), { after: 2, signal: stop.signal })[Symbol.asyncIterator]();
      const pending = waiting.next();
      const reading = log.follow(keyOf("t"), { after: 0, maxBytes: 1, signal: stop.signal })[Symbol.asyncIterator]();
      await reading.next();
      stop.abort();
      assert.equal((await notHung(pending, "waiting")).done, true);
      assert.equal((await notHung(reading.next(), "reading")).done, true);
      assert.equal((await notHung(waiting.next(), "again")).done, true);
      const late = log.follow(keyOf("t"), { after: 0, signal: stop.signal })[Symbol.asyncIterator]();
      assert.equal((await notHung(late.next(), "aborted before")).done, true);
    },
  },
  {
    title: "follow: leaving the loop ends it, and the stream goes on for the others",
    async run({ store: { log } }) {
      const writer = await openWriter(log, keyOf("t"));
      const stay = followTo(log, keyOf("t"), { after: 0, until: 20 });
      const leavers = Array.from({ length: 30 }, (_, i) => followTo(log, keyOf("t"), { after: 0, until: 1 + (i % 7) }));
      for (let i = 1; i <= 20; i += 1) await writer.write(textEntries(1, i));
      assertDense(await notHung(stay, "stays"), 0, 20);
      for (const leaver of leavers) await notHung(leaver, "leaves");
      assertDense(await readAll(log, keyOf("t")), 0, 20);
    },
  },
  {
    title: "follow: two calls of next at once are answered one after the other",
    async run({ store: { log } }) {
      const writer = await openWriter(log, keyOf("t"));
      const follow = log.follow(keyOf("t"), { after: 0, signal: new AbortController().signal })[Symbol.asyncIterator]();
      const both = Promise.all([follow.next(), follow.next()]);
      await writer.write([textEntry("a")]);
      await turn();
      await writer.write([textEntry("b")]);
      const [first, second] = await notHung(both, "both");
      assert.deepEqual([first?.value?.[0]?.seq, second?.value?.[0]?.seq], [1, 2]);
      await follow.return?.();
    },
  },
];
