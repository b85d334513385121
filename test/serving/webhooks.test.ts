import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { StreamResponse, Task } from "../../src/lib/model/a2a.ts";
import { receiver } from "../../src/lib/testing/webhook-receiver.ts";
import { messageOf } from "../support/messages.ts";
import { agentOf, rpcClient, serving, statesOf, textsOf } from "../support/serving.ts";

const talker = agentOf(async function* () {
  for (let n = 0; n < 50; n += 1) yield { kind: "text", text: `t${n} ` };
});

describe("webhooks", () => {
  it("hear a task that was sent with one from its beginning to its end", async (t) => {
    await using hook = await receiver();
    const server = await serving(t, [talker], { allowLocalTargets: true });
    const client = rpcClient(`${server.url}/a2a/agent`);
    const { task } = await client.send("go", {}, { taskPushNotificationConfig: { url: hook.url, token: "tok" } });
    assert.equal(task.status.state, "TASK_STATE_COMPLETED");
    const { configs } = await client.must<{ configs: { id: string; url: string; token: string }[] }>("ListTaskPushNotificationConfigs", { taskId: task.id });
    assert.deepEqual(
      configs.map(({ url, token }) => [url, token]),
      [[hook.url, "tok"]],
    );
    for (let count = 1; ; count += 1) {
      await hook.received(count);
      if (hook.requests[count - 1]?.body.includes("TASK_STATE_COMPLETED") === true) break;
    }
    const received = hook.requests.map(({ body }) => ({ cursor: undefined, event: JSON.parse(body) as StreamResponse }));
    assert.deepEqual(statesOf(received), ["SUBMITTED", "WORKING", "COMPLETED"]);
    assert.equal(textsOf(received).join(""), Array.from({ length: 50 }, (_, n) => `t${n} `).join(""));
    assert.ok(hook.requests.every(({ headers }) => headers["x-a2a-notification-token"] === "tok"));
  });

  it("are listed by page; a token that the server did not give for this task, or a size below none, is refused", async (t) => {
    await using hook = await receiver();
    const server = await serving(t, [talker], { allowLocalTargets: true });
    const client = rpcClient(`${server.url}/a2a/agent`);
    const [task, other] = [(await client.send("go")).task, (await client.send("go")).task];
    for (const { id: taskId } of [task, other])
      for (const id of ["a", "b", "c"]) await client.must("CreateTaskPushNotificationConfig", { taskId, id, url: hook.url });
    interface Page {
      readonly configs: readonly { readonly id: string }[];
      readonly nextPageToken: string;
    }
    const page = (params: object): Promise<Page> => client.must<Page>("ListTaskPushNotificationConfigs", { taskId: task.id, ...params });
    const ids = ({ configs }: Page): string => configs.map(({ id }) => id).join("");
    const first = await page({ pageSize: 2 });
    const rest = await page({ pageSize: 2, pageToken: first.nextPageToken });
    assert.deepEqual([ids(first), ids(rest), rest.nextPageToken], ["ab", "c", ""]);
    // A size of the proto that is 0 was not given.
    assert.equal(ids(await page({ pageSize: 0, pageToken: "" })), "abc");
    const foreign = await page({ taskId: other.id, pageSize: 1 });
    for (const wrong of [{ pageToken: "junk" }, { pageToken: "b" }, { pageToken: foreign.nextPageToken }, { pageSize: -1 }]) {
      const { error } = await client.call("ListTaskPushNotificationConfigs", { taskId: task.id, ...wrong });
      assert.deepEqual([error?.code, error?.message.includes(Object.keys(wrong)[0] ?? "")], [-32602, true], JSON.stringify(wrong));
    }
  });

  it("of callers of 0.3 hear the whole task, in its form", async (t) => {
    await using hook = await receiver();
    const server = await serving(t, [talker], { allowLocalTargets: true });
    const response = await fetch(`${server.url}/a2a/agent`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({
        jsonrpc: "2.0",
        id: 1,
        method: "message/send",
        params: {
          message: { kind: "message", messageId: "m1", role: "user", parts: [{ kind: "text", text: "go" }] },
          configuration: {
            blocking: true,
            pushNotificationConfig: { url: hook.url, token: "tok", authentication: { schemes: ["Bearer"], credentials: "cred" } },
          },
        },
      }),
    });
    const { result } = (await response.json()) as { result: { id: string; status: { state: string } } };
    assert.equal(result.status.state, "completed");
    for (let count = 1; hook.requests.at(-1)?.body.includes('"state":"completed"') !== true; count += 1) await hook.received(count);
    const last = hook.requests.at(-1);
    const task = JSON.parse(last?.body ?? "{}") as { kind: string; id: string; artifacts: { parts: { kind: string; text: string }[] }[] };
    assert.deepEqual([task.kind, task.id, task.artifacts[0]?.parts[0]?.kind], ["task", result.id, "text"]);
    assert.deepEqual([last?.headers["authorization"], last?.headers["x-a2a-notification-token"]], ["Bearer cred", "tok"]);
  });

  it("that may not be reached are refused before there is a task", async (t) => {
    const server = await serving(t, [talker], { allowLocalTargets: false });
    const client = rpcClient(`${server.url}/a2a/agent`);
    for (const url of ["http://127.0.0.1:9/hook", "http://169.254.169.254/latest/meta-data", "http://[::1]/", "file:///etc/passwd", "http://2130706433/"]) {
      const { error } = await client.call("SendMessage", { message: messageOf("go"), configuration: { taskPushNotificationConfig: { url } } });
      assert.ok(error?.code === -32091 || error?.code === -32602, `${url}: ${JSON.stringify(error)}`);
    }
    assert.equal((await client.must<{ totalSize: number }>("ListTasks", {})).totalSize, 0);
  });

  it("of an agent without push notifications are refused, before the task is looked for", async (t) => {
    const server = await serving(t, [agentOf(async function* () {}, { pushNotifications: false })]);
    const { error } = await rpcClient(`${server.url}/a2a/agent`).call<Task>("CreateTaskPushNotificationConfig", { taskId: "t", url: "https://example.com" });
    assert.equal(error?.code, -32003);
  });
});
