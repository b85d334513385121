import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { matchRest, withBody } from "./route.ts";

function match(method: string, target: string) {
  const [path = "", query = ""] = target.split("?");
  const found = matchRest(method, path, new URLSearchParams(query));
  return found.kind === "operation" ? { operation: found.operation, params: found.params } : { status: found.status, allow: found.headers["allow"] };
}

describe("HTTP+JSON routes", () => {
  it("finds all operations, with and without a tenant", () => {
    const table = [
      ["POST", "/message:send", "sendMessage", {}],
      ["POST", "/message:stream", "sendStreamingMessage", {}],
      ["GET", "/tasks/t-1", "getTask", { id: "t-1" }],
      ["GET", "/tasks", "listTasks", {}],
      ["POST", "/tasks/t-1:cancel", "cancelTask", { id: "t-1" }],
      ["GET", "/tasks/t-1:subscribe", "subscribeToTask", { id: "t-1" }],
      ["POST", "/tasks/t-1:subscribe", "subscribeToTask", { id: "t-1" }],
      ["POST", "/tasks/t-1/pushNotificationConfigs", "createTaskPushNotificationConfig", { taskId: "t-1" }],
      ["GET", "/tasks/t-1/pushNotificationConfigs", "listTaskPushNotificationConfigs", { taskId: "t-1" }],
      ["GET", "/tasks/t-1/pushNotificationConfigs/c", "getTaskPushNotificationConfig", { taskId: "t-1", id: "c" }],
      ["DELETE", "/tasks/t-1/pushNotificationConfigs/c", "deleteTaskPushNotificationConfig", { taskId: "t-1", id: "c" }],
      ["GET", "/extendedAgentCard", "getExtendedAgentCard", {}],
    ] as const;
    for (const [method, path, operation, params] of table) {
      assert.deepEqual(match(method, path), { operation, params });
      assert.deepEqual(match(method, `${path}/`), { operation, params });
      assert.deepEqual(match(method, `/acme%20corp${path}`), { operation, params: { ...params, tenant: "acme corp" } });
    }
  });

  it("gives 404 for unknown paths and 405 with the methods that a known one takes", () => {
    assert.deepEqual(match("GET", "/nothing"), { status: 404, allow: undefined });
    assert.deepEqual(match("GET", "/"), { status: 404, allow: undefined });
    assert.deepEqual(match("GET", "/tasks/t/other"), { status: 404, allow: undefined });
    assert.deepEqual(match("GET", "/a/tasks/t/pushNotificationConfigs/c/d"), { status: 404, allow: undefined });
    assert.deepEqual(match("GET", "/constructor"), { status: 404, allow: undefined });
    assert.deepEqual(match("PUT", "/tasks/t"), { status: 405, allow: "GET" });
    assert.deepEqual(match("GET", "/message:send"), { status: 405, allow: "POST" });
    assert.deepEqual(match("DELETE", "/tasks/t:subscribe"), { status: 405, allow: "GET, POST" });
    assert.deepEqual(match("GET", "/tasks/%E0%A4%A"), { status: 400, allow: undefined });
    for (const method of ["POST", "PUT", "DELETE"])
      for (const path of ["/tasks/t:frob", "/a/tasks/t:frob"]) assert.deepEqual(match(method, path), { status: 404, allow: undefined }, `${method} ${path}`);
    assert.deepEqual(match("GET", "/tasks/t:frob"), { operation: "getTask", params: { id: "t:frob" } });
    assert.deepEqual(match("POST", "/tasks/t%3Afrob"), { status: 405, allow: "GET" });
  });

  it("reads any id back from its encoded path, with colons and slashes", () => {
    fc.assert(
      fc.property(fc.string({ minLength: 1, unit: "grapheme" }), (id) => {
        const path = `/tasks/${encodeURIComponent(id)}`;
        assert.deepEqual(match("GET", path), { operation: "getTask", params: { id } });
        assert.deepEqual(match("POST", `${path}:cancel`), { operation: "cancelTask", params: { id } });
        assert.deepEqual(match("GET", `${path}/pushNotificationConfigs/${encodeURIComponent(id)}`), {
          operation: "getTaskPushNotificationConfig",
          params: { taskId: id, id },
        });
      }),
    );
  });

  it("types the query leniently and leaves the rest to the operation", () => {
    assert.deepEqual(
      match("GET", "/tasks?contextId=c&page_size=2&includeArtifacts=true&status=input-required&statusTimestampAfter=2026-01-01T00:00:00+02:00&x=1").params,
      {
        contextId: "c",
        pageSize: 2,
        includeArtifacts: true,
        status: "TASK_STATE_INPUT_REQUIRED",
        statusTimestampAfter: "2026-01-01T00:00:00+02:00",
      },
    );
    assert.deepEqual(match("GET", "/tasks?pageSize=many&includeArtifacts=maybe&pageToken=").params, { pageSize: "many", includeArtifacts: "maybe" });
    assert.deepEqual(match("GET", "/tasks/t?historyLength=0&id=other").params, { historyLength: 0, id: "t" });
  });

  it("joins a body with the path, and refuses one that says something else", () => {
    const create = matchRest("POST", "/a/tasks/t/pushNotificationConfigs", new URLSearchParams());
    assert.ok(create.kind === "operation");
    const whole = { id: "c", url: "https://x.test", taskId: "t", tenant: "a" };
    for (const same of [{}, { task_id: "t", tenant: "a" }, { taskId: "", tenant: "" }, { taskId: null }])
      assert.deepEqual(withBody(create, { id: "c", url: "https://x.test", ...same }), whole, JSON.stringify(same));
    assert.throws(() => withBody(create, { taskId: "other" }), { code: "invalid-params", message: 'taskId is "other" in the body, but "t" in the path.' });
    assert.throws(() => withBody(create, { task_id: "other" }), { code: "invalid-params", message: /^taskId is/ });
    assert.throws(() => withBody(create, { tenant: "b" }), { code: "invalid-params", message: 'tenant is "b" in the body, but "a" in the path.' });
    assert.deepEqual(withBody(create, undefined), { taskId: "t", tenant: "a" });
    assert.throws(() => withBody(create, []), { code: "invalid-params" });
    const cancel = matchRest("POST", "/tasks/t:cancel", new URLSearchParams("tenant=a"));
    assert.ok(cancel.kind === "operation");
    assert.throws(() => withBody(cancel, { id: "other" }), { code: "invalid-params", message: 'id is "other" in the body, but "t" in the path.' });
    assert.deepEqual(withBody(cancel, { tenant: "b" }), { id: "t", tenant: "a" });
  });
});
