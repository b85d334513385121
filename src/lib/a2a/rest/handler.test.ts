import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { defineAgent } from "../../engine/define-agent.ts";
import { scripted } from "../../engine/scripted.ts";
import { EXTENSION_URI } from "../../model/entry.ts";
import { IasError } from "../../model/errors.ts";
import { DEFAULT_LIMITS } from "../../model/limits.ts";
import type { BindingRequest, Reply } from "../binding.ts";
import type { Call, FrameStream, Operations } from "../operations.ts";
import { handleRest } from "./handler.ts";

const agent = defineAgent({ id: "a", engine: scripted([]) });

interface Asked {
  readonly name: string;
  readonly call: Call;
  readonly params: unknown;
}

/** What the binding asked of the operations, and its reply. */
async function handle(method: string, target: string, options: { readonly headers?: Readonly<Record<string, string>>; readonly body?: string } = {}) {
  const asked: Asked[] = [];
  const operations = new Proxy(Object.create(null) as Operations, {
    get: (_, name: string) => async (call: Call, params: unknown) => {
      asked.push({ name, call, params });
      if (name === "getTask") throw new IasError("task-not-found", "There is no task.", { details: { taskId: "t" } });
      if (name === "deleteTaskPushNotificationConfig") return undefined;
      if (name !== "subscribeToTask") return { ok: true };
      return {
        key: { tenant: "", user: "u", agent: "a", task: "t" },
        opening: "fresh",
        audience: "public",
        frames: (async function* () {})(),
      } satisfies FrameStream;
    },
  });
  const headers: Readonly<Record<string, string>> = { "a2a-version": "1.0", ...options.headers };
  const [path = "", query = ""] = target.split("?");
  const request: BindingRequest = {
    method,
    path,
    query: new URLSearchParams(query),
    header: (name) => headers[name],
    body: Buffer.from(options.body ?? ""),
    principal: { tenant: "", user: "u" },
    agent,
    signal: new AbortController().signal,
  };
  const legacy: Reply = { kind: "whole", status: 200, headers: {}, body: "0.3" };
  const reply = await handleRest(operations, request, { limits: { ...DEFAULT_LIMITS, maxJsonDepth: 8 }, v0_3: async () => legacy });
  return { reply, asked };
}

/** Status, media type and reason of a refusal. */
async function refusal(...request: Parameters<typeof handle>): Promise<unknown> {
  const { reply } = await handle(...request);
  assert.ok(reply.kind === "whole");
  const { error } = JSON.parse(reply.body) as { error: { code: number; status: string; details: { reason?: string }[] } };
  assert.equal(error.code, reply.status);
  assert.equal(reply.headers["content-type"], "application/a2a+json");
  return [error.code, error.status, error.details[0]?.reason];
}

describe("HTTP+JSON binding", () => {
  it("hands parameters of path, query and body to the operation, and its result back", async () => {
    const { reply, asked } = await handle("POST", "/acme/message:send", {
      headers: { "content-type": "application/json; charset=utf-8" },
      body: '{"message":{"unknown":1}}',
    });
    assert.deepEqual(reply, { kind: "whole", status: 200, headers: { "content-type": "application/a2a+json" }, body: '{"ok":true}' });
    assert.deepEqual(
      asked.map(({ name, params, call }) => [name, params, call.principal]),
      [["sendMessage", { message: { unknown: 1 }, tenant: "acme" }, { tenant: "acme", user: "u" }]],
    );
    const list = await handle("GET", "/tasks?pageSize=2");
    assert.deepEqual(list.asked[0]?.params, { pageSize: 2 });
  });

  it("takes no body for cancelling, subscribing and deleting", async () => {
    for (const [method, path, name] of [
      ["POST", "/tasks/t:cancel", "cancelTask"],
      ["POST", "/tasks/t:subscribe", "subscribeToTask"],
      ["DELETE", "/tasks/t/pushNotificationConfigs/p", "deleteTaskPushNotificationConfig"],
    ] as const) {
      const { asked } = await handle(method, path, { headers: { "content-type": "application/json" } });
      assert.equal(asked[0]?.name, name);
    }
    const { reply } = await handle("DELETE", "/tasks/t/pushNotificationConfigs/p");
    assert.ok(reply.kind === "whole" && reply.status === 200 && reply.body === "{}");
  });

  it("streams bare events, and says in the middle what broke", async () => {
    const { reply } = await handle("GET", "/tasks/t:subscribe", { headers: { "a2a-extensions": EXTENSION_URI } });
    assert.ok(reply.kind === "stream");
    assert.deepEqual([reply.framing.prefix, reply.framing.suffix, reply.framing.headers], ["", "", { "a2a-extensions": EXTENSION_URI }]);
    const { error } = JSON.parse(reply.framing.error(new Error("secret"))) as { error: object };
    assert.deepEqual(error, { code: 500, status: "INTERNAL", message: "Internal error.", details: [] });
  });

  it("refuses with google.rpc.Status", async () => {
    const json = { "content-type": "application/json" };
    assert.deepEqual(await refusal("GET", "/tasks/t"), [404, "NOT_FOUND", "TASK_NOT_FOUND"]);
    assert.deepEqual(await refusal("GET", "/nothing"), [404, "NOT_FOUND", undefined]);
    assert.deepEqual(await refusal("PUT", "/tasks"), [405, "UNIMPLEMENTED", undefined]);
    assert.deepEqual(await refusal("POST", "/message:send", { headers: { "content-type": "text/plain" }, body: "{}" }), [
      400,
      "INVALID_ARGUMENT",
      "CONTENT_TYPE_NOT_SUPPORTED",
    ]);
    assert.deepEqual(await refusal("POST", "/message:send", { body: "{}" }), [400, "INVALID_ARGUMENT", "CONTENT_TYPE_NOT_SUPPORTED"]);
    assert.deepEqual(await refusal("POST", "/message:send", { headers: json, body: "{" }), [400, "INVALID_ARGUMENT", undefined]);
    assert.deepEqual(await refusal("POST", "/message:send", { headers: json, body: "[]" }), [400, "INVALID_ARGUMENT", undefined]);
    assert.deepEqual(await refusal("POST", "/message:send", { headers: json, body: "[[[[[[[[[]]]]]]]]]" }), [400, "INVALID_ARGUMENT", "TOO_DEEP"]);
    assert.deepEqual(await refusal("GET", "/tasks", { headers: { "a2a-version": "99.0" } }), [400, "FAILED_PRECONDITION", "VERSION_NOT_SUPPORTED"]);
  });

  it("leaves paths under /v1/ to 0.3, and names the header that the others need", async () => {
    const none = { "a2a-version": "" };
    const { reply } = await handle("GET", "/v1/tasks/t", { headers: none });
    assert.ok(reply.kind === "whole" && reply.body === "0.3");
    assert.deepEqual(await refusal("GET", "/tasks/t", { headers: none }), [400, "FAILED_PRECONDITION", "VERSION_NOT_SUPPORTED"]);
    assert.deepEqual(await refusal("GET", "/v1/tasks"), [404, "NOT_FOUND", undefined]);
  });
});
