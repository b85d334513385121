import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { StreamResponse as SdkStreamResponse } from "@a2a-js/sdk";
import { legacyPushNotificationToV1StreamResponse } from "@a2a-js/sdk/compat/v0_3";
import { V03PushNotificationSerializer } from "@a2a-js/sdk/compat/v0_3/server";
import fc from "fast-check";
import type { StreamResponse } from "../../model/a2a.ts";
import { streamResponses } from "../../../../test/support/a2a-arbitraries.ts";
import { restoreNulls } from "../grpc/nulls.ts";
import { toProtoEvent } from "./proto.ts";
import { toV03Event, toV03PushConfig } from "./to-v03.ts";

const sdk = new V03PushNotificationSerializer();

describe("A2A 1.0 events as 0.3", () => {
  it("equal what the official SDK makes of them", () => {
    fc.assert(
      fc.property(streamResponses, (event) => {
        const theirs: unknown = JSON.parse(sdk.serialize(toSdk(event)).body);
        assert.deepEqual(toV03Event(event), theirs);
      }),
      { numRuns: 100 },
    );
  });

  it("come back through the official SDK as they were", () => {
    fc.assert(
      fc.property(streamResponses, (event) => {
        const back = legacyPushNotificationToV1StreamResponse(toV03Event(event));
        assert.deepEqual(SdkStreamResponse.toJSON(back), SdkStreamResponse.toJSON(toSdk(withoutLost(event))));
      }),
      { numRuns: 100 },
    );
  });

  it("are final with the task, or where a send stream ends", () => {
    const event = (state: "TASK_STATE_FAILED" | "TASK_STATE_INPUT_REQUIRED"): StreamResponse => ({
      statusUpdate: { taskId: "t", contextId: "c", status: { state } },
    });
    assert.equal(toV03Event(event("TASK_STATE_FAILED"))["final"], true);
    assert.equal(toV03Event(event("TASK_STATE_INPUT_REQUIRED"))["final"], false);
    assert.equal(toV03Event(event("TASK_STATE_INPUT_REQUIRED"), { last: true })["final"], true);
    assert.deepEqual(toProtoEvent(event("TASK_STATE_INPUT_REQUIRED"), { last: true }), {
      statusUpdate: { taskId: "t", contextId: "c", status: { state: "TASK_STATE_INPUT_REQUIRED" }, final: true },
    });
  });

  it("name a webhook's one scheme as a list", () => {
    assert.deepEqual(toV03PushConfig({ id: "p", taskId: "t", url: "https://x.test", authentication: { scheme: "Bearer", credentials: "c" } }), {
      taskId: "t",
      pushNotificationConfig: { id: "p", url: "https://x.test", authentication: { schemes: ["Bearer"], credentials: "c" } },
    });
  });
});

function toSdk(event: StreamResponse): SdkStreamResponse {
  const message = SdkStreamResponse.fromJSON(event);
  restoreNulls(event, message);
  return message;
}

/** What 0.3 has no word for: the media type of text, file names and media types of data. */
function withoutLost(event: StreamResponse): StreamResponse {
  return JSON.parse(JSON.stringify(event), (key, value: unknown) => {
    if (key !== "parts" || !Array.isArray(value)) return value;
    return value.map((part: { text?: string; data?: unknown; mediaType?: string; filename?: string }) => {
      if (part.text === undefined && part.data === undefined) return part;
      const { mediaType: _, filename: __, ...rest } = part;
      return rest;
    });
  }) as StreamResponse;
}
