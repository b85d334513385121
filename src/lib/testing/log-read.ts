import assert from "node:assert/strict";
import type { LogCase } from "./log-support.ts";
import { keyOf, numbered, openWriter, readAll, textEntries, textEntry } from "./log-support.ts";

/** Reading pages. */
export const readCases: readonly LogCase[] = [
  {
    title: "read: no stream is undefined",
    async run({ store: { log } }) {
      assert.equal(await log.read(keyOf("none"), { after: 0 }), undefined);
    },
  },
  {
    title: "read: pages of any size join without a gap or a repeat",
    async run({ store: { log } }) {
      const writer = await openWriter(log, keyOf("t"));
      const all = textEntries(500);
      for (let i = 0; i < 500; i += 50) await writer.write(all.slice(i, i + 50));
      for (const maxBytes of [1, 200, 1000, 10_000, 1_000_000]) assert.deepEqual(await readAll(log, keyOf("t"), { maxBytes }), numbered(all));
      for (const after of [0, 1, 49, 50, 51, 498, 499]) assert.deepEqual(await readAll(log, keyOf("t"), { after }), numbered(all).slice(after));
    },
  },
  {
    title: "read: a page has at least one entry and at most `maxBytes` of event text",
    async run({ store: { log } }) {
      const writer = await openWriter(log, keyOf("t"));
      await writer.write([...textEntries(20), textEntry("x".repeat(5000)), ...textEntries(20)]);
      for (let after = 0; after < 41; after += 1) {
        const entries = (await log.read(keyOf("t"), { after, maxBytes: 1000 }))?.entries ?? [];
        assert.equal(entries[0]?.seq, after + 1);
        const size = entries.reduce((sum, entry) => sum + entry.event.length, 0);
        assert.ok(entries.length === 1 || size <= 1000, `${entries.length} entries of ${size}`);
      }
    },
  },
  {
    title: "read: at or above the head there is nothing; `maxBytes: 0` gives only the facts",
    async run({ store: { log } }) {
      const writer = await openWriter(log, keyOf("t"));
      await writer.write(textEntries(3));
      for (const options of [{ after: 3 }, { after: 99 }, { after: 0, maxBytes: 0 }]) {
        const page = await log.read(keyOf("t"), options);
        assert.deepEqual([page?.entries, page?.head, page?.floor, page?.sealed, page?.epoch, page?.owner], [[], 3, 0, false, 1, "suite"]);
        assert.equal(page !== undefined && "snapshot" in page, false);
      }
    },
  },
];
