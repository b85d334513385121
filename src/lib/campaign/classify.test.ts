import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { StreamResponse, TaskState } from "../model/a2a.ts";
import { IasError, type ErrorCode, type ErrorOptions } from "../model/errors.ts";
import { toMetadata } from "../model/extension.ts";
import { failureOf, failureOfEvent } from "./classify.ts";

const TABLE: readonly (readonly [what: string, code: ErrorCode, options: ErrorOptions, expected: string])[] = [
  ["no connection", "unavailable", { reason: "CONNECT_FAILED" }, "transport"],
  ["a connection lost before the task was named", "unavailable", { reason: "SEND_UNCERTAIN" }, "transport"],
  ["a connection that could not be had again", "unavailable", { reason: "RECONNECTS_EXHAUSTED" }, "transport"],
  ["headers that do not come", "timeout", { reason: "HEADERS_TIMEOUT" }, "transport"],
  ["a task that the subject forgot", "task-not-found", {}, "transport"],
  ["a stall", "timeout", { reason: "INFERENCE_STALLED" }, "stall"],
  ["429", "limit-reached", { details: { httpStatus: "429" } }, "rate-limit"],
  ["429 of the model", "engine-failed", { reason: "MODEL_RATE_LIMIT" }, "rate-limit"],
  ["a circle of agents", "limit-reached", { reason: "HOP_CYCLE" }, "deterministic"],
  ["503", "unavailable", { details: { httpStatus: "503" } }, "server-error"],
  ["500", "remote-failed", { details: { httpStatus: "500" } }, "server-error"],
  ["an internal error by JSON-RPC", "remote-failed", { details: { rpcCode: "-32603" } }, "server-error"],
  ["504", "timeout", { details: { httpStatus: "504" } }, "server-error"],
  ["a model that is down", "engine-failed", { reason: "MODEL_UNAVAILABLE" }, "server-error"],
  ["a model that cannot be reached", "engine-failed", { reason: "MODEL_UNREACHABLE" }, "transport"],
  ["a model's stream that is cut", "engine-failed", { reason: "MODEL_STREAM_CUT", retryable: true }, "transport"],
  ["an error in mid-stream", "engine-failed", { reason: "MODEL_STREAM_ERROR", retryable: true }, "server-error"],
  ["an error in mid-stream that the request is to blame for", "engine-failed", { reason: "MODEL_STREAM_ERROR" }, "deterministic"],
  ["an answer without a finish_reason", "engine-failed", { reason: "MODEL_NO_FINISH", retryable: true }, "server-error"],
  ["an engine's exception", "engine-failed", {}, "agent-failed"],
  ["nonsense of the agent", "invalid-agent-response", {}, "agent-failed"],
  ["no key", "unauthenticated", { details: { httpStatus: "401" } }, "deterministic"],
  ["no such model", "engine-failed", { reason: "MODEL_NOT_FOUND" }, "deterministic"],
  ["no quota", "engine-failed", { reason: "MODEL_QUOTA" }, "deterministic"],
  ["a wrong request", "invalid-params", { details: { httpStatus: "400" } }, "deterministic"],
  ["an answer that is too large", "too-large", {}, "deterministic"],
];

const failed = (state: TaskState, metadata?: ReturnType<typeof toMetadata>): StreamResponse => ({
  statusUpdate: { taskId: "t", contextId: "c", status: { state }, ...(metadata && { metadata }) },
});

describe("the class of a failure", () => {
  for (const [what, code, options, expected] of TABLE) {
    it(`of ${what} is ${expected}, thrown or told by the subject's extension`, () => {
      assert.equal(failureOf(new IasError(code, what, options)).class, expected);
      const { reason, details, retryable = false } = options;
      const data = { kind: "failure" as const, code, retryable, ...(reason && { reason }), ...(details && { details }) };
      const status = failureOfEvent(failed("TASK_STATE_FAILED", toMetadata(data)));
      assert.deepEqual([status?.class, status?.code], [expected, reason ?? code]);
      const kept = { "urn:infinite-agent-streams:ext:stream:1": { failure: data, cursor: "x.1" } };
      const task = failureOfEvent({ task: { id: "t", contextId: "c", status: { state: "TASK_STATE_FAILED" }, metadata: kept } });
      assert.equal(task?.class, expected, "a Task keeps it");
    });
  }

  it("of a task that tells nothing is by its state", () => {
    const classes = (["FAILED", "REJECTED", "CANCELED", "INPUT_REQUIRED", "AUTH_REQUIRED", "WORKING", "COMPLETED", "SUBMITTED"] as const).map(
      (state) => failureOfEvent(failed(`TASK_STATE_${state}`))?.class,
    );
    assert.deepEqual(classes, ["agent-failed", "deterministic", "agent-failed", "deterministic", "deterministic", undefined, undefined, undefined]);
  });

  it("keeps how long to wait, and never more than 2,000 characters of text", () => {
    assert.equal(failureOf(new IasError("limit-reached", "x", { retryAfterMs: 1500 })).retryAfterMs, 1500);
    const told = failureOfEvent(
      failed(
        "TASK_STATE_FAILED",
        toMetadata({ kind: "failure", code: "engine-failed", reason: "MODEL_RATE_LIMIT", retryable: true, details: { retryAfterMs: "2500" } }),
      ),
    );
    assert.equal(told?.retryAfterMs, 2500);
    assert.equal(failureOf(new IasError("internal", "x".repeat(5000))).message.length, 2000);
    assert.equal(failureOf(new IasError("unavailable", "too much", { details: { httpStatus: "503" } })).message, "too much (503)");
  });
});

it("a question of a subject is told as one: it waits for input that nobody gives", () => {
  const message = { messageId: "m", role: "ROLE_AGENT" as const, parts: [{ text: "who?" }] };
  const failure = failureOfEvent({ statusUpdate: { taskId: "t", contextId: "c", status: { state: "TASK_STATE_INPUT_REQUIRED", message } } });
  assert.equal(failure?.message, "The subject asks for input, and nobody is there to give it. It says: who?");
});
