import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test, { type TestContext } from "node:test";
import { SendMessageRequest, StreamResponse } from "@a2a-js/sdk";
import { LegacyJsonRpcTransport } from "@a2a-js/sdk/compat/v0_3/client";
import { type FaultyModel, promptFor, startFaultyModel, until } from "../support/faulty-model.ts";
import { startIas } from "../support/ias-process.ts";
import { messageOf } from "../support/messages.ts";
import { jsonRpcClient } from "../bindings/clients.ts";
import { textsOf } from "../support/cursor-reader.ts";
import type { Wire } from "../bindings/wire.ts";

// `ias purple` as AgentBeats starts it: a program with --host --port --card-url, in front of a model server.

function folder(t: TestContext): string {
  const path = mkdtempSync(join(tmpdir(), "ias-purple-"));
  t.after(() => rmSync(path, { recursive: true, force: true, maxRetries: 3 }));
  return path;
}

async function startPurple(
  t: TestContext,
  cwd: string,
  model: { readonly url: string },
  args: readonly string[] = [],
  env: Readonly<Record<string, string>> = {},
) {
  const flags = ["--model", "faulty", "--base-url", model.url, "--host", "127.0.0.1", "--port", "0", "--json"];
  const child = startIas(t, ["purple", ...flags, ...args], { cwd, env });
  const [line] = await child.until(/^\{.*\}$/m);
  return {
    child,
    ready: JSON.parse(line) as { readonly url: string; readonly port: number; readonly agent: string; readonly model: string; readonly durability: string },
  };
}

/** The texts of one message's stream, over A2A 1.0. */
async function talk(agent: string, message: object): Promise<{ readonly texts: readonly string[]; readonly last: Wire; readonly first: Wire }> {
  await using client = jsonRpcClient(agent);
  const events: Wire[] = [];
  for await (const { event } of client.stream("SendStreamingMessage", { message })) events.push(event);
  return { texts: events.flatMap(textsOf).filter((text) => text !== ""), first: events[0], last: events.at(-1) };
}

function sentTo({ requests }: FaultyModel, n: number): readonly { readonly role: string; readonly content: string }[] {
  return (requests[n]?.body["messages"] ?? []) as readonly { readonly role: string; readonly content: string }[];
}

test("a subject serves one event a chunk over A2A 1.0 and 0.3, with its card where AgentBeats looks for it", async (t) => {
  await using model = await startFaultyModel();
  const { child, ready } = await startPurple(t, folder(t), model, ["--system", "Be brief.", "--body", '{"temperature": 0}']);
  assert.deepEqual([ready.model, ready.durability, ready.agent], ["faulty", "none", `${ready.url}/a2a/subject`]);
  const card = (await (await fetch(`${ready.url}/.well-known/agent-card.json`)).json()) as Wire;
  assert.deepEqual([card.name, card.url, card.capabilities.streaming], ["faulty", ready.agent, true]);

  const { texts, last } = await talk(ready.agent, messageOf(promptFor({ tokens: 30 })));
  assert.deepEqual([texts, last.statusUpdate.status.state], [model.requests[0]?.reply?.texts, "TASK_STATE_COMPLETED"]);
  assert.deepEqual([sentTo(model, 0)[0]?.content, model.requests[0]?.body["temperature"]], ["Be brief.", 0]);

  const old = new LegacyJsonRpcTransport({ endpoint: ready.agent });
  const request = SendMessageRequest.fromJSON({ message: messageOf(promptFor({ tokens: 30, id: "0.3" })), configuration: { returnImmediately: false } });
  const events: Wire[] = [];
  for await (const event of old.sendMessageStream(request)) events.push(StreamResponse.toJSON(event));
  assert.deepEqual(
    events.flatMap(textsOf).filter((text) => text !== ""),
    model.requests[1]?.reply?.texts,
  );
  child.child.kill("SIGTERM");
  assert.equal(await child.ended, 0);
});

test("the card gives the address of --card-url, and the subject is reached by it", async (t) => {
  await using model = await startFaultyModel();
  const { ready } = await startPurple(t, folder(t), model, ["--card-url", "http://agents.test:9019/", "--name", "Purple"]);
  assert.equal(ready.url, "http://agents.test:9019");
  const card = (await (await fetch(`http://127.0.0.1:${ready.port}/.well-known/agent-card.json`)).json()) as Wire;
  assert.deepEqual([card.name, card.url], ["Purple", "http://agents.test:9019/a2a/subject"]);
});

test("messages without a contextId are conversations of their own; with one the model reads what was said", async (t) => {
  await using model = await startFaultyModel();
  const { ready } = await startPurple(t, folder(t), model, ["--system", "Be brief."]);
  const { first } = await talk(ready.agent, messageOf(promptFor({ say: "one" })));
  await talk(ready.agent, messageOf(promptFor({ say: "two" })));
  await talk(ready.agent, messageOf(promptFor({ say: "three" }), { contextId: first.task.contextId }));
  assert.deepEqual(
    [0, 1, 2].map((n) => sentTo(model, n).map(({ role }) => role)),
    [
      ["system", "user"],
      ["system", "user"],
      ["system", "user", "assistant", "user"],
    ],
  );
  assert.equal(sentTo(model, 2)[2]?.content, "one");
});

test("what the model server did wrong is the task's failure, with its reason", async (t) => {
  await using model = await startFaultyModel();
  const { ready } = await startPurple(t, folder(t), model);
  const { texts, last } = await talk(ready.agent, messageOf(promptFor({ fault: "no-finish", tokens: 3 })));
  assert.equal(texts.length, 3);
  assert.equal(last.statusUpdate.status.state, "TASK_STATE_FAILED");
  assert.match(JSON.stringify(last), /MODEL_NO_FINISH/);
});

test("canceling the task ends the request in the model server", async (t) => {
  await using model = await startFaultyModel();
  const { ready } = await startPurple(t, folder(t), model);
  await using client = jsonRpcClient(ready.agent);
  for await (const { event } of client.stream("SendStreamingMessage", { message: messageOf(promptFor({ fault: "stall", after: 2, tokens: 9 })) })) {
    if (model.requests[0]?.reply?.chunks !== 2 || event.artifactUpdate === undefined) continue;
    await client.call("CancelTask", { id: event.artifactUpdate.taskId });
  }
  await until("the end of the request", () => model.requests[0]?.aborted === true);
  assert.equal(model.counters.running, 0);
});

test("with a data folder a killed subject goes on with its turn at the next start; without one each start is fresh", async (t) => {
  await using model = await startFaultyModel();
  const cwd = folder(t);
  const prompt = promptFor({ fault: "stall", after: 3, tokens: 6, times: 1 });
  const first = await startPurple(t, cwd, model, ["--data", "kept"]);
  assert.equal(first.ready.durability, "process");
  await using before = jsonRpcClient(first.ready.agent);
  const sent = await before.call("SendMessage", { message: messageOf(prompt), configuration: { returnImmediately: true } });
  await until("three chunks", () => model.requests[0]?.reply?.chunks === 3);
  first.child.child.kill("SIGKILL");
  await first.child.ended;
  const second = await startPurple(t, cwd, model, ["--data", "kept"]);
  await using after = jsonRpcClient(second.ready.agent);
  await until("the second attempt", () => model.requests[1]?.ended === true);
  let task: Wire;
  do task = await after.call("GetTask", { id: sent.task.id });
  while (task.status.state === "TASK_STATE_WORKING");
  assert.equal(task.status.state, "TASK_STATE_COMPLETED");
  assert.equal(task.artifacts[0].parts.map(({ text }: Wire) => text).join(""), model.requests[1]?.reply?.texts.join(""));

  const fresh = await startPurple(t, cwd, model);
  await using other = jsonRpcClient(fresh.ready.agent);
  await assert.rejects(other.call("GetTask", { id: sent.task.id }), { code: -32001 });
});

test("a key of the shell is sent only where the shell's variables lead; --api-key-env names another", async (t) => {
  await using model = await startFaultyModel();
  const cwd = folder(t);
  writeFileSync(join(cwd, "system.txt"), "From a file.");
  const keys = { OPENAI_API_KEY: "of-openai", VLLM_KEY: "of-vllm" };
  const plain = await startPurple(t, cwd, model, ["--system", "@system.txt"], keys);
  const named = await startPurple(t, cwd, model, ["--api-key-env", "VLLM_KEY"], keys);
  const variables = { ...keys, MODEL: "faulty", OPENAI_BASE_URL: model.url, PORT: "0" };
  const led = startIas(t, ["purple", "--json"], { cwd, env: variables });
  const [line] = await led.until(/^\{.*\}$/m);
  for (const agent of [plain.ready.agent, named.ready.agent, (JSON.parse(line) as { readonly agent: string }).agent])
    await talk(agent, messageOf(promptFor({ say: "ok" })));
  assert.deepEqual(
    model.requests.map(({ headers }) => headers["authorization"]),
    [undefined, "Bearer of-vllm", "Bearer of-openai"],
  );
  assert.equal(sentTo(model, 0)[0]?.content, "From a file.");
});

test("what is missing or wrong is said, with the right exit code", async (t) => {
  const cwd = folder(t);
  const good = ["--model", "m", "--base-url", "http://127.0.0.1:9/v1", "--port", "0"];
  const cases: readonly (readonly [readonly string[], number, RegExp])[] = [
    [["--base-url", "http://127.0.0.1:9"], 2, /Give --model <name>/],
    [["--model", "m"], 2, /Give --base-url <url>/],
    [[...good, "more"], 2, /"more" is too many/],
    [[...good, "--body", "[1]"], 2, /--body is not a JSON object/],
    [[...good, "--max-retries", "few"], 2, /--max-retries "few" is not a whole number/],
    [[...good, "--api-key-env", "NO_SUCH"], 1, /NO_SUCH, and that variable is not set/],
    [[...good, "--system", "@none.txt"], 1, /"@none.txt" cannot be read/],
    [[...good, "--base-url", "ftp://x"], 1, /begins with ftp:/],
    [[...good, "--host", "0.0.0.0"], 1, /ALLOW_ANONYMOUS/],
  ];
  await Promise.all(
    cases.map(async ([args, code, message]) => {
      const child = startIas(t, ["purple", ...args], { cwd });
      assert.deepEqual([await child.ended, message.test(child.err)], [code, true], `${args.join(" ")}: ${child.err}`);
    }),
  );
});

test("a model server that is not there, or lacks the model, is said at the start, and does not hold it up", async (t) => {
  await using model = await startFaultyModel({ model: "other" });
  const cwd = folder(t);
  const lacking = startIas(t, ["purple", "--model", "faulty", "--base-url", model.url, "--port", "0"], { cwd });
  await lacking.until(/does not list the model faulty; it has other\./);
  const gone = startIas(t, ["purple", "--model", "m", "--base-url", "http://127.0.0.1:9/v1", "--port", "0"], { cwd });
  await Promise.all([gone.until(/does not answer yet/), gone.until(/m is ready: http/)]);
});
