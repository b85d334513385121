import assert from "node:assert/strict";
import { setTimeout as delay } from "node:timers/promises";
import test, { type TestContext } from "node:test";
import { startCuttingProxy } from "../../../test/support/cutting-proxy.ts";
import { collect, serving } from "../../../test/support/serving.ts";
import type { Client } from "./client.ts";
import { ClientError } from "./client-error.ts";
import { createClient } from "./create-client.ts";
import type { Source } from "./source.ts";
import { shareAmongTabs } from "./tabs.ts";
import { countingAgent } from "../../../test/support/counting-agent.ts";

/** Clients that are as many tabs, over a proxy that counts connections, and one that is none of them. */
async function setUp(t: TestContext, count: number) {
  const { agent, goOn } = countingAgent();
  const server = await serving(t, [agent]);
  let connections = 0;
  const proxy = await startCuttingProxy(() => void (connections += 1));
  proxy.target = server.port;
  t.after(() => proxy[Symbol.asyncDispose]());
  const tabs = Array.from({ length: count }, () =>
    createClient({ baseUrl: `http://127.0.0.1:${proxy.port}`, transport: "websocket", shared: true, backoff: { baseMs: 5, maxMs: 20 } }),
  );
  const direct = createClient({ baseUrl: server.url });
  t.after(() => {
    for (const client of [...tabs, direct]) client.close();
  });
  const sent = async (text: string): Promise<string> => {
    const reply = await direct.send("agent", text);
    return "task" in reply ? reply.task : assert.fail("no task");
  };
  return { tabs, direct, sent, connections: () => connections, goOn };
}

const internal = { audience: "internal" } as const;

function isWhole(entries: readonly { readonly seq: number }[], least: number): boolean {
  return entries.length > least && entries.every(({ seq }, index) => seq === index + 1);
}

test("tabs share one connection, and each gets its streams whole", async (t) => {
  const { tabs, sent, connections } = await setUp(t, 4);
  const tasks = await Promise.all(Array.from({ length: 12 }, () => sent("100")));
  const all = await Promise.all(tasks.map((task, n) => collect((tabs[n % 4] as Client).stream(task, internal))));
  for (const entries of all) assert.ok(isWhole(entries, 100));
  assert.equal(connections(), 1);
});

test("when the tab that has the connection is closed another takes over, and nothing is missed or comes twice", async (t) => {
  const { tabs, sent, connections, goOn } = await setUp(t, 3);
  const task = await sent("50 50");
  const got: { readonly seq: number }[][] = [[], [], []];
  const fifty = Promise.withResolvers<void>();
  const reading = tabs.map(async (client, n) => {
    for await (const entry of client.stream(task, internal)) {
      got[n]?.push(entry);
      if (got.every(({ length }) => length >= 53)) fifty.resolve();
    }
  });
  await fifty.promise;
  assert.equal(connections(), 1);
  // The first to ask is the first to lead.
  tabs[0]?.close();
  await assert.rejects(reading[0] ?? Promise.resolve(), (error) => error instanceof ClientError && error.code === "aborted");
  goOn();
  await Promise.all(reading.slice(1));
  for (const entries of got.slice(1)) assert.ok(isWhole(entries, 100));
  assert.equal(connections(), 2);
});

test("errors cross from tab to tab", async (t) => {
  const { tabs, sent } = await setUp(t, 2);
  await collect((tabs[0] as Client).stream(await sent("1")));
  await assert.rejects(
    collect((tabs[1] as Client).stream("none")),
    (error) => error instanceof ClientError && error.code === "task-not-found" && !error.retryable,
  );
});

test("a reader that does not read holds a few pieces and no more", async (t) => {
  let given = 0;
  const source: Source = async function* () {
    for (; given < 1000; given += 1) yield { kind: "entries", cursor: String(given), entries: [] };
  };
  const options = { name: `test ${Math.random()}`, locks: navigator.locks, drop: () => undefined };
  const [first, second] = [shareAmongTabs(source, options), shareAmongTabs(source, options)];
  t.after(() => [first, second].forEach((tabs) => tabs.close()));
  const signal = new AbortController().signal;
  await first.source({ kind: "task", task: "t" }, signal).next();
  given = 0;
  const stream = second.source({ kind: "task", task: "t" }, signal);
  await stream.next();
  await delay(50);
  assert.ok(given < 40, `${given} ahead`);
  let count = 1;
  for (let next = await stream.next(); next.done !== true; next = await stream.next()) count += 1;
  assert.equal(count, 1000);
});

test("a tab that gets no answer connects by itself, and one whose leader falls silent too", async (t) => {
  let opened = 0;
  const source: Source = async function* (_, signal) {
    opened += 1;
    yield { kind: "entries", cursor: "1", entries: [] };
    await new Promise((_resolve, reject) => signal.addEventListener("abort", () => reject(signal.reason as Error)));
  };
  const name = `test ${Math.random()}`;
  // Somebody has the lock and never says a word: a frozen tab.
  const frozen = Promise.withResolvers<void>();
  void navigator.locks.request(name, () => frozen.promise);
  const stop = new AbortController();
  const tabs = shareAmongTabs(source, { name, locks: navigator.locks, drop: () => undefined, answerMs: 20, askMs: 20 });
  t.after(() => {
    stop.abort(new Error("over"));
    frozen.resolve();
    tabs.close();
  });
  await tabs.source({ kind: "task", task: "t" }, stop.signal).next();
  assert.equal(opened, 1);
  const [channel, witness] = [new BroadcastChannel(name), new BroadcastChannel(name)];
  t.after(() => [channel, witness].forEach((one) => one.close()));
  const heard = new Promise<void>((resolve) => {
    witness.onmessage = ({ data }: { readonly data: unknown }) => (data as { readonly op: string }).op === "leader" && resolve();
  });
  channel.postMessage({ op: "leader", leader: "somebody" });
  // The tab joined before the witness, so it has heard it by then.
  await heard;
  await new Promise(setImmediate);
  await assert.rejects(
    tabs.source({ kind: "task", task: "t" }, stop.signal).next(),
    (error) => error instanceof ClientError && error.retryable && error.retryAfterMs === 0,
  );
  await tabs.source({ kind: "task", task: "t" }, stop.signal).next();
  assert.equal(opened, 2);
});
