import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { streamResponses } from "../../../test/support/a2a-arbitraries.ts";
import { checkEvent } from "./check.ts";
import { sectionOf } from "./sections.ts";

test("what this project may write breaks no rule", () => {
  fc.assert(fc.property(streamResponses, (event) => assert.deepEqual(checkEvent(event), [])));
});

const ids = { taskId: "t", contextId: "c" };
const working = { state: "TASK_STATE_WORKING" };
const part = (value: object) => ({ artifactUpdate: { ...ids, artifact: { artifactId: "a", parts: [value] } } });
const wrong: readonly (readonly [string, unknown, string, string])[] = [
  ["two members", { task: {}, message: {} }, "3.2.3", ""],
  ["nothing", {}, "3.2.3", ""],
  ["a missing task id", { statusUpdate: { contextId: "c", status: working } }, "5.7", "statusUpdate.taskId"],
  ["an empty task id", { statusUpdate: { ...ids, taskId: "", status: working } }, "5.7", "statusUpdate.taskId"],
  ["a state of 0.3", { statusUpdate: { ...ids, status: { state: "working" } } }, "4.1.3", "statusUpdate.status.state"],
  ["a time without zone", { statusUpdate: { ...ids, status: { ...working, timestamp: "2026-01-01T00:00:00" } } }, "5.6.1", "statusUpdate.status.timestamp"],
  ["the kind of 0.3", { statusUpdate: { ...ids, kind: "status-update", status: working } }, "A.2.1", "statusUpdate.kind"],
  ["snake case", { statusUpdate: { ...ids, context_id: "c", status: working } }, "5.5", "statusUpdate.context_id"],
  ["final", { statusUpdate: { ...ids, final: true, status: working } }, "4.2.1", "statusUpdate.final"],
  [
    "null for what is not set",
    { artifactUpdate: { ...ids, artifact: { artifactId: "a", parts: [{ text: "x" }] }, metadata: null } },
    "5.7",
    "artifactUpdate.metadata",
  ],
  ["no parts", { artifactUpdate: { ...ids, artifact: { artifactId: "a", parts: [] } } }, "5.7", "artifactUpdate.artifact.parts"],
  ["a part of two kinds", part({ text: "x", url: "http://127.0.0.1/" }), "4.1.6", "artifactUpdate.artifact.parts.0"],
  ["a part of none", part({ mediaType: "text/plain" }), "4.1.6", "artifactUpdate.artifact.parts.0"],
  ["bytes that are not base64", part({ raw: "%%" }), "4.1.6", "artifactUpdate.artifact.parts.0.raw"],
  ["a role of 0.3", { message: { messageId: "m", role: "agent", parts: [{ text: "x" }] } }, "4.1.5", "message.role"],
];
for (const [name, event, section, where] of wrong) {
  test(`${name}: the rule is named with its section and place`, () => {
    const [first, ...more] = checkEvent(event);
    assert.deepEqual([first?.section, first?.where, more.length], [section, where, 0]);
    assert.ok((first?.rule ?? "").length > 10);
    assert.match(sectionOf(first?.section ?? "")?.href ?? "", /#/);
  });
}

test("a member of somebody's own is pointed out, but no MUST", () => {
  assert.deepEqual(
    checkEvent({ statusUpdate: { ...ids, status: working, mood: "good" } }).map(({ level }) => level),
    ["SHOULD"],
  );
});
