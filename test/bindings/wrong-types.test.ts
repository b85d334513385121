import assert from "node:assert/strict";
import { test } from "node:test";
import type { IasError } from "../../src/lib/model/errors.ts";
import { startTestServer } from "./server.ts";
import type { Wire } from "./wire.ts";

const part = { text: "x", metadata: { a: 1 }, filename: "f", mediaType: "text/plain" };
const message = {
  messageId: "m",
  contextId: "c",
  role: "ROLE_USER",
  parts: [part, { data: {} }, { raw: "AA==" }],
  metadata: {},
  extensions: ["e"],
  referenceTaskIds: ["t"],
};
const authentication = { scheme: "Bearer", credentials: "c" };
const push = { id: "p", url: "https://hook.invalid/", token: "t", authentication };
const configuration = { acceptedOutputModes: ["text/plain"], historyLength: 1, returnImmediately: true };
const legacy = { kind: "message", messageId: "m", role: "user", parts: [{ kind: "text", text: "x" }], metadata: {} };

/** The webhooks' host does not resolve: nothing leaves this machine. A full request of each kind: every field of each is replaced by every wrong value. */
const REQUESTS: readonly (readonly [version: string, method: string, params: Wire])[] = [
  ["1.0", "SendMessage", { tenant: "a", message, configuration, metadata: {} }],
  ["1.0", "SendMessage", { message: { messageId: "m", role: "ROLE_USER", parts: [part] }, configuration: { taskPushNotificationConfig: push } }],
  ["1.0", "GetTask", { tenant: "a", id: "t", historyLength: 1 }],
  [
    "1.0",
    "ListTasks",
    {
      contextId: "c",
      status: "TASK_STATE_WORKING",
      pageSize: 1,
      pageToken: "t",
      historyLength: 1,
      statusTimestampAfter: "2026-01-01T00:00:00Z",
      includeArtifacts: true,
    },
  ],
  ["1.0", "CancelTask", { id: "t", metadata: {} }],
  ["1.0", "SubscribeToTask", { id: "t" }],
  ["1.0", "CreateTaskPushNotificationConfig", { ...push, taskId: "t" }],
  ["1.0", "ListTaskPushNotificationConfigs", { taskId: "t", pageSize: 1, pageToken: "p" }],
  ["0.3", "message/send", { message: legacy, configuration: { blocking: false, historyLength: 1, acceptedOutputModes: ["x"] }, metadata: {} }],
  ["0.3", "tasks/get", { id: "t", historyLength: 1, metadata: {} }],
  ["0.3", "tasks/pushNotificationConfig/set", { taskId: "t", pushNotificationConfig: { id: "p", url: "https://hook.invalid/", token: "t" } }],
];
const VALUES: readonly unknown[] = [null, true, -1, 2 ** 53, 1.5, "", "\u0000", "x".repeat(10_000), [], [null], {}, { a: [] }, [[[]]]];

/** Every place in a value: the path to each member and element. */
function places(value: Wire, path: readonly (string | number)[] = []): readonly (readonly (string | number)[])[] {
  if (value === null || typeof value !== "object") return [path];
  return [path, ...Object.keys(value).flatMap((key) => places(value[key], [...path, key]))];
}

function replaced(value: Wire, [key, ...rest]: readonly (string | number)[], by: unknown): Wire {
  if (key === undefined) return by;
  const copy: Wire = Array.isArray(value) ? [...value] : { ...value };
  copy[key] = replaced(copy[key], rest, by);
  return copy;
}

test("a wrong value in any field of any request is told as the caller's fault, or taken leniently", { timeout: 300_000 }, async () => {
  const reported: IasError[] = [];
  await using server = await startTestServer({ report: (error) => reported.push(error) });
  let count = 0;
  for (const [version, method, params] of REQUESTS) {
    for (const place of places(params)) {
      await Promise.all(
        VALUES.map(async (value) => {
          count += 1;
          const what = `${method} ${place.join(".")} = ${JSON.stringify(value).slice(0, 60)}`;
          const response = await fetch(`${server.url}/a2a/main`, {
            method: "POST",
            headers: { "content-type": "application/json", "a2a-version": version },
            body: JSON.stringify({ jsonrpc: "2.0", id: "n", method, params: replaced(params, place, value) }),
            signal: AbortSignal.timeout(60_000),
          });
          assert.ok(response.status < 500, what);
          const { jsonrpc, id, result, error } = (await response.json()) as Wire;
          assert.deepEqual([jsonrpc, id], ["2.0", "n"], what);
          assert.ok(
            result !== undefined || (Number.isInteger(error.code) && error.code < 0 && error.code !== -32603 && error.message !== ""),
            `${what}: ${JSON.stringify(error)}`,
          );
        }),
      );
    }
  }
  assert.ok(count > 800, `${count} requests`);
  assert.deepEqual(
    reported.filter(({ code }) => code === "internal").map(({ stack }) => stack),
    [],
  );
});
