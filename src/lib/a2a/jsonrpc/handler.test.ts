import assert from "node:assert/strict";
import test from "node:test";
import { agentOf, rpcClient, serving } from "../../../../test/support/serving.ts";

test("a method that is not there is answered with those of the version that was asked", async (t) => {
  const server = await serving(t, [agentOf(async function* () {})]);
  const { call } = rpcClient(`${server.url}/a2a/agent`);
  const said = async (method: string, version: string): Promise<string | undefined> => (await call(method, {}, { "a2a-version": version })).error?.message;
  assert.match(
    (await said("tasks/pushNotification/set", "")) ?? "",
    /^There is no method "tasks\/pushNotification\/set"\. A2A 0\.3 has message\/send, .*tasks\/get/,
  );
  assert.match((await said("tasks/get", "1.0")) ?? "", /^There is no method "tasks\/get"\. A2A 1\.0 has SendMessage, .*GetTask/);
  assert.match((await said("GetTask", "")) ?? "", /send the header "A2A-Version: 1\.0"/);
});

test("a batch is refused as such", async (t) => {
  const server = await serving(t, [agentOf(async function* () {})]);
  const body = JSON.stringify([{ jsonrpc: "2.0", id: 1, method: "GetTask", params: { id: "x" } }]);
  const response = await fetch(`${server.url}/a2a/agent`, { method: "POST", headers: { "content-type": "application/json", "a2a-version": "1.0" }, body });
  const { id, error } = (await response.json()) as { readonly id: null; readonly error: { readonly code: number; readonly message: string } };
  assert.deepEqual([id, error.code, error.message], [null, -32600, "Batches are not taken: send each request by itself."]);
});
