import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test, { type TestContext } from "node:test";
import { runIas, type IasRun, type IasWorld } from "../../../test/support/run-ias.ts";
import { agentOf, rpcClient, serving } from "../../../test/support/serving.ts";
import type { Script } from "../../../test/servers/script.ts";
import { startSdkServer } from "../../../test/servers/sdk-js.ts";
import type { Task } from "../model/a2a.ts";
import type { Server } from "../main/server.ts";
import { makeApiKey } from "../tenancy/api-keys.ts";
import { tailCommand } from "./tail.ts";
import { tasksCommand } from "./tasks.ts";

const ias = (argv: readonly string[], world?: IasWorld): Promise<IasRun> => runIas([tasksCommand, tailCommand], argv, world);

/** Two agents: `echo` says what it hears in two pieces, `asker` asks back. */
async function twoAgents(t: TestContext): Promise<Server> {
  const echo = agentOf(
    async function* () {
      yield { kind: "text", text: "one " };
      yield { kind: "text", text: "two" };
    },
    { id: "echo" },
  );
  const asker = agentOf(
    async function* () {
      yield { kind: "interrupt", reason: "input", message: [{ text: "Why?" }] };
    },
    { id: "asker" },
  );
  return serving(t, [echo, asker]);
}

async function taskOf(server: Server, agent: string, text: string): Promise<Task> {
  return (await rpcClient(`${server.url}/a2a/${agent}`).send(text)).task;
}

test("a token goes to the server that was named, not to the one that its list of agents names", async (t) => {
  const seen: (string | undefined)[] = [];
  const other = createServer((request, response) => {
    seen.push(request.headers.authorization);
    response.writeHead(404).end();
  }).listen(0, "127.0.0.1");
  await once(other, "listening");
  t.after(() => other.close());
  const agent = agentOf(async function* () {});
  const server = await serving(t, [agent], { publicUrl: `http://127.0.0.1:${(other.address() as AddressInfo).port}` });
  const { code } = await ias(["tasks", `http://127.0.0.1:${server.port}`, "--token", "secret"]);
  assert.equal(code, 1);
  assert.deepEqual(
    seen.filter((authorization) => authorization !== undefined),
    [],
  );
});

test("whoever is asked for a key is told how to give it", async (t) => {
  const folder = await mkdtemp(join(tmpdir(), "ias-"));
  t.after(() => rm(folder, { recursive: true }));
  const { key, line } = makeApiKey({ tenant: "acme", user: "ada" });
  await writeFile(join(folder, "keys.jsonl"), line);
  const server = await serving(t, [agentOf(async function* () {})], { auth: { kind: "api-keys", file: join(folder, "keys.jsonl") } });
  assert.match((await ias(["tasks", server.url])).err, /needs credentials.*\n--token or IAS_TOKEN gives a key/);
  assert.equal((await ias(["tasks", server.url, "--token", key])).code, 0);
});

test("ias tasks lists the tasks of all agents, the last changed first, clean of control characters", async (t) => {
  const server = await twoAgents(t);
  assert.deepEqual(await ias(["tasks", server.url]), { code: 0, out: "", err: `No tasks at ${server.url}.\n` });
  const ids: string[] = [];
  for (const [agent, text] of [
    ["echo", "first"],
    ["asker", "second\u001b[2J\nline"],
    ["echo", "third"],
  ] as const)
    ids.unshift((await taskOf(server, agent, text)).id);
  const { code, out, err } = await ias(["tasks", server.url]);
  assert.deepEqual([code, err], [0, ""]);
  assert.deepEqual(
    out
      .trimEnd()
      .split("\n")
      .map((line) => line.split(/ {2,}/).toSpliced(1, 1)),
    [
      [ids[0], "completed", "echo", "third"],
      [ids[1], "input-required", "asker", "second[2J line"],
      [ids[2], "completed", "echo", "first"],
    ],
  );
  const json = (await ias(["tasks", server.url, "--json"])).out
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as Task & { readonly agent: string });
  assert.deepEqual(
    json.map(({ id, agent }) => [id, agent]),
    [
      [ids[0], "echo"],
      [ids[1], "asker"],
      [ids[2], "echo"],
    ],
  );
});

test("ias tasks narrows by agent, state and number, and says how many more there are", async (t) => {
  const server = await twoAgents(t);
  for (const agent of ["echo", "asker", "echo"]) await taskOf(server, agent, agent);
  const rows = async (...argv: readonly string[]): Promise<number> => (await ias(["tasks", ...argv])).out.split("\n").length - 1;
  assert.equal(await rows(`${server.url}/a2a/echo`), 2);
  assert.equal(await rows(server.url, "--state", "input-required"), 1);
  assert.equal(await rows(server.url, "--state", "failed"), 0);
  const { out, err } = await ias(["tasks", server.url, "--limit", "1"]);
  assert.equal(out.split("\n").length - 1, 2);
  assert.equal(err, "… and 1 of echo; --limit shows up to 100 of each agent.\n");
});

test("ias tasks goes on where a server ends its pages early", async (t) => {
  const server = await serving(t, [agentOf(async function* () {})], { limits: { maxInlineBytes: 8192 } });
  for (let n = 0; n < 4; n += 1) await taskOf(server, "agent", "x".repeat(5000));
  const list = async (limit: number): Promise<IasRun> => ias(["tasks", server.url, "--limit", String(limit)]);
  const [all, some] = [await list(20), await list(3)];
  assert.deepEqual([all.out.split("\n").length - 1, all.err], [4, ""]);
  assert.deepEqual([some.out.split("\n").length - 1, some.err], [3, "… and 1 of agent; --limit shows up to 100 of each agent.\n"]);
});

test("ias tail finds the agent of a task, and gives its stream from the start or after a cursor", async (t) => {
  const server = await twoAgents(t);
  const { id } = await taskOf(server, "echo", "hi");
  assert.deepEqual(await ias(["tail", id, server.url]), { code: 0, out: "one two\n", err: "" });
  const lines = (await ias(["tail", id, server.url, "--json"])).out.trimEnd().split("\n");
  const items = lines.map((line) => JSON.parse(line) as { readonly event: object; readonly cursor: string });
  const texts = items.filter(({ event }) => "artifactUpdate" in event);
  assert.deepEqual(
    texts.map(({ event }) => /"text":"(.*?)"/.exec(JSON.stringify(event))?.[1]),
    ["one ", "two"],
    "each entry, not the folded task",
  );
  assert.deepEqual(await ias(["tail", id, server.url, "--after", texts[0]?.cursor ?? ""]), { code: 0, out: "two\n", err: "" });
  const none = await ias(["tail", "nonesuch", server.url]);
  assert.equal(none.code, 1);
  assert.match(none.err, /no agent at .* has a task nonesuch for you/);
});

test("ias tail follows a waiting task until Ctrl-C", async (t) => {
  const server = await twoAgents(t);
  const { id } = await taskOf(server, "asker", "hi");
  let press: (() => void) | undefined;
  const { code, out } = await ias(["tail", id, `${server.url}/a2a/asker`], {
    onInterrupt: (handler) => {
      press = () => handler("SIGINT");
      return () => undefined;
    },
    wrote: (text) => text.includes("Why?") && press?.(),
  });
  assert.deepEqual([code, out], [130, "Why?\n"]);
});

test("a foreign agent's ended task, which nobody can subscribe to, is told as it is", async (t) => {
  const agent = await startSdkServer();
  t.after(() => agent[Symbol.asyncDispose]());
  const { task } = await rpcClient(`${agent.url}/rpc`).send(JSON.stringify({ do: "chunks", chunks: ["a ", "b"] } satisfies Script));
  const { code, out } = await ias(["tail", task.id, agent.url]);
  assert.deepEqual([code, out], [0, "a b\n"]);
  assert.match((await ias(["tasks", agent.url])).out, new RegExp(`^${task.id} .* completed +sdk `));
});
