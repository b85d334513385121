import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { StreamEntry } from "../../../src/lib/model/api.ts";
import { createTimeline } from "./timeline.ts";

const entry = (seq: number, at: number): StreamEntry => ({
  seq,
  gen: 1,
  at,
  attempt: 1,
  audience: "public",
  event: { task: { id: "t", contextId: "c", status: { state: "TASK_STATE_WORKING" } } },
});

test("a seq stands for a moment and a moment for what had come by then", () => {
  const lists = fc.array(fc.integer({ min: -20, max: 50 }), { minLength: 1, maxLength: 60 }).map((gaps) => {
    let at = 1000;
    return gaps.map((gap, index) => entry(2 * index + 1, (at += gap)));
  });
  fc.assert(
    fc.property(lists, fc.nat(), (entries, pick) => {
      const timeline = createTimeline();
      timeline.sync(entries.slice(0, 7), 0);
      timeline.sync(entries, 0);
      const place = pick % entries.length;
      const { seq, at } = entries[place] ?? entry(0, 0);
      assert.equal(timeline.countOf(seq), place + 1);
      assert.equal(timeline.countOf(seq + 1), place + 1, "a seq that is not there is the one before");
      const time = timeline.timeAt(place);
      assert.ok(time >= at, "no entry comes before it was made");
      assert.ok(place === 0 || time >= timeline.timeAt(place - 1), "time does not step back");
      // Of entries at the same moment all have come.
      assert.ok(timeline.countAt(time) >= place + 1);
      assert.ok(timeline.countAt(time - 1) <= place);
    }),
  );
});

test("before the first entry nothing has come, and a stream that begins anew is read anew", () => {
  const timeline = createTimeline();
  assert.deepEqual([timeline.countAt(5), timeline.timeAt(3), timeline.length], [0, 0, 0]);
  timeline.sync([entry(1, 10), entry(2, 20)], 0);
  assert.deepEqual([timeline.countAt(9), timeline.from, timeline.to, timeline.timeAt(9)], [0, 10, 20, 20]);
  timeline.sync([entry(40, 500), entry(41, 600)], 1);
  assert.deepEqual([timeline.from, timeline.to, timeline.countOf(40)], [500, 600, 1]);
});
