import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { IasError } from "../model/errors.ts";
import { listTasksSchema, parseParams, sendSchema } from "./parse.ts";

const message = { messageId: "m", role: "ROLE_USER", parts: [{ text: "hi" }] };

function fieldsOf(run: () => unknown): string[] {
  try {
    run();
  } catch (error) {
    assert.ok(error instanceof IasError && error.code === "invalid-params");
    return error.fields.map(({ field }) => field);
  }
  return assert.fail("it was taken");
}

describe("parseParams", () => {
  it("reads ProtoJSON in both spellings, ignores what it does not know, and takes null as absent", () => {
    const camel = parseParams(sendSchema, { message, configuration: { historyLength: 2, returnImmediately: true } });
    const snake = parseParams(sendSchema, {
      message: { message_id: "m", role: "ROLE_USER", parts: [{ text: "hi", media_type: null }], context_id: null, unknown: 1 },
      configuration: { history_length: "2", return_immediately: "true" },
      other: {},
    });
    assert.deepEqual(snake, camel);
  });

  it("leaves metadata and data as they are", () => {
    const metadata = { snake_case: { inner_key: null }, camelCase: 1 };
    const parsed = parseParams(sendSchema, { message: { ...message, parts: [{ data: metadata }], metadata } });
    assert.deepEqual(parsed.message.metadata, metadata);
    assert.deepEqual(parsed.message.parts[0]?.data, metadata);
  });

  it("names every field at fault", () => {
    assert.deepEqual(
      fieldsOf(() => parseParams(sendSchema, {})),
      ["message"],
    );
    assert.deepEqual(
      fieldsOf(() => parseParams(sendSchema, { message: { parts: [] } })),
      ["message.messageId", "message.role", "message.parts"],
    );
    assert.deepEqual(
      fieldsOf(() => parseParams(sendSchema, { message: { ...message, parts: [{}, { text: "a", url: "b" }, 3] } })),
      ["message.parts.0", "message.parts.1", "message.parts.2"],
    );
    assert.deepEqual(
      fieldsOf(() => parseParams(listTasksSchema, { pageSize: 101, status: "DONE", statusTimestampAfter: "yesterday", historyLength: -1 })),
      ["status", "pageSize", "historyLength", "statusTimestampAfter"],
    );
  });

  it("looks at a list only up to the twentieth fault: a body of faults costs no more than a right one", () => {
    let reads = 0;
    const fault = {
      get unknown(): undefined {
        reads += 1;
        return undefined;
      },
    };
    const parts = Array.from({ length: 1000 }, () => fault);
    const fields = fieldsOf(() => parseParams(sendSchema, { message: { ...message, parts } }));
    assert.deepEqual([fields.length, fields[0], fields.at(-1)], [20, "message.parts.0", "message.parts.19"]);
    assert.ok(reads <= 1000 + 20 * 2, `${reads} reads`);
  });

  it("refuses what JSON could not give back: lone surrogates, and numbers beyond a double", () => {
    const huge = JSON.parse('{ "a": [1, { "b": 1e400 }] }') as unknown;
    for (const [more, field] of [
      [{ metadata: huge }, "message.metadata.a.1.b"],
      [{ parts: [{ data: huge }] }, "message.parts.0.data.a.1.b"],
      [{ parts: [{ text: "\ud800" }] }, "message.parts.0.text"],
    ] as const)
      assert.deepEqual(
        fieldsOf(() => parseParams(sendSchema, { message: { ...message, ...more } })),
        [field],
      );
    for (const metadata of [[], "x", 1])
      assert.deepEqual(
        fieldsOf(() => parseParams(sendSchema, { message: { ...message, metadata } })),
        ["message.metadata"],
      );
  });

  it("says what is right in words", () => {
    for (const [params, message] of [
      [{ pageSize: "abc" }, "pageSize must be a whole number"],
      [{ pageSize: "1.5" }, "pageSize must be a whole number"],
      [{ pageSize: 1.5 }, "pageSize must be a whole number"],
      [{ pageSize: {} }, "pageSize must be a whole number"],
      [{ pageSize: 0 }, "pageSize must be 1 to 100"],
      [{ historyLength: 2147483648 }, "historyLength must be a whole number of 32 bits"],
      [{ historyLength: -1 }, "historyLength must be 0 or more"],
      [{ includeArtifacts: "maybe" }, "includeArtifacts must be true or false"],
      [{ status: "DONE" }, /^status must be one of TASK_STATE_SUBMITTED, /],
    ] as const)
      assert.throws(() => parseParams(listTasksSchema, params), { code: "invalid-params", message });
  });

  it("refuses text that is not Unicode, wherever it stands", () => {
    for (const [params, field] of [
      [{ message: { ...message, messageId: "\ud800" } }, "message.messageId"],
      [{ message: { ...message, parts: [{ text: "a\udc00b" }] } }, "message.parts.0.text"],
      [{ message: { ...message, metadata: { "\ud800": 1 } } }, "message.metadata"],
      [{ message: { ...message, referenceTaskIds: ["x", "\ud800"] } }, "message.referenceTaskIds.1"],
    ] as const) {
      assert.deepEqual(
        fieldsOf(() => parseParams(sendSchema, params)),
        [field],
      );
    }
    parseParams(sendSchema, { message: { ...message, parts: [{ text: "𝄞" }] } });
  });

  it("is not fooled by prototypes", () => {
    const parsed = parseParams(sendSchema, JSON.parse('{"message":{"messageId":"m","role":"ROLE_USER","parts":[{"text":"hi"}],"__proto__":{"taskId":"x"}}}'));
    assert.equal(parsed.message.taskId, undefined);
    assert.equal(Object.getPrototypeOf(parsed.message), Object.prototype);
  });
});
