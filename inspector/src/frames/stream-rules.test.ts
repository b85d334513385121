import assert from "node:assert/strict";
import { test } from "node:test";
import type { Artifact, Message, Part, StreamResponse, TaskState } from "../../../src/lib/model/a2a.ts";
import { sectionOf } from "./sections.ts";
import { createStreamRules } from "./stream-rules.ts";

const ids = { taskId: "t", contextId: "c" };
const task: StreamResponse = { task: { id: "t", contextId: "c", status: { state: "TASK_STATE_SUBMITTED" } } };
const message: StreamResponse = { message: { messageId: "m", contextId: "c", role: "ROLE_AGENT", parts: [{ text: "x" }] } };
const status = (state: TaskState, timestamp?: string): StreamResponse => ({ statusUpdate: { ...ids, status: { state, ...(timestamp && { timestamp }) } } });
const chunk = (append: boolean, lastChunk = false, artifactId = "a"): StreamResponse => ({
  artifactUpdate: { ...ids, artifact: { artifactId, parts: [{ text: "x" }] }, append, lastChunk },
});

const said = (state: TaskState, change: Partial<Message>): StreamResponse => ({
  statusUpdate: { ...ids, status: { state, message: { messageId: "s", role: "ROLE_AGENT", parts: [{ text: "x" }], ...change } } },
});
const holding = (part: Part, extensions?: readonly string[]): StreamResponse => ({
  artifactUpdate: { ...ids, artifact: { artifactId: "a", parts: [part], ...(extensions !== undefined && { extensions }) } },
});
const whole = { id: "t", contextId: "c", status: { state: "TASK_STATE_SUBMITTED" } } as const;
const first: Message = { messageId: "m1", role: "ROLE_USER", parts: [{ text: "x" }] };
const made: Artifact = { artifactId: "a", parts: [{ text: "x" }] };

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
  ["words as the only result", [task, said("TASK_STATE_COMPLETED", {})], "3.7 status.message"],
  ["a status message by the user", [task, said("TASK_STATE_WORKING", { role: "ROLE_USER" })], "4.1.5 statusUpdate.status.message.role"],
  ["a status message of another task", [task, said("TASK_STATE_WORKING", { taskId: "other" })], "3.4.3 statusUpdate.status.message.taskId"],
  ["a status message of another context", [task, said("TASK_STATE_WORKING", { contextId: "other" })], "3.4.3 statusUpdate.status.message.contextId"],
  ["a request for authorization without words", [task, status("TASK_STATE_AUTH_REQUIRED")], "7.6.1 statusUpdate.status.message"],
  ["a moment that there is not", [task, status("TASK_STATE_WORKING", "2026-13-40T00:00:00Z")], "5.6.1 statusUpdate.status.timestamp"],
  ["a message of a server without its context", [{ message: { messageId: "m", role: "ROLE_AGENT", parts: [{ text: "x" }] } }], "4.1.4 message.contextId"],
  ["a message of a server by the user", [{ message: { messageId: "m", contextId: "c", role: "ROLE_USER", parts: [{ text: "x" }] } }], "4.1.5 message.role"],
  ["an address that leads nowhere from elsewhere", [task, holding({ url: "/files/1" })], "4.1.6 artifactUpdate.artifact.parts.0.url"],
  ["a media type without a subtype", [task, holding({ raw: "eA==", mediaType: "png" })], "4.1.6 artifactUpdate.artifact.parts.0.mediaType"],
  ["an extension without a URI", [task, holding({ text: "x" }, ["timing"])], "4.6.1 artifactUpdate.artifact.extensions.0"],
  ["two messages of one id", [{ task: { ...whole, history: [first, first] } }], "4.1.4 task.history.1.messageId"],
  ["two artifacts of one id", [{ task: { ...whole, artifacts: [made, made] } }], "4.1.7 task.artifacts.1.artifactId"],
  ["a message in the history that is of another task", [{ task: { ...whole, history: [{ ...first, taskId: "other" }] } }], "3.4.3 task.history.0.taskId"],
];
for (const [name, events, section] of wrong) test(`${name} is found, at the event that does it`, () => assert.deepEqual(judge(events).at(-1), [section]));

test("every rule that a stream can break leads to its section", () => {
  for (const [name, events] of wrong) {
    const rules = createStreamRules({ isWhole: true });
    for (const [index, event] of events.entries())
      for (const { section } of rules.take({ seq: 1 + index, gen: 0, at: 0, attempt: 1, audience: "public", event })) {
        assert.match(sectionOf(section)?.href ?? "", /specification\.md#[\da]/, `${name}: ${section}`);
      }
  }
  assert.equal(sectionOf("4.1.1")?.href.split("#")[1], "411-task");
  assert.equal(sectionOf("A.2.1")?.href.split("#")[1], "a21-breaking-change-kind-discriminator-removed");
  assert.equal(sectionOf("PROTOCOL.md 2"), undefined);
});

test("what a conversation with interruptions says is right: words in between, results as artifacts", () => {
  const events = [
    task,
    said("TASK_STATE_WORKING", { contextId: "c", taskId: "t" }),
    said("TASK_STATE_INPUT_REQUIRED", {}),
    status("TASK_STATE_WORKING"),
    said("TASK_STATE_AUTH_REQUIRED", {}),
    holding({ url: "https://127.0.0.1/x", mediaType: "image/svg+xml; charset=utf-8" }, ["https://example.org/ext/v1", "urn:x:y"]),
    said("TASK_STATE_COMPLETED", {}),
  ];
  assert.deepEqual(judge(events).flat(), []);
});

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
