import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { CancelTaskRequest, GetTaskRequest, SendMessageRequest } from "@a2a-js/sdk";
import { A2AService } from "@a2a-js/sdk/server/grpc";
import fc from "fast-check";
import { DEFAULT_LIMITS } from "../../model/limits.ts";
import { CODECS } from "./codec.ts";
import { countFields } from "./count-fields.ts";

const send = (request: object): Buffer => A2AService.sendMessage.requestSerialize(SendMessageRequest.fromJSON(request));

function valuesIn(json: unknown): number {
  if (json === null || typeof json !== "object") return 1;
  return Object.values(json).reduce<number>((sum, value) => sum + valuesIn(value), 1);
}

describe("the fields of a gRPC request", () => {
  it("are at least as many as the values of its JSON, wherever they stand", () => {
    fc.assert(
      fc.property(fc.jsonValue(), (data) => {
        for (const request of [
          { metadata: { data } },
          { message: { metadata: { data } } },
          { message: { parts: [{ data }] } },
          { message: { parts: [{ text: "x", metadata: { data } }] } },
        ]) {
          const count = countFields(send(request), "SendMessage", Number.POSITIVE_INFINITY);
          assert.ok(count >= valuesIn(data) && count <= 8 + 4 * valuesIn(data), `${count} of ${JSON.stringify(data)}`);
        }
      }),
    );
    const canceled = A2AService.cancelTask.requestSerialize(CancelTaskRequest.fromJSON({ id: "t", metadata: { a: [1, 2, 3] } }));
    assert.ok(countFields(canceled, "CancelTask", 100) >= 5);
    assert.equal(countFields(A2AService.getTask.requestSerialize(GetTaskRequest.fromJSON({ id: "t" })), "GetTask", 100), 1);
  });

  it("do not grow with the length of texts and files, and end where the bytes are no message", () => {
    const parts = [{ text: "x".repeat(100_000) }, { raw: Buffer.alloc(100_000, 0x0a).toString("base64") }];
    assert.ok(countFields(send({ message: { parts } }), "SendMessage", 100) < 10);
    fc.assert(fc.property(fc.uint8Array(), (bytes) => countFields(bytes, "SendMessage", 50) <= 51));
  });

  it("are refused when they are too many, before they are decoded", () => {
    const bytes = send({ metadata: { list: Array.from({ length: 2000 }, () => ({})) } });
    const limits = { ...DEFAULT_LIMITS, maxJsonValues: 500 };
    assert.throws(() => CODECS.sendMessage.decode(bytes, limits), { code: "too-large", reason: "TOO_MANY_VALUES" });
    assert.ok(CODECS.sendMessage.decode(bytes, DEFAULT_LIMITS));
  });
});
