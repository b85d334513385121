import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Message as SdkMessage, SendMessageRequest } from "@a2a-js/sdk";
import { LegacyJsonRpcTransportHandler } from "@a2a-js/sdk/compat/v0_3/server";
import fc from "fast-check";
import type { JsonObject, Message, Part } from "../../model/a2a.ts";
import { messages } from "../../../../test/support/a2a-arbitraries.ts";
import { restoreNulls } from "../grpc/nulls.ts";
import { fromV03PushId, fromV03PushSet, fromV03Send, fromV03Task } from "./from-v03.ts";
import { fromProtoPush, fromProtoSend, toProtoMessage } from "./proto.ts";
import { toV03Message } from "./to-v03.ts";

/** What the official SDK's 0.3 server hands to its request handler for `params`. */
async function theirs(params: JsonObject): Promise<unknown> {
  let seen: unknown;
  const handler: ConstructorParameters<typeof LegacyJsonRpcTransportHandler>[0] = Object.create(null);
  handler.sendMessage = async (request) => {
    seen = SendMessageRequest.toJSON(request);
    throw new Error("seen");
  };
  const context: Parameters<LegacyJsonRpcTransportHandler["handle"]>[1] = Object.create(null);
  await new LegacyJsonRpcTransportHandler(handler).handle({ jsonrpc: "2.0", id: 1, method: "message/send", params }, context);
  return seen;
}

describe("0.3 parameters as those of 1.0", () => {
  it("equal what the official SDK makes of them", async () => {
    await fc.assert(
      fc.asyncProperty(messages, fc.boolean(), fc.nat(), async (message, blocking, historyLength) => {
        const configuration = {
          blocking,
          historyLength,
          acceptedOutputModes: ["text/plain"],
          pushNotificationConfig: { id: "p", url: "https://x.test", token: "t", authentication: { schemes: ["Bearer"], credentials: "c" } },
        };
        const params = { message: toV03Message(message), configuration, metadata: { k: 1 } };
        const ours = fromV03Send(params);
        const request = SendMessageRequest.fromJSON(ours);
        restoreNulls(ours, request);
        assert.deepEqual(SendMessageRequest.toJSON(request), await theirs(params));
      }),
      { numRuns: 100 },
    );
  });

  it("of REST come back as they were, in camelCase and in snake_case", () => {
    fc.assert(
      fc.property(messages, (message) => {
        const { referenceTaskIds: _, ...rest } = message;
        const known: Message = { ...rest, parts: rest.parts.map(withoutLost) };
        const sent = toProtoMessage(known);
        const back = fromProtoSend({ message: sent })["message"];
        const wrapped = known.parts.map((part) => (isObject(part.data) || !("data" in part) ? part : { ...part, data: { value: part.data } }));
        const normal = (value: unknown): unknown => SdkMessage.toJSON(SdkMessage.fromJSON(JSON.parse(JSON.stringify(value))));
        assert.deepEqual(normal(back), normal({ ...known, parts: wrapped }));
        const { messageId, contextId, taskId, ...others } = sent;
        const snake = JSON.parse(JSON.stringify({ message_id: messageId, context_id: contextId, task_id: taskId, ...others })) as JsonObject;
        assert.deepEqual(fromProtoSend({ message: snake })["message"], back);
      }),
      { numRuns: 100 },
    );
  });

  it("wait unless told otherwise", () => {
    const message = { messageId: "m", role: "user", parts: [{ kind: "text", text: "x" }] };
    assert.equal(fromV03Send({ message })["configuration"], undefined);
    assert.deepEqual(fromV03Send({ message, configuration: {} })["configuration"], { returnImmediately: false });
    assert.deepEqual(fromV03Send({ message, configuration: { blocking: false } })["configuration"], { returnImmediately: true });
    const proto = { messageId: "m", role: "ROLE_USER", content: [{ text: "x" }] };
    assert.deepEqual(fromProtoSend({ message: proto, configuration: { blocking: true, history_length: 0 } })["configuration"], { returnImmediately: false });
  });

  it("may leave out kind and hold null", () => {
    const sent = fromV03Send({
      message: { messageId: "m", role: "user", contextId: null, parts: [{ text: "x" }, { data: { a: 1 } }, { type: "text", text: "y" }] },
    });
    assert.deepEqual(sent["message"], { messageId: "m", role: "ROLE_USER", parts: [{ text: "x" }, { data: { a: 1 } }, { text: "y" }] });
    assert.deepEqual(fromProtoSend({ message: { kind: "message", messageId: "m", role: "user", parts: [{ kind: "text", text: "x" }] } })["message"], {
      messageId: "m",
      role: "ROLE_USER",
      parts: [{ text: "x" }],
    });
  });

  it("that are wrong are refused in 0.3's words", () => {
    const cases: readonly [run: () => unknown, pattern: RegExp][] = [
      [() => fromV03Send({ message: { parts: "invalid" } }), /message\.messageId/],
      [() => fromV03Send({ "": "not_a_dict" }), /message is required/],
      [() => fromV03Send(undefined), /message is required/],
      [() => fromV03Send({ message: { messageId: "m", role: "ROLE_USER", parts: [{ text: "x" }] } }), /role must be user or agent/],
      [() => fromV03Send({ message: { messageId: "m", role: "user", parts: [{ kind: "video" }] } }), /parts\.0.* must be text, file or data/],
      [() => fromV03Send({ message: { messageId: "m", role: "user", parts: [{ type: "video", text: "x" }] } }), /parts\.0.* must be text, file or data/],
      [() => fromV03Send({ message: { messageId: "m", role: "user", parts: [{ kind: "file", file: {} }] } }), /either bytes or uri/],
      [() => fromV03Task({}), /id is required/],
      [() => fromV03PushSet({ taskId: "t" }), /pushNotificationConfig is required/],
      [() => fromV03PushId({ id: 1 }), /id must be of type string/],
      [() => fromProtoSend({ message: {} }), /message\.content must hold/],
      [() => fromProtoSend([]), /body must be an object/],
      [() => fromProtoSend(undefined), /body is required/],
      [() => fromProtoSend({ message: { content: [{ nothing: 1 }] } }), /content\.0 must have one of/],
    ];
    for (const [run, pattern] of cases)
      assert.throws(
        run,
        (error) => error instanceof Error && "code" in error && error.code === "invalid-params" && pattern.test(error.message),
        String(pattern),
      );
  });

  it("find a webhook in each wrapping that clients send", () => {
    const inner = { id: "p", url: "https://x.test", authentication: { schemes: ["Bearer"], credentials: "c" } };
    const expected = { taskId: "t", id: "p", url: "https://x.test", authentication: { scheme: "Bearer", credentials: "c" } };
    assert.deepEqual(fromProtoPush(inner, "t"), expected);
    assert.deepEqual(fromProtoPush({ name: "tasks/t/pushNotificationConfigs/p", push_notification_config: inner }, "t"), expected);
    assert.deepEqual(fromProtoPush({ parent: "tasks/t", configId: "p", config: { pushNotificationConfig: inner } }, "t"), expected);
  });
});

/** The proto of 0.3 has a name and a media type for files only. */
function withoutLost(part: Part): Part {
  const { filename: _, mediaType: __, ...rest } = part;
  return part.raw === undefined && part.url === undefined ? rest : part;
}

function isObject(value: unknown): boolean {
  return value !== null && typeof value === "object" && !Array.isArray(value);
}
