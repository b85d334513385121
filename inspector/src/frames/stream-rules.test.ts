import assert from "node:assert/strict";
import { test } from "node:test";
import type { StreamResponse, TaskState } from "../../../src/lib/model/a2a.ts";
import { createStreamRules } from "./stream-rules.ts";

const ids = { taskId: "t", contextId: "c" };
const task: StreamResponse = { task: { id: "t", contextId: "c", status: { state: "TASK_STATE_SUBMITTED" } } };
const message: StreamResponse = { message: { messageId: "m", role: "ROLE_AGENT", parts: [{ text: "x" }] } };
const status = (state: TaskState, timestamp?: string): StreamResponse => ({ statusUpdate: { ...ids, status: { state, ...(timestamp && { timestamp }) } } });
const chunk = (append: boolean, lastChunk = false, artifactId = "a"): StreamResponse => ({
  artifactUpdate: { ...ids, artifact: { artifactId, parts: [{ text: "x" }] }, append, lastChunk },
});

/** Sections of the rules that each event breaks. */
function judge(events: readonly StreamResponse[], from = 1, isWhole = true): string[][] {
  const rules = createStreamRules({ isWhole });
  return events.map((event, index) =>
    rules.take({ seq: from + index, gen: 0, at: 0, attempt: 1, audience: "public", event }).map(({ section, where }) => `${section} ${where}`),
  );
}

test("a stream as it should be breaks nothing", () => {
  assert.deepEqual(judge([task, status("TASK_STATE_WORKING"), chunk(false), chunk(true), chunk(true, true), status("TASK_STATE_COMPLETED")]).flat(), []);
  assert.deepEqual(judge([message]).flat(), []);
});

const wrong: readonly (readonly [string, readonly StreamResponse[], string])[] = [
  ["a stream that begins with an update", [status("TASK_STATE_WORKING")], "3.1.2 statusUpdate"],
  ["a message after a task", [task, message], "3.1.2 message"],
  ["an event after a message", [message, task], "3.1.2 task"],
  ["a second Task", [task, task], "3.1.2 task"],
  ["an event after the end", [task, status("TASK_STATE_FAILED"), chunk(false)], "3.1.2 artifactUpdate"],
  ["an append to nothing", [task, chunk(true)], "4.2.2 artifactUpdate.append"],
  ["an append after the last chunk", [task, chunk(false, true), chunk(true)], "4.2.2 artifactUpdate.append"],
  ["another task's event", [task, { statusUpdate: { ...ids, taskId: "other", status: { state: "TASK_STATE_WORKING" } } }], "3.1.2 taskId"],
  ["another context", [task, { statusUpdate: { ...ids, contextId: "other", status: { state: "TASK_STATE_WORKING" } } }], "3.4.1 contextId"],
  [
    "a status older than the one before",
    [task, status("TASK_STATE_WORKING", "2026-01-01T00:00:01Z"), status("TASK_STATE_WORKING", "2026-01-01T00:00:00Z")],
    "3.5.2 status.timestamp",
  ],
];
for (const [name, events, section] of wrong) test(`${name} is found, at the event that does it`, () => assert.deepEqual(judge(events).at(-1), [section]));

test("what depends on a beginning that is not there is not judged", () => {
  assert.deepEqual(judge([chunk(true), status("TASK_STATE_WORKING")], 40).flat(), []);
});

test("a gap is a fault where every entry comes, and none where some are not for this reader", () => {
  const gap = (isWhole: boolean): number => {
    const rules = createStreamRules({ isWhole });
    return [1, 3].flatMap((seq) => rules.take({ seq, gen: 0, at: 0, attempt: 1, audience: "public", event: seq === 1 ? task : chunk(false) })).length;
  };
  assert.deepEqual([gap(true), gap(false)], [1, 0]);
});
