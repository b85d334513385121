import assert from "node:assert/strict";
import { test } from "node:test";
import { createMemoryStore } from "../../src/lib/log/memory.ts";
import type { StreamEntry, StreamOpened, TaskDetail } from "../../src/lib/model/api.ts";
import { EXTENSION_URI } from "../../src/lib/model/entry.ts";
import { loadView, toSnapshot } from "../../src/lib/task/view.ts";
import { chunkText, countText } from "../servers/proof-agents.ts";
import { apiClient, entriesOf, textOfEntries } from "../support/api-client.ts";
import { startCuttingProxy } from "../support/cutting-proxy.ts";
import { readEvents } from "../support/event-source.ts";
import { is, openPageSocket } from "../support/page-socket.ts";
import { agentOf, serving } from "../support/serving.ts";
import { createRandom } from "../../src/lib/model/random.ts";

const SEED = Number(process.env["SEED"] ?? Date.now() % 1_000_000);
const CUTS = 200;
const CHUNKS = 2000;

const counter = agentOf(
  async function* (_turn, signal) {
    for (let index = 0; index < CHUNKS && !signal.aborted; index += 1) {
      yield { kind: "text", text: chunkText(1, index) };
      if (index % 10 === 0) yield { kind: "reasoning", text: "hm" };
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
  },
  { id: "counter" },
);
const quick = agentOf(
  async function* () {
    yield { kind: "reasoning", text: "hm" };
    yield { kind: "usage", usage: { inputTokens: 1, outputTokens: 1, totalTokens: 2 } };
    yield { kind: "text", text: "done" };
  },
  { id: "quick" },
);

const opening = (data: string | undefined): StreamOpened => JSON.parse(data ?? "") as StreamOpened;

test(`an EventSource that is cut 200 times at random bytes gets every entry once, in order (SEED=${SEED})`, { timeout: 300_000 }, async (t) => {
  const random = createRandom(SEED);
  const server = await serving(t, [counter]);
  const { task } = await apiClient(server.url).send("counter", "go");
  await using proxy = await startCuttingProxy((connection) => (connection < CUTS ? 300 + Math.floor(random() * 3500) : undefined));
  proxy.target = server.port;
  const { events, status } = await readEvents(`http://127.0.0.1:${proxy.port}/api/tasks/${task}/events?audience=internal`);
  assert.equal(proxy.cuts, CUTS);
  // The reader does not stop at `end`, as an EventSource would not: the reconnect says that there is nothing more.
  assert.equal(status, 204);
  assert.equal(events.at(-1)?.type, "end");
  const entries = entriesOf(events);
  assert.deepEqual(
    entries.map(({ seq }) => seq),
    entries.map((_, index) => index + 1),
  );
  assert.equal(textOfEntries(entries), countText(1, { n: CHUNKS }));
  const openings = events.filter(({ type }) => type === "open").map(({ data }) => opening(data).opening);
  assert.ok(openings.every((each, index) => each === (index === 0 || openings[index - 1] === "fresh" ? openings[index] : "resume")));
  assert.equal(openings.at(-1), "resume");
});

test("a stream opens fresh, resumed, or reset where its cursor is of no use; only what the audience may see is told", async (t) => {
  const server = await serving(t, [quick]);
  const api = apiClient(server.url);
  const { task, cursor } = await api.send("quick", "go");
  const url = `${server.url}/api/tasks/${task}/events`;
  const read = async (query: string, headers = {}): Promise<{ opened: StreamOpened; entries: readonly StreamEntry[] }> => {
    const { events } = await readEvents(`${url}${query}`, { headers, until: ({ type }) => type === "end" });
    assert.equal(events[0]?.type, "open");
    return { opened: opening(events[0]?.data), entries: entriesOf(events) };
  };
  const fresh = await read("?audience=internal");
  assert.deepEqual(fresh.opened, { agent: "quick", task, opening: "fresh", cursor });
  assert.deepEqual([...new Set(fresh.entries.map(({ audience }) => audience))].toSorted(), ["extension", "internal", "public"]);
  const resumed = await read(`?audience=internal&after=${cursor.replace(/0$/, "2")}`);
  assert.deepEqual([resumed.opened.opening, resumed.entries], ["resume", fresh.entries.slice(2)]);
  const header = await read(`?audience=internal&after=${cursor}`, { "last-event-id": cursor.replace(/0$/, "3") });
  assert.deepEqual(header.entries, fresh.entries.slice(3));
  for (const bad of ["zzzz.1", "nonsense", cursor.replace(/0$/, "999999")]) {
    const reset = await read(`?audience=internal&after=${bad}`);
    assert.deepEqual([reset.opened.opening, reset.entries], ["reset", fresh.entries]);
  }
  const plain = await read("?audience=public");
  assert.deepEqual(
    plain.entries,
    fresh.entries.filter(({ audience }) => audience === "public"),
  );
  assert.deepEqual(
    (await read("")).entries,
    fresh.entries.filter(({ audience }) => audience !== "internal"),
  );
});

test("a reader that comes back at the end of an ended task gets 204", async (t) => {
  const server = await serving(t, [quick]);
  const { task } = await apiClient(server.url).send("quick", "go");
  const url = `${server.url}/api/tasks/${task}/events?audience=public`;
  const { events } = await readEvents(url, { until: ({ type }) => type === "end" });
  const end = events.at(-1);
  const response = await fetch(url, { headers: { "last-event-id": end?.lastEventId ?? "" } });
  assert.equal(response.status, 204);
  assert.equal(await response.text(), "");
});

test("a server that stops ends streams without `end`, so that readers come back", async (t) => {
  const server = await serving(t, [counter]);
  const { task } = await apiClient(server.url).send("counter", "go");
  const begun = Promise.withResolvers<void>();
  const reading = readEvents(`${server.url}/api/tasks/${task}/events`, {
    maxConnections: 1,
    until: () => {
      begun.resolve();
      return false;
    },
  });
  await begun.promise;
  await server.drain({ graceMs: 0 });
  const { events } = await reading;
  assert.equal(events[0]?.type, "open");
  assert.ok(!events.some(({ type }) => type === "end"));
});

test("where early entries are gone a stream opens with what they amounted to, and goes on from there", async (t) => {
  const store = createMemoryStore({});
  t.after(() => store[Symbol.asyncDispose]());
  const server = await serving(t, [quick], { store });
  const api = apiClient(server.url);
  const { task, cursor } = await api.send("quick", "what was asked");
  const url = `${server.url}/api/tasks/${task}/events?audience=internal`;
  const { events: whole } = await readEvents(url, { until: ({ type }) => type === "end" });
  const key = { tenant: "", user: "local", agent: "quick", task };
  const floor = whole.findIndex(({ data }) => data.includes('"done"'));
  const loaded = await loadView(store.log, key, floor);
  assert.ok(loaded !== undefined && floor > 1);
  await store.upkeep.truncate(key, { floor, snapshot: toSnapshot(loaded.view) ?? "" });

  const kept = entriesOf(whole).filter(({ seq }) => seq > floor);
  for (const [query, kind] of [
    ["", "fresh"],
    [`&after=${cursor.replace(/0$/, "1")}`, "reset"],
  ]) {
    const { events } = await readEvents(url + query, { until: ({ type }) => type === "end" });
    const opened = opening(events[0]?.data);
    assert.deepEqual([opened.opening, opened.cursor, opened.snapshot?.["id"]], [kind, cursor.replace(/0$/, String(floor)), task]);
    assert.deepEqual(entriesOf(events), kept);
  }
  const { body } = await api.get<TaskDetail>(`/api/tasks/${task}`);
  assert.deepEqual([body.floor, body.title, body.head], [floor, "what was asked", entriesOf(whole).length]);
  const [head, ...lines] = (await (await fetch(`${server.url}/api/tasks/${task}/export`)).text()).trimEnd().split("\n");
  assert.deepEqual(
    lines.map((line) => JSON.parse(line) as StreamEntry),
    kept,
  );
  const said = JSON.parse(head ?? "") as { floor: number; snapshot: { id: string } };
  assert.deepEqual([said.floor, said.snapshot.id], [floor, task]);
});

test(
  "entries that go while a slow reader has not had them are no silent gap: it comes back, and gets what they amounted to",
  { timeout: 60_000 },
  async (t) => {
    const store = createMemoryStore({});
    t.after(() => store[Symbol.asyncDispose]());
    const gate = Promise.withResolvers<void>();
    const rolling = agentOf(
      async function* () {
        for (let index = 0; index < 300; index += 1) yield { kind: "text", text: chunkText(1, index).padEnd(1000) };
        await gate.promise;
      },
      { id: "rolling" },
    );
    const server = await serving(t, [rolling], { store });
    const api = apiClient(server.url);
    const { task, cursor } = await api.send("rolling", "go");
    const key = { tenant: "", user: "local", agent: "rolling", task };
    const logId = cursor.split(".")[0] ?? "";
    const headOf = async (): Promise<number> => (await store.log.read(key, { after: 0, maxBytes: 0 }))?.head ?? 0;
    while ((await headOf()) < 302) await new Promise((resolve) => setTimeout(resolve, 5));
    // Three readers that have had a message's worth and wait for credit.
    await using page = await openPageSocket(server.url);
    page.say({ op: "subscribe", sub: 1, task, credit: 1 });
    let had = (await page.next(is("entries", 1))).entries.at(-1)?.seq ?? 0;
    await page.next(is("blocked", 1));
    const agent = server.agents.get("rolling");
    assert.ok(agent !== undefined && had < 100);
    const call = {
      principal: { tenant: "", user: "local" },
      agent,
      version: "1.0",
      extensions: new Set([EXTENSION_URI]),
      maxBatchBytes: 32 * 1024,
      signal: t.signal,
    } as const;
    const { frames } = await server.operations.subscribeToTask({ ...call, lastEventId: `${logId}.0` }, { id: task });
    const a2a = frames[Symbol.asyncIterator]();
    const first = await a2a.next();
    const last = first.done === true ? 0 : (first.value.at(-1)?.seq ?? 0);

    const floor = 200;
    const loaded = await loadView(store.log, key, floor);
    await store.upkeep.truncate(key, { floor, snapshot: (loaded && toSnapshot(loaded.view)) ?? "" });
    page.say({ op: "credit", sub: 1, bytes: 1e9 });
    for (;;) {
      const event = await page.next((each): each is typeof each => each.op === "entries" || each.op === "error");
      if (event.op === "entries") {
        // The rest of what was read before they went.
        assert.ok((event.entries[0]?.seq ?? 0) <= had + 2 && (event.entries.at(-1)?.seq ?? 0) < 100);
        had = event.entries.at(-1)?.seq ?? had;
      }
      if (event.op !== "error") continue;
      assert.ok(event.error.retryable);
      break;
    }
    page.say({ op: "subscribe", sub: 1, task, after: `${logId}.${had}` });
    const { stream } = await page.next(is("opened", 1));
    assert.deepEqual([stream.opening, stream.cursor, stream.snapshot?.["id"]], ["reset", `${logId}.${floor}`, task]);
    assert.equal((await page.next(is("entries", 1))).entries[0]?.seq, floor + 1);
    // An A2A stream ends without an end of the task, which its client takes for a lost connection.
    assert.ok(last > 0 && last < 100);
    assert.equal((await a2a.next()).done, true);
    const { opening, frames: again } = await server.operations.subscribeToTask({ ...call, lastEventId: `${logId}.${last}` }, { id: task });
    assert.equal(opening, "reset");
    await again[Symbol.asyncIterator]().return?.();
    gate.resolve();
  },
);
