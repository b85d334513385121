import assert from "node:assert/strict";
import { test } from "node:test";
import type { StreamEntry } from "../../../src/lib/model/api.ts";
import { readQuery } from "./filter.ts";
import { createJudge } from "./judge.ts";
import { createListing } from "./listing.ts";

const entries: StreamEntry[] = Array.from({ length: 1000 }, (_, index) => ({
  seq: index + 1,
  gen: 1,
  at: index,
  attempt: 1,
  audience: "public",
  event: {
    artifactUpdate: { taskId: "t", contextId: "c", artifact: { artifactId: "a", parts: [{ text: index % 10 === 0 ? "needle" : "hay" }] }, append: index > 0 },
  },
}));

/** A clock that moves one ms a look. */
function slowClock(): () => number {
  let at = 0;
  return () => (at += 1);
}

test("a search goes on where it stopped, finds all, and knows when it is done", () => {
  const listing = createListing(readQuery("needle"), () => false);
  const now = slowClock();
  listing.advance(entries, 0, 3, now);
  assert.equal(listing.isDone, false);
  assert.ok(listing.length > 0 && listing.length < 100);
  for (let round = 0; round < 100 && !listing.isDone; round += 1) listing.advance(entries, 0, now() + 3, now);
  assert.equal(listing.length, 100);
  assert.equal(entries[listing.placeOf(7)]?.seq, 71);
  assert.equal(listing.rowOf(71, entries), 7);
  assert.equal(listing.rowOf(72, entries), 8, "the next one stands for one that is not shown");
});

test("without a question everything is there at once, and what comes is added", () => {
  const listing = createListing(readQuery(""), () => false);
  listing.advance(entries.slice(0, 500), 0, 0, () => 0);
  assert.deepEqual([listing.length, listing.isDone], [500, true]);
  listing.advance(entries, 0, 0, () => 0);
  assert.deepEqual([listing.length, listing.rowOf(900, entries)], [1000, 899]);
});

test("entries are judged some at a time, and those that break rules are known by their seq", () => {
  const judge = createJudge(
    (event) => (JSON.stringify(event).includes("needle") ? [{ section: "x", level: "MUST", rule: "no needles", where: "", found: "" }] : []),
    {
      isWhole: true,
    },
  );
  assert.equal(judge.advance(entries, 2, slowClock()), true);
  assert.ok(judge.judged < 1000);
  assert.equal(
    judge.advance(entries, Number.POSITIVE_INFINITY, () => 0),
    false,
  );
  assert.equal(judge.bad.size, 100);
  assert.deepEqual(
    judge.bad.get(1)?.map(({ section }) => section),
    ["x", "3.1.2"],
    "the stream begins with an update, too",
  );
  const bad = createListing(readQuery("bad"), ({ seq }) => judge.bad.has(seq));
  bad.advance(entries, judge.judged, Number.POSITIVE_INFINITY, () => 0);
  assert.equal(bad.length, 100);
});
