import assert from "node:assert/strict";
import { test } from "node:test";
import type { TaskState } from "../../../src/lib/model/a2a.ts";
import type { FeedFrame, StreamEntry } from "../../../src/lib/model/api.ts";
import { type ExtensionData, toMetadata } from "../../../src/lib/model/extension.ts";
import { FEED_LANE_LIMITS, MAX_CHILD_LANES } from "./limits.ts";
import { createLanes, type Lanes } from "./model.ts";
import { createRecent, makeRoom, ROLLING_LIMITS } from "./rolling.ts";

const status = (task: string, seq: number, at: number, state: TaskState, data?: ExtensionData): StreamEntry => ({
  seq,
  gen: 1,
  at,
  attempt: 1,
  audience: data === undefined ? "public" : "extension",
  event: { statusUpdate: { taskId: task, contextId: "c", status: { state }, ...(data !== undefined && { metadata: toMetadata(data) }) } },
});
const add = (lanes: Lanes, task: string, entries: readonly StreamEntry[]): void => lanes.add({ agent: "a", task, context: "c" }, entries);
const ids = (lanes: Lanes): string[] => lanes.list().map(({ lane }) => lane.id);

test("what is over makes room first, the oldest of it; then what was quiet the longest", () => {
  const lanes = createLanes();
  for (let n = 0; n < 10; n += 1) add(lanes, `t${n}`, [status(`t${n}`, 1, 1000 + n, n % 2 === 0 ? "TASK_STATE_COMPLETED" : "TASK_STATE_WORKING")]);
  makeRoom(lanes, { ...ROLLING_LIMITS, maxLanes: 7, maxLiveLanes: 10 });
  assert.deepEqual(ids(lanes), ["t1", "t3", "t5", "t6", "t7", "t8", "t9"]);
  makeRoom(lanes, { ...ROLLING_LIMITS, maxLanes: 3, maxLiveLanes: 4 });
  assert.deepEqual(ids(lanes), ["t3", "t5", "t7", "t9"], "what lives stays beyond the first limit, up to the second");
});

test("the newest entries are at hand, within both limits", () => {
  const recent = createRecent({ ...ROLLING_LIMITS, maxEntries: 100, maxBytes: 200_000 });
  const frame = (entries: readonly StreamEntry[]): FeedFrame => ({ agent: "a", task: "t", context: "c", entries });
  const long = (seq: number, length: number): StreamEntry => ({
    ...status("t", seq, 0, "TASK_STATE_WORKING"),
    event: { artifactUpdate: { taskId: "t", contextId: "c", artifact: { artifactId: "answer", parts: [{ text: "x".repeat(length) }] } } },
  });
  for (let from = 1; from < 1000; from += 10) {
    recent.add(frame(Array.from({ length: 10 }, (_, index) => status("t", from + index, 0, "TASK_STATE_WORKING"))));
    assert.ok(recent.entries <= 100);
  }
  assert.equal(recent.get("t", 1000)?.seq, 1000);
  assert.equal(recent.get("t", 800), undefined);
  recent.add(frame([long(2000, 90_000)]));
  recent.add(frame([long(2001, 90_000)]));
  assert.deepEqual([recent.get("t", 2000), recent.get("t", 2001)?.seq, recent.entries], [undefined, 2001, 1]);
  assert.ok(recent.bytes > 180_000 && recent.bytes <= 200_000);
  recent.add(frame([long(3000, 500_000)]));
  assert.deepEqual([recent.entries, recent.bytes], [0, 0], "one that is larger than all room is not kept");
});

test("a lane of a stream without end keeps so many signs, silences and phases, and a task so many children", () => {
  const lanes = createLanes({ limits: FEED_LANE_LIMITS });
  let seq = 0;
  let at = 0;
  const tell = (data: ExtensionData): StreamEntry => status("t", (seq += 1), (at += 1500), "TASK_STATE_WORKING", data);
  for (let n = 0; n < 3000; n += 1) {
    add(lanes, "t", [
      tell({ kind: "tool-call", call: `c${n}`, name: "look", idempotent: true }),
      tell({ kind: "tool-result", call: `c${n}`, name: "look", failed: n % 3 === 0 }),
      tell({ kind: "reasoning", size: 5 }),
    ]);
  }
  const lane = lanes.list()[0]?.lane;
  assert.ok(lane);
  assert.ok(lane.marks.length > 0 && lane.marks.length <= FEED_LANE_LIMITS.maxMarks);
  assert.ok(lane.silences.length > 0 && lane.silences.length <= FEED_LANE_LIMITS.maxMarks);
  assert.ok(lane.phases.length > 0 && lane.phases.length <= FEED_LANE_LIMITS.maxPhases);
  assert.equal(lane.figures().tokens, 3000);
  for (let n = 0; n < 2 * MAX_CHILD_LANES; n += 1) add(lanes, "t", [tell({ kind: "text", text: "x", path: [`child-${n}`] })]);
  assert.equal(lanes.list().length, MAX_CHILD_LANES + 1);
});
