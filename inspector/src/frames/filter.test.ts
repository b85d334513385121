import assert from "node:assert/strict";
import { test } from "node:test";
import type { StreamEntry } from "../../../src/lib/model/api.ts";
import { toMetadata } from "../../../src/lib/model/extension.ts";
import { kindOf, summaryOf } from "./describe.ts";
import { isEmpty, matches, readQuery } from "./filter.ts";

const ids = { taskId: "t", contextId: "c" };
const call: StreamEntry = {
  seq: 12,
  gen: 1,
  at: 0,
  attempt: 1,
  audience: "internal",
  event: {
    statusUpdate: {
      ...ids,
      status: { state: "TASK_STATE_WORKING" },
      metadata: toMetadata({ kind: "tool-call", call: "c1", name: "clock", idempotent: true, arguments: '{"place":"São Paulo"}', path: ["places"] }),
    },
  },
};
const finds = (query: string, bad = false): boolean => matches(call, readQuery(query), () => bad);

test("words, kinds, audiences and places narrow what is shown, all together", () => {
  for (const query of [
    "",
    "paulo",
    '"são paulo" CLOCK',
    "kind:tool-call",
    "kind:text kind:tool-call",
    "audience:internal",
    "seq:12",
    "seq:10-",
    "seq:-12",
    "seq:1-20 clock",
  ]) {
    assert.equal(finds(query), true, query);
  }
  for (const query of ["rome", "kind:text", "audience:public", "seq:13-", "seq:-11", "seq:11", "clock kind:usage", "bad"])
    assert.equal(finds(query), false, query);
  assert.equal(finds("bad", true), true);
});

test("what is not a condition is a word", () => {
  assert.deepEqual(readQuery("seq:x kind: a:b").words, ["seq:x", "kind:", "a:b"]);
  assert.equal(isEmpty(readQuery("  ")), true);
  assert.equal(isEmpty(readQuery("seq:3")), false);
});

test("an entry is told in one line", () => {
  assert.equal(kindOf(call.event), "tool-call");
  assert.equal(summaryOf(call), 'places: clock({"place":"São Paulo"})');
  assert.equal(
    summaryOf({ event: { artifactUpdate: { ...ids, artifact: { artifactId: "answer", parts: [{ text: "a\nb" }] }, append: true } } }),
    "+ answer: a⏎b",
  );
  assert.equal(summaryOf(call, 10), "places: c…");
});
