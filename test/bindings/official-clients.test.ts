import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { after, before, describe, it } from "node:test";
import { SendMessageRequest, StreamResponse, Task } from "@a2a-js/sdk";
import { ClientFactory, JsonRpcTransportFactory, RestTransportFactory } from "@a2a-js/sdk/client";
import { GrpcTransportFactory } from "@a2a-js/sdk/client/grpc";
import { LegacyJsonRpcTransport, LegacyRestTransport } from "@a2a-js/sdk/compat/v0_3/client";
import { type LockStep, startLockStep } from "./lock-step.ts";
import type { Wire } from "./wire.ts";

const TOKENS = 40;

/** What all clients of the SDK have. */
interface SdkClient {
  sendMessageStream(params: SendMessageRequest): AsyncGenerator<StreamResponse>;
  getTask(params: { readonly tenant: string; readonly id: string }): Promise<Task>;
}

describe("the official JavaScript SDK in lock step with the model", () => {
  let lockStep: LockStep;
  before(async () => {
    lockStep = await startLockStep(TOKENS);
  });
  after(() => lockStep[Symbol.asyncDispose]());

  const run = async (client: SdkClient): Promise<void> => {
    const request = SendMessageRequest.fromJSON({ message: { messageId: randomUUID(), role: "ROLE_USER", parts: [{ text: "count" }] } });
    const texts: string[] = [];
    let id = "";
    for await (const message of client.sendMessageStream(request)) {
      const event = StreamResponse.toJSON(message) as Wire;
      id ||= event.task?.id ?? "";
      const text: string | undefined = event.artifactUpdate?.artifact.parts[0].text;
      if (text === undefined) continue;
      texts.push(text);
      lockStep.saw(text);
    }
    assert.deepEqual(texts, lockStep.tokens);
    const task = Task.toJSON(await client.getTask({ tenant: "", id })) as Wire;
    assert.equal(task.status.state, "TASK_STATE_COMPLETED");
    assert.equal(task.artifacts[0].parts.map((part: Wire) => part.text).join(""), texts.join(""));
  };

  for (const factory of [new JsonRpcTransportFactory(), new RestTransportFactory(), new GrpcTransportFactory()]) {
    it(`gets every token over ${factory.protocolName}`, async () => {
      await run(await new ClientFactory({ transports: [factory] }).createFromUrl(lockStep.server.url));
    });
  }

  it("gets every token over 0.3 JSON-RPC", () => run(new LegacyJsonRpcTransport({ endpoint: lockStep.url })));
  it("gets every token over 0.3 REST", () => run(new LegacyRestTransport({ endpoint: `${lockStep.url}/rest` })));
});
