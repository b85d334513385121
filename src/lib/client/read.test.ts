import assert from "node:assert/strict";
import test from "node:test";
import fc from "fast-check";
import type { Json } from "../model/a2a.ts";
import { IasError } from "../model/errors.ts";
import { readMessage, readStreamResponse, readTask } from "./read.ts";

const STATUS = { state: "TASK_STATE_WORKING" } as const;

test("the forms of 1.0 pass as they are", () => {
  const events = [
    { task: { id: "t", contextId: "c", status: { ...STATUS, timestamp: "2026-01-02T03:04:05.678Z" }, metadata: { k: 1 } } },
    {
      message: {
        messageId: "m",
        role: "ROLE_AGENT",
        parts: [{ text: "a", mediaType: "text/plain", filename: "f", metadata: { x: 1 } }, { data: null }, { raw: "AA==" }, { url: "https://x" }],
      },
    },
    { statusUpdate: { taskId: "t", contextId: "c", status: { ...STATUS, message: { messageId: "m", role: "ROLE_USER", parts: [{ text: "" }] } } } },
    {
      artifactUpdate: {
        taskId: "t",
        contextId: "c",
        artifact: { artifactId: "a", name: "n", description: "d", parts: [{ data: { data: { x: 1 } } }] },
        append: true,
        lastChunk: true,
      },
    },
  ] as const;
  for (const event of events) assert.deepEqual(readStreamResponse(event as unknown as Json, "1.0"), event);
});

test("0.3's JSON form: kinds, lower-case states, nested files", () => {
  assert.deepEqual(
    readStreamResponse(
      {
        kind: "task",
        id: "t",
        contextId: "c",
        status: { state: "input-required", timestamp: "2026-01-02T03:04:05" },
        artifacts: [{ artifactId: "a", parts: [{ kind: "text", text: "x" }] }],
      },
      "0.3",
    ),
    {
      task: {
        id: "t",
        contextId: "c",
        status: { state: "TASK_STATE_INPUT_REQUIRED", timestamp: "2026-01-02T03:04:05.000Z" },
        artifacts: [{ artifactId: "a", parts: [{ text: "x" }] }],
      },
    },
  );
  assert.deepEqual(
    readStreamResponse(
      {
        kind: "artifact-update",
        taskId: "t",
        contextId: "c",
        append: false,
        artifact: {
          artifactId: "a",
          parts: [
            { kind: "file", file: { bytes: "AA==", mimeType: "image/png", name: "p.png" } },
            { kind: "file", file: { uri: "https://x" } },
            { kind: "data", data: { data: { deep: 1 } } },
          ],
        },
      },
      "0.3",
    ),
    {
      artifactUpdate: {
        taskId: "t",
        contextId: "c",
        artifact: {
          artifactId: "a",
          parts: [{ raw: "AA==", filename: "p.png", mediaType: "image/png" }, { url: "https://x" }, { data: { data: { deep: 1 } } }],
        },
      },
    },
  );
  const update = readStreamResponse({ kind: "status-update", taskId: "t", contextId: "c", final: true, status: { state: "completed" } }, "0.3");
  assert.deepEqual(update, { statusUpdate: { taskId: "t", contextId: "c", status: { state: "TASK_STATE_COMPLETED" } } });
});

test("0.3's protobuf form: content, file_with…, data in data, CANCELLED with two Ls", () => {
  const message = {
    messageId: "m",
    role: "ROLE_AGENT",
    content: [{ text: "a" }, { file: { fileWithUri: "https://x", mimeType: "a/b" } }, { data: { data: { x: 1 } } }],
  };
  assert.deepEqual(readMessage(message, "0.3"), {
    messageId: "m",
    role: "ROLE_AGENT",
    parts: [{ text: "a" }, { url: "https://x", mediaType: "a/b" }, { data: { x: 1 } }],
  });
  const update = { status_update: { task_id: "t", context_id: "c", status: { state: "TASK_STATE_CANCELLED", update: message } } };
  const read = readStreamResponse(update, "0.3");
  assert.ok(read !== undefined && "statusUpdate" in read);
  assert.equal(read.statusUpdate.status.state, "TASK_STATE_CANCELED");
  assert.equal(read.statusUpdate.taskId, "t");
  assert.equal(read.statusUpdate.status.message?.parts.length, 3);
});

test("what servers leave out or misspell is made sense of", () => {
  assert.equal(readTask({ id: "t", status: {} }, "1.0").status.state, "TASK_STATE_WORKING");
  assert.equal(readTask({ id: "t", status: { state: 3 } }, "1.0").status.state, "TASK_STATE_COMPLETED");
  assert.equal(readTask({ task: { id: "t", contextId: "c", status: STATUS } }, "1.0").contextId, "c");
  assert.equal(
    readTask({ id: "t", status: { state: "completed", timestamp: "2026-01-02T05:04:05+02:00" } }, "1.0").status.timestamp,
    "2026-01-02T03:04:05.000Z",
  );
  assert.equal(readTask({ id: "t", status: { state: "completed", timestamp: "yesterday" } }, "1.0").status.timestamp, undefined);
  assert.notEqual(readMessage({ role: "agent", parts: [] }, "0.3").messageId, "");
  assert.equal(readStreamResponse({}, "1.0"), undefined);
});

test("what is not an event is told as the agent's fault, and nothing else is ever thrown", () => {
  for (const value of [null, 1, "x", [], { hello: "world" }])
    assert.throws(
      () => readStreamResponse(value, "1.0"),
      (error) => error instanceof IasError && error.code === "invalid-agent-response",
    );
  const shapes = fc.constantFrom("task", "message", "statusUpdate", "artifactUpdate", "msg", "kind", "status", "artifact", "id", "parts", "role");
  fc.assert(
    fc.property(fc.dictionary(shapes, fc.jsonValue()), fc.constantFrom("1.0" as const, "0.3" as const), (value, version) => {
      try {
        const event = readStreamResponse(value as Json, version);
        assert.ok(event === undefined || Object.keys(event).length === 1);
      } catch (error) {
        assert.ok(error instanceof IasError, String(error));
      }
    }),
    { numRuns: 2000 },
  );
});
