import assert from "node:assert/strict";
import { test } from "node:test";
import { DEFAULT_THRESHOLDS } from "../../../src/lib/liveness/thresholds.ts";
import { createLane, type LaneWriter } from "./lane.ts";
import { beside, pick } from "./pick.ts";

/** A lane from 1000 on: a message, three tokens (the last two at one moment), a tool, another token. */
function laneOf(): LaneWriter {
  const writer = createLane({ id: "t", agent: "a", task: "t", context: "c", path: [], at: 1000, begins: "prefill", thresholds: DEFAULT_THRESHOLDS });
  writer.mark({ at: 1000, seq: 1, kind: "message", label: "message" });
  for (const [at, seq] of [
    [1100, 2],
    [1200, 3],
    [1300, 5],
  ] as const) {
    writer.signal(at, seq, [{ kind: "content" }]);
    writer.tick(at, seq, "content");
  }
  writer.mark({ at: 1250, seq: 4, kind: "tool", label: "look" });
  return writer;
}

test("by keys one goes over every sign and token, on and back, and stays at the ends", () => {
  const { lane } = laneOf();
  const walk = (from: { at: number; seq: number }, direction: 1 | -1): number[] => {
    const seen: number[] = [];
    for (let next = beside(lane, from, direction); next !== undefined && seen.length < 20; next = beside(lane, next, direction)) seen.push(next.seq);
    return seen;
  };
  // The first token is a sign, too.
  assert.deepEqual([...new Set(walk({ at: 0, seq: 0 }, 1))], [1, 2, 3, 4, 5]);
  assert.deepEqual([...new Set(walk({ at: 9999, seq: 99 }, -1))], [5, 4, 3, 2, 1]);
  assert.equal(beside(lane, { at: 1300, seq: 5 }, 1), undefined);
  assert.equal(beside(lane, { at: 1200, seq: 3 }, 1)?.label, "look");
});

test("the pointer finds the sign, else the token within reach, else the phase", () => {
  const { lane } = laneOf();
  const scale = { from: 1000, msPerPx: 1, width: 500, follow: false };
  assert.deepEqual([pick(lane, scale, 251, 0).label, pick(lane, scale, 251, 0).seq], ["look", 4]);
  assert.equal(pick(lane, scale, 203, 0).seq, 3);
  assert.deepEqual([pick(lane, scale, 150, 0).seq, pick(lane, scale, 150, 0).label], [undefined, "generating"]);
});
