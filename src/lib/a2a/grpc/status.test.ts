import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { decodeErrorInfo, decodeStatus, fromGrpcError } from "@a2a-js/sdk/errors/grpc";
import fc from "fast-check";
import { IasError } from "../../model/errors.ts";
import { STATUS_DETAILS, toServiceError } from "./status.ts";

describe("gRPC status", () => {
  it("is read by the official SDK as the same error", () => {
    const error = toServiceError(new IasError("task-not-found", "There is no task x.", { details: { taskId: "x" } }));
    assert.equal(error.code, 5);
    assert.equal(fromGrpcError(error).name, "TaskNotFoundError");
    const status = decodeStatus(error.metadata.get(STATUS_DETAILS)[0] as Buffer);
    assert.deepEqual([status.code, status.message], [5, "There is no task x."]);
    assert.deepEqual(
      status.details.map((detail) => detail.typeUrl),
      ["type.googleapis.com/google.rpc.ErrorInfo"],
    );
    const [detail] = status.details;
    assert.deepEqual(detail && decodeErrorInfo(detail.value), { reason: "TASK_NOT_FOUND", domain: "a2a-protocol.org", metadata: { taskId: "x" } });
  });

  it("carries field violations and the delay of a retry", () => {
    const fields = [{ field: "message.parts", description: "must not be empty" }];
    const error = toServiceError(new IasError("limit-reached", "Later.", { fields, retryAfterMs: 1250 }));
    const status = decodeStatus(error.metadata.get(STATUS_DETAILS)[0] as Buffer);
    const [, badRequest, retry] = status.details;
    assert.equal(badRequest?.typeUrl, "type.googleapis.com/google.rpc.BadRequest");
    assert.ok(badRequest.value.includes("message.parts"));
    // RetryInfo { retry_delay: { seconds: 1, nanos: 250000000 } }
    assert.equal(retry?.value.toString("hex"), "0a0708011080e59a77");
  });

  it("stays within what C-core clients take as metadata, whatever the error holds", () => {
    fc.assert(
      fc.property(
        fc.string({ maxLength: 20_000, unit: "grapheme" }),
        fc.array(fc.record({ field: fc.string({ maxLength: 500 }), description: fc.string({ maxLength: 500 }) }), { maxLength: 20 }),
        (message, fields) => {
          const error = toServiceError(new IasError("invalid-params", message, { fields }));
          const bytes = error.metadata.get(STATUS_DETAILS)[0] as Buffer;
          assert.ok(bytes.length * (4 / 3) + encodeURIComponent(error.details).length < 7500);
          assert.doesNotThrow(() => decodeStatus(bytes));
        },
      ),
      { numRuns: 200 },
    );
  });
});
