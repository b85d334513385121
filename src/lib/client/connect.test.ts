import assert from "node:assert/strict";
import test from "node:test";
import { startCuttingProxy } from "../../../test/support/cutting-proxy.ts";
import { numberedChunks, type Script } from "../../../test/servers/script.ts";
import { startSdkServer } from "../../../test/servers/sdk-js.ts";
import type { Message } from "../model/a2a.ts";
import { IasError } from "../model/errors.ts";
import type { A2AClient, StreamItem } from "./client.ts";
import { connectA2A, type ConnectOptions } from "./connect.ts";
import { createRandom } from "../model/random.ts";

const LOCAL: ConnectOptions = { allowLocal: true, backoff: { baseMs: 5, maxMs: 50 }, poll: { baseMs: 20, maxMs: 100 } };
const COMBINATIONS = [
  { version: "1.0", binding: "JSONRPC" },
  { version: "1.0", binding: "HTTP+JSON" },
  { version: "1.0", binding: "GRPC" },
  { version: "0.3", binding: "JSONRPC" },
  { version: "0.3", binding: "HTTP+JSON" },
] as const;

function say(script: Script, more: Partial<Message> = {}): { readonly message: Message } {
  return { message: { messageId: crypto.randomUUID(), role: "ROLE_USER", parts: [{ text: JSON.stringify(script) }], ...more } };
}

async function collect(items: AsyncIterable<StreamItem>): Promise<StreamItem[]> {
  const all: StreamItem[] = [];
  for await (const item of items) all.push(item);
  return all;
}

/** Text entries of artifacts in order, as a reader who knows nothing of repairs would write them down. */
function texts(items: readonly StreamItem[]): string[] {
  return items.flatMap(({ event }) => ("artifactUpdate" in event ? event.artifactUpdate.artifact.parts.map((part) => part.text ?? "") : []));
}

/** The text of the artifact after all events are applied. */
function fold(items: readonly StreamItem[]): string {
  let text = "";
  for (const { event } of items) {
    if ("task" in event) text = (event.task.artifacts ?? []).flatMap((artifact) => artifact.parts.map((part) => part.text ?? "")).join("");
    if (!("artifactUpdate" in event)) continue;
    const piece = event.artifactUpdate.artifact.parts.map((part) => part.text ?? "").join("");
    text = event.artifactUpdate.append === true ? text + piece : piece;
  }
  return text;
}

function states(items: readonly StreamItem[]): string[] {
  return items.flatMap(({ event }) => ("statusUpdate" in event ? [event.statusUpdate.status.state] : "task" in event ? [event.task.status.state] : []));
}

async function refusal(work: Promise<unknown>): Promise<IasError> {
  return work.then(
    () => assert.fail("it was not refused"),
    (error: unknown) => (error instanceof IasError ? error : assert.fail(String(error))),
  );
}

for (const { version, binding } of COMBINATIONS) {
  const name = `${binding} ${version}`;

  test(`${name}: a stream gives each chunk as the agent sent it, in order, to the end`, async () => {
    await using server = await startSdkServer({ version });
    await using client = await connectA2A(server.url, { ...LOCAL, bindings: [binding] });
    assert.deepEqual({ binding: client.remote.binding, version: client.remote.version }, { binding, version });
    const chunks = numberedChunks(40);
    const items = await collect(client.stream(say({ do: "chunks", chunks })));
    assert.deepEqual(texts(items), chunks);
    assert.equal(states(items).at(-1), "TASK_STATE_COMPLETED");
    assert.ok(items.every((item) => item.resync === undefined));
  });

  test(`${name}: the agent makes chunk n+1 only after the client has seen chunk n`, async () => {
    let seen = -1;
    const waiting = new Map<number, () => void>();
    const gate = (index: number): Promise<void> => (index - 1 <= seen ? Promise.resolve() : new Promise((resolve) => waiting.set(index, resolve)));
    await using server = await startSdkServer({ version, gate });
    await using client = await connectA2A(server.url, { ...LOCAL, bindings: [binding] });
    const chunks = numberedChunks(25);
    const got: string[] = [];
    for await (const item of client.stream(say({ do: "chunks", chunks }))) {
      for (const text of texts([item])) {
        got.push(text);
        seen += 1;
        waiting.get(seen + 1)?.();
      }
    }
    assert.deepEqual(got, chunks);
  });

  test(`${name}: send, get, list, cancel, webhooks and errors`, async () => {
    await using server = await startSdkServer({ version });
    await using client = await connectA2A(server.url, { ...LOCAL, bindings: [binding] });
    await everyOperation(client, version);
  });

  test(`${name}: a task that asks goes on with the next message`, async () => {
    await using server = await startSdkServer({ version });
    await using client = await connectA2A(server.url, { ...LOCAL, bindings: [binding] });
    const asked = await collect(client.stream(say({ do: "ask", chunks: ["a"] })));
    const last = asked.at(-1)?.event;
    assert.ok(last !== undefined && "statusUpdate" in last);
    assert.equal(last.statusUpdate.status.state, "TASK_STATE_INPUT_REQUIRED");
    assert.equal(last.statusUpdate.status.message?.parts[0]?.text, "Which one?");
    const { taskId, contextId } = last.statusUpdate;
    const answered = await collect(client.stream(say({ do: "chunks", chunks: ["b"] }, { taskId, contextId })));
    assert.equal(states(answered).at(-1), "TASK_STATE_COMPLETED");
    assert.ok(answered.every(({ event }) => !("statusUpdate" in event) || event.statusUpdate.taskId === taskId));
  });

  test(`${name}: cut at random bytes, the text is whole in the end`, { timeout: 120_000 }, async () => {
    const seed = Math.floor(Math.random() * 2 ** 32);
    const random = createRandom(seed);
    await using proxy = await startCuttingProxy((connection) => (connection > 12 ? undefined : 3000 + Math.floor(random() * 4000)));
    await using server = await startSdkServer({ version, cardPort: proxy.port, cardGrpcPort: proxy.port });
    proxy.target = binding === "GRPC" ? server.grpcPort : server.port;
    await using client = await connectA2A(server.url, { ...LOCAL, bindings: [binding], maxReconnects: 30 });
    const chunks = numberedChunks(150);
    const items = await collect(client.stream(say({ do: "chunks", chunks, everyMs: 2 })));
    assert.ok(proxy.cuts > 0, `seed ${seed}: nothing was cut`);
    assert.equal(fold(items), chunks.join(""), `seed ${seed}`);
    assert.equal(states(items).at(-1), "TASK_STATE_COMPLETED");
  });

  test(`${name}: an agent that cannot stream is polled`, async () => {
    await using server = await startSdkServer({ version, streaming: false });
    await using client = await connectA2A(server.url, { ...LOCAL, bindings: [binding] });
    const chunks = numberedChunks(20);
    const items = await collect(client.stream(say({ do: "chunks", chunks, everyMs: 5 })));
    assert.equal(fold(items), chunks.join(""));
    assert.equal(states(items).at(-1), "TASK_STATE_COMPLETED");
  });

  test(`${name}: an abort ends a stream with \`aborted\``, async () => {
    await using server = await startSdkServer({ version });
    await using client = await connectA2A(server.url, { ...LOCAL, bindings: [binding] });
    const controller = new AbortController();
    const work = (async () => {
      for await (const _ of client.stream(say({ do: "wait", chunks: ["a"] }), { signal: controller.signal })) controller.abort();
    })();
    assert.equal((await refusal(work)).code, "aborted");
  });
}

async function everyOperation(client: A2AClient, version: "1.0" | "0.3"): Promise<void> {
  const reply = await client.send(say({ do: "reply", text: "hi" }));
  assert.ok("message" in reply);
  assert.equal(reply.message.parts[0]?.text, "hi");
  const done = await client.send(say({ do: "chunks", chunks: ["x", "y"] }));
  assert.ok("task" in done);
  assert.equal(done.task.status.state, "TASK_STATE_COMPLETED");
  const got = await client.getTask(done.task.id);
  assert.equal(got.id, done.task.id);
  assert.equal(got.artifacts?.[0]?.artifactId, "a1");
  assert.match(got.status.timestamp ?? "", /^\d{4}-\d\d-\d\dT[\d:.]+Z$/);
  if (version === "1.0") {
    const page = await client.listTasks({ contextId: done.task.contextId });
    assert.deepEqual(
      page.tasks.map((task) => task.id),
      [done.task.id],
    );
    assert.equal(page.nextPageToken, "");
  } else assert.equal((await refusal(client.listTasks())).code, "unsupported-operation");
  assert.equal((await refusal(client.getTask("no-such-task"))).code, "task-not-found");
  assert.equal((await refusal(client.cancelTask(done.task.id))).code, "task-not-cancelable");
  const followed = await collect(client.subscribe(done.task.id));
  assert.equal(states(followed).at(-1), "TASK_STATE_COMPLETED", "a finished task is looked at, not an error");
  assert.equal(fold(followed), "xy");

  const running = await client.send({ ...say({ do: "wait" }), configuration: { returnImmediately: true } });
  assert.ok("task" in running);
  const config = await client.createPushConfig({
    taskId: running.task.id,
    id: "c1",
    url: "https://example.com/hook",
    token: "t",
    authentication: { scheme: "Bearer", credentials: "s" },
  });
  assert.deepEqual({ id: config.id, url: config.url, taskId: config.taskId }, { id: "c1", url: "https://example.com/hook", taskId: running.task.id });
  assert.equal((await client.getPushConfig(running.task.id, "c1")).url, "https://example.com/hook");
  assert.deepEqual(
    (await client.listPushConfigs(running.task.id)).map((entry) => entry.id),
    ["c1"],
  );
  await client.deletePushConfig(running.task.id, "c1");
  assert.deepEqual(await client.listPushConfigs(running.task.id), []);
  const canceled = await client.cancelTask(running.task.id);
  assert.equal(canceled.status.state, "TASK_STATE_CANCELED");
}
