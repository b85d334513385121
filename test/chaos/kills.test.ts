import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { setTimeout as wait } from "node:timers/promises";
import type { StreamItem } from "../../src/lib/client/client.ts";
import { jsonRpcClient } from "../bindings/clients.ts";
import type { Wire } from "../bindings/wire.ts";
import { countText } from "../servers/proof-agents.ts";
import { cursorOf, foldText, readByCursor, type Reading, type Seen, textOfTask } from "../support/cursor-reader.ts";
import { BINDINGS, openWay, type Way } from "../support/cut-servers.ts";
import { messageOf } from "../support/messages.ts";
import { type ServerProcess, startServerProcess, temporaryFolder } from "../support/server-process.ts";
import { createRandom } from "../../src/lib/model/random.ts";

const SEED = Number(process.env["SEED"] ?? Date.now() % 1_000_000);
const KILLS = 20;
/** Where the nth kill falls: at a point of the store, or when the readers have got so and so many entries. */
const PLACES = ["before-commit", "after-commit", "during-checkpoint", "random"] as const;
/** Streams until the last start, where it ends after so many. */
const STEADY = { n: 150, ms: 1 };
/** May end between two kills. */
const SHORT = { n: 60, ms: 1 };
/** A killed process's leases run out by the log's clock, which each start finds ahead. */
const AHEAD_MS = 6000;

describe(`20 kill -9 (SEED=${SEED})`, { timeout: 580_000 }, () => {
  const random = createRandom(SEED);
  const readings: Promise<Reading>[] = [];
  const shorts: Promise<readonly StreamItem[]>[] = [];
  const tools: string[] = [];
  const over = new AbortController();
  let ways: readonly Way[] = [];
  let server: ServerProcess;
  let folder: Awaited<ReturnType<typeof temporaryFolder>>;
  let steady = "";
  let kills = 0;
  /** Entries that raw readers got, all starts together. */
  let got = 0;

  before(async () => {
    folder = await temporaryFolder();
    ways = await Promise.all(BINDINGS.map((binding) => openWay(binding, () => undefined)));
    for (; kills < KILLS; kills += 1) await oneLife(PLACES[kills % PLACES.length] ?? "random");
    server = await startServerProcess(folder.path, { aheadMs: KILLS * AHEAD_MS, finish: true });
    for (const way of ways) way.leadTo(server);
  });
  after(async () => {
    over.abort();
    await server[Symbol.asyncDispose]();
    for (const way of ways) await way[Symbol.asyncDispose]();
    await folder[Symbol.asyncDispose]();
  });

  /** A server from its start to its kill. */
  async function oneLife(place: (typeof PLACES)[number]): Promise<void> {
    const nth = 1 + Math.floor(random() * (place.endsWith("commit") ? 120 : 3));
    const life = { aheadMs: kills * AHEAD_MS, ...(place !== "random" && { failPoint: place, nth }) };
    try {
      server = await startServerProcess(folder.path, life);
    } catch {
      return; // Killed before it listened: that counts as well.
    }
    for (const way of ways) way.leadTo(server);
    const limit = got + 20 + Math.floor(random() * 300);
    // What is asked of a server that is about to be killed may get no answer.
    await work().catch(() => {});
    let gone = false;
    void server.ended.then(() => (gone = true));
    while (!gone && (place !== "random" || (steady !== "" && got < limit))) await wait(5);
    await server.kill();
  }

  /** New work for this life: a short task that our client follows, each time over another binding; now and then one with a tool. */
  async function work(): Promise<void> {
    if (steady === "") await startSteady();
    const way = ways[kills % ways.length];
    assert.ok(way);
    const client = await way.client(server, "count", { maxReconnects: 10_000 });
    shorts.push(collectAndClose(client.stream({ message: messageOf(JSON.stringify(SHORT)) }), client));
    shorts.at(-1)?.catch(() => {});
    if (kills % 4 === 1) {
      const { task } = await rpc("tool").call("SendMessage", { message: messageOf("{}"), configuration: { returnImmediately: true } });
      tools.push(task.id);
    }
  }

  async function startSteady(): Promise<void> {
    const sent = await rpc("steady").call("SendMessage", { message: messageOf(JSON.stringify(STEADY)), configuration: { returnImmediately: true } });
    steady = sent.task.id;
    const zero = `${cursorOf({ event: sent }).split(".")[0]}.0`;
    for (const way of ways) {
      readings.push(readByCursor({ connect: () => way.raw("steady"), task: steady, after: zero, signal: over.signal, onSeen: () => (got += 1) }));
      readings.at(-1)?.catch(() => {});
    }
  }

  const rpc = (agent: string) => jsonRpcClient(`${server.url}/a2a/${agent}`);

  /** A task of `tool` at its end. One whose tool had not started yet began again, is canceled, and gives undefined. */
  async function settled(id: string): Promise<Wire> {
    for (let length: number | undefined; ; await wait(20)) {
      const task = await rpc("tool").call("GetTask", { id });
      if (task.status.state === "TASK_STATE_FAILED") return task;
      const now = textOfTask(task).length;
      if (length !== undefined && now > length) {
        await rpc("tool").call("CancelTask", { id });
        return undefined;
      }
      length = now;
    }
  }

  /** The whole log of a task, as a reader with the first cursor gets it. */
  async function wholeLog(agent: string, task: string): Promise<readonly Seen[]> {
    const now: Wire = await rpc(agent).call("GetTask", { id: task });
    const zero = `${cursorOf({ event: { task: now } }).split(".")[0]}.0`;
    return (await readByCursor({ connect: () => rpc(agent), task, after: zero })).seen;
  }

  test("readers of a stream that is killed again and again get every committed entry once, in order and unchanged, by cursors that stay valid", async () => {
    const all = await Promise.all(readings);
    const log = await wholeLog("steady", steady);
    for (const { seen } of all) assert.deepEqual(seen, log);
    // Entry 2 is the input, which is internal; each start opens the stream anew, but writes nothing that readers do not see.
    assert.deepEqual(
      log.map(({ seq }) => seq),
      Array.from({ length: log.length + 1 }, (_, index) => index + 1).filter((seq) => seq !== 2),
    );
    const attempts = log.filter(({ what }) => what[0] === "status" && what[2] === "attempt").length;
    assert.ok(attempts >= KILLS / 2, `only ${attempts} of ${KILLS} starts took the task up again`);
    const task = await rpc("steady").call("GetTask", { id: steady });
    assert.equal(task.status.state, "TASK_STATE_COMPLETED");
    const text = textOfTask(task);
    assert.equal(text, countText(attempts + 1, STEADY));
    for (const reading of all) assert.equal(foldText(reading), text);
  });

  test("our client follows each task to its end, and has the text that GetTask has", async () => {
    assert.ok(shorts.length >= KILLS / 2);
    for (const short of shorts) {
      const items = await short;
      const id = items.map(({ event }) => ("artifactUpdate" in event ? event.artifactUpdate.taskId : undefined)).find((found) => found !== undefined);
      const last = items.at(-1)?.event;
      const state = last !== undefined && ("statusUpdate" in last ? last.statusUpdate.status.state : "task" in last && last.task.status.state);
      assert.equal(state, "TASK_STATE_COMPLETED");
      const task = await rpc("count").call("GetTask", { id });
      const text = textOfTask(task);
      const attempt = Number(text.split(":")[0]);
      assert.equal(text, countText(attempt, SHORT));
      assert.equal(foldItems(items), text);
    }
  });

  test("a task whose tool must not run twice ends FAILED, and says which tool", async () => {
    let failed = 0;
    for (const id of tools) {
      const task = await settled(id);
      if (task === undefined) continue;
      failed += 1;
      const log = await wholeLog("tool", id);
      assert.equal(log.filter(({ what }) => what[0] === "status" && what[2] === "tool-call").length, 1);
      assert.equal(task.status.state, "TASK_STATE_FAILED");
      assert.match(task.status.message.parts[0].text, /transfer_money/);
      const end = log.at(-1)?.what;
      assert.deepEqual([end?.[1], end?.[2], end?.[3]], ["TASK_STATE_FAILED", "failure", "TURN_INTERRUPTED"]);
    }
    assert.ok(failed > 0, "no tool had started");
  });
});

async function collectAndClose(items: AsyncIterable<StreamItem>, client: AsyncDisposable): Promise<readonly StreamItem[]> {
  const all: StreamItem[] = [];
  try {
    for await (const item of items) all.push(item);
  } finally {
    await client[Symbol.asyncDispose]();
  }
  return all;
}

function foldItems(items: readonly StreamItem[]): string {
  let text = "";
  for (const { event } of items) {
    if ("task" in event) text = textOfTask(event.task);
    if (!("artifactUpdate" in event)) continue;
    const { artifact, append } = event.artifactUpdate;
    text = (append === true ? text : "") + artifact.parts.map((part) => part.text ?? "").join("");
  }
  return text;
}
