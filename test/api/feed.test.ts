import assert from "node:assert/strict";
import { test } from "node:test";
import { createClient } from "../../src/client.ts";
import { createMemoryStore } from "../../src/lib/log/memory.ts";
import type { FeedFrame, TaskSummaryPage } from "../../src/lib/model/api.ts";
import { loadView, toSnapshot } from "../../src/lib/task/view.ts";
import { chunkText, countText } from "../servers/proof-agents.ts";
import { type ApiAnswer, apiClient, entriesOf, textOfEntries } from "../support/api-client.ts";
import { startCuttingProxy } from "../support/cutting-proxy.ts";
import { type EventReading, readEvents, type SentEvent } from "../support/event-source.ts";
import { agentOf, collect, serving } from "../support/serving.ts";
import { createRandom } from "../../src/lib/model/random.ts";

const SEED = Number(process.env["SEED"] ?? Date.now() % 1_000_000);
const CUTS = 60;
const TASKS = 20;
const CHUNKS = 500;

const counter = agentOf(
  async function* (_turn, signal) {
    for (let index = 0; index < CHUNKS && !signal.aborted; index += 1) {
      yield { kind: "text", text: chunkText(1, index) };
      await new Promise((resolve) => setTimeout(resolve, 4));
    }
  },
  { id: "counter" },
);
const asks = agentOf(
  async function* () {
    yield { kind: "interrupt", reason: "input", message: [{ text: "What?" }] };
  },
  { id: "asks" },
);
const quick = agentOf(
  async function* () {
    yield { kind: "text", text: "done" };
  },
  { id: "quick" },
);

const framesOf = (events: readonly SentEvent[]): readonly FeedFrame[] =>
  events.filter(({ type }) => type === "message").map(({ data }) => JSON.parse(data) as FeedFrame);

/** Ends a reading once so many tasks have ended. */
function untilEnded(count: number): (event: SentEvent) => boolean {
  const ended = new Set<string>();
  return ({ type, data }) => {
    if (type !== "message") return false;
    const frame = JSON.parse(data) as FeedFrame;
    if (frame.entries.some(({ event }) => "statusUpdate" in event && event.statusUpdate.status.state === "TASK_STATE_COMPLETED")) ended.add(frame.task);
    return ended.size === count;
  };
}

/** Ends a reading at the nth checkpoint. */
function untilCheckpoint(count: number): (event: SentEvent, events: readonly SentEvent[]) => boolean {
  return (_, events) => events.filter(({ type }) => type === "checkpoint").length === count;
}

test(`a feed of 20 tasks that is cut 60 times misses no entry, and repeats none within a connection (SEED=${SEED})`, { timeout: 300_000 }, async (t) => {
  const random = createRandom(SEED);
  // Checkpoints as often as not, so that most connections begin from one.
  const server = await serving(t, [counter], { limits: { feedCheckpointMs: 5 } });
  const api = apiClient(server.url);
  await using proxy = await startCuttingProxy((connection) => (connection < CUTS ? 200 + Math.floor(random() * 30_000) : undefined));
  proxy.target = server.port;
  const tasks: string[] = [];
  for (let index = 0; index < TASKS / 2; index += 1) tasks.push((await api.send("counter", `task ${index}`)).task);
  const reading = readEvents(`http://127.0.0.1:${proxy.port}/api/feed?audience=internal`, { until: untilEnded(TASKS) });
  for (let index = tasks.length; index < TASKS; index += 1) tasks.push((await api.send("counter", `task ${index}`)).task);
  const { events } = await reading;
  assert.ok(proxy.cuts > 10, `${proxy.cuts} cuts`);
  const checkpoints = new Set(events.filter(({ type }) => type === "checkpoint").map(({ lastEventId }) => lastEventId));
  assert.ok(checkpoints.size > 10, `${checkpoints.size} checkpoints`);

  const within = new Set<string>();
  const byTask = new Map<string, Map<number, unknown>>();
  for (const event of events.filter(({ type }) => type === "message")) {
    const frame = JSON.parse(event.data) as FeedFrame;
    const entries = byTask.get(frame.task) ?? new Map<number, unknown>();
    byTask.set(frame.task, entries);
    for (const entry of frame.entries) {
      const name = `${event.connection} ${frame.task} ${entry.seq}`;
      assert.ok(!within.has(name), `${name} came twice`);
      within.add(name);
      entries.set(entry.seq, entry);
    }
  }
  assert.deepEqual([...byTask.keys()].toSorted(), tasks.toSorted());
  for (const task of tasks) {
    const whole = entriesOf((await readEvents(`${server.url}/api/tasks/${task}/events?audience=internal`, { until: ({ type }) => type === "end" })).events);
    assert.deepEqual(
      [...(byTask.get(task)?.values() ?? [])].toSorted((a, b) => (a as { seq: number }).seq - (b as { seq: number }).seq),
      whole,
    );
    assert.equal(textOfEntries(whole), countText(1, { n: CHUNKS }));
  }
});

test("without a cursor a feed begins with unfinished tasks; with 0 it has all", async (t) => {
  const server = await serving(t, [asks, quick]);
  const api = apiClient(server.url);
  const { task: over } = await api.send("quick", "x");
  await readEvents(`${server.url}/api/tasks/${over}/events`, { until: ({ type }) => type === "end" });
  const { task: waiting } = await api.send("asks", "x");
  await readEvents(`${server.url}/api/tasks/${waiting}/events`, { until: ({ data }) => data.includes("INPUT_REQUIRED") });

  const begun = framesOf((await readEvents(`${server.url}/api/feed`, { until: untilCheckpoint(2) })).events);
  assert.deepEqual(
    begun.map(({ agent, task, entries }) => [agent, task, entries[0]?.seq]),
    [["asks", waiting, 1]],
  );
  const all = framesOf((await readEvents(`${server.url}/api/feed?after=0`, { until: (_, events) => framesOf(events).length === 2 })).events);
  assert.deepEqual(
    all.map(({ task }) => task),
    [over, waiting],
  );
  const once = await readEvents(`${server.url}/api/feed?live=false`, { until: ({ type }) => type === "end" });
  assert.deepEqual(
    framesOf(once.events).map(({ task }) => task),
    [over, waiting],
  );
});

test("a feed is filtered by agent, conversation and state; a task that has entered stays until its end", async (t) => {
  const server = await serving(t, [asks, quick]);
  const api = apiClient(server.url);
  const { task: first } = await api.send("quick", "x", { contextId: "c1" });
  const { task: second } = await api.send("quick", "x", { contextId: "c2" });
  const { task: third } = await api.send("asks", "x", { contextId: "c1" });
  for (const task of [first, second]) await readEvents(`${server.url}/api/tasks/${task}/events`, { until: ({ type }) => type === "end" });
  await readEvents(`${server.url}/api/tasks/${third}/events`, { until: ({ data }) => data.includes("INPUT_REQUIRED") });
  const read = async (query: string): Promise<readonly string[]> => {
    const { events } = await readEvents(`${server.url}/api/feed?live=false&${query}`, { until: ({ type }) => type === "end" });
    return framesOf(events).map(({ task }) => task);
  };
  assert.deepEqual(await read("agent=quick"), [first, second]);
  assert.deepEqual(await read("context=c1"), [first, third]);
  assert.deepEqual(await read("states=TASK_STATE_INPUT_REQUIRED"), [third]);
  assert.deepEqual(await read("agent=quick&context=c2"), [second]);

  const live = readEvents(`${server.url}/api/feed?states=TASK_STATE_INPUT_REQUIRED`, { until: ({ data }) => data.includes("CANCELED") });
  assert.equal((await api.post(`/api/tasks/${third}/cancel`, {})).status, 200);
  assert.deepEqual([...new Set(framesOf((await live).events).map(({ task }) => task))], [third]);
});

test("a feed goes on from a checkpoint: what came before is not told again, tasks that began meanwhile are told whole", async (t) => {
  const server = await serving(t, [quick, asks]);
  const api = apiClient(server.url);
  const { task: waiting } = await api.send("asks", "x");
  await readEvents(`${server.url}/api/tasks/${waiting}/events`, { until: ({ data }) => data.includes("INPUT_REQUIRED") });
  const first = await readEvents(`${server.url}/api/feed?audience=internal`, { until: untilCheckpoint(2) });
  const cursor = first.events.at(-1)?.lastEventId ?? "";
  const { task: meanwhile } = await api.send("quick", "x");
  await readEvents(`${server.url}/api/tasks/${meanwhile}/events`, { until: ({ type }) => type === "end" });
  await api.post(`/api/tasks/${waiting}/cancel`, {});
  const head = framesOf(first.events)[0]?.entries.at(-1)?.seq ?? 0;
  const seen = new Set<string>();
  const { events } = await readEvents(`${server.url}/api/feed?audience=internal`, {
    headers: { "last-event-id": cursor },
    until: ({ data }) => {
      if (data.includes("COMPLETED") || data.includes("CANCELED")) seen.add(data);
      return seen.size === 2;
    },
  });
  const frames = framesOf(events);
  assert.deepEqual(
    frames.filter(({ task }) => task === waiting).flatMap(({ entries }) => entries.map(({ seq }) => seq)),
    [head + 1, head + 2],
  );
  assert.equal(frames.find(({ task }) => task === meanwhile)?.entries[0]?.seq, 1);
});

test("where early entries are gone a feed has what they amounted to, when it begins and when it comes back", async (t) => {
  const store = createMemoryStore({});
  t.after(() => store[Symbol.asyncDispose]());
  const server = await serving(t, [asks], { store, limits: { feedCheckpointMs: 1 } });
  const api = apiClient(server.url);
  const { task } = await api.send("asks", "what was asked");
  const asked = (times: number): Promise<EventReading> => {
    let left = times;
    return readEvents(`${server.url}/api/tasks/${task}/events`, { until: ({ data }) => data.includes("INPUT_REQUIRED") && (left -= 1) === 0 });
  };
  await asked(1);
  const first = await readEvents(`${server.url}/api/feed?audience=internal`, { until: untilCheckpoint(2) });
  const given = framesOf(first.events)[0]?.entries.at(-1)?.seq ?? 0;
  await api.send("asks", "again", { taskId: task });
  const whole = entriesOf((await asked(2)).events);
  const head = whole.at(-1)?.seq ?? 0;
  const floor = head - 1;
  assert.ok(floor > given && given > 1);
  const key = { tenant: "", user: "local", agent: "asks", task };
  const loaded = await loadView(store.log, key, floor);
  await store.upkeep.truncate(key, { floor, snapshot: (loaded && toSnapshot(loaded.view)) ?? "" });

  const has = ({ data }: SentEvent): boolean => data.includes(`"seq":${head},`);
  for (const headers of [{}, { "last-event-id": first.events.at(-1)?.lastEventId ?? "" }]) {
    const [frame, ...more] = framesOf((await readEvents(`${server.url}/api/feed`, { headers, until: has })).events);
    assert.deepEqual([frame?.snapshot?.["id"], frame?.floor, more], [task, floor, []]);
    assert.deepEqual(
      frame?.entries.map(({ seq }) => seq),
      [head],
    );
  }
  // The client gives it once, and what it has had whole not again.
  const client = createClient({ baseUrl: server.url, transport: "sse" });
  t.after(() => client.close());
  const frames = await collect(client.feed({ live: false }));
  assert.deepEqual(
    frames.map(({ snapshot, floor: at, entries }) => [snapshot?.["id"], at, entries.length]),
    [[task, floor, 1]],
  );
});

test("a reply without a task shows nothing in a feed; a task of such an agent comes when it has shown that it is one, or has been held long enough", async (t) => {
  const gate = Promise.withResolvers<void>();
  const replies = agentOf(
    async function* ({ input }) {
      await gate.promise;
      const text = input[0]?.parts[0]?.text ?? "";
      if (text === "reply") yield { kind: "reply", parts: [{ text: "only this" }] };
      else yield { kind: "text", text };
    },
    { id: "replies", replies: "either" },
  );
  const limits = { replyHoldMs: 600_000, feedCheckpointMs: 1 };
  const server = await serving(t, [replies, quick], { limits });
  const api = apiClient(server.url);
  const post = (text: string): Promise<ApiAnswer<{ task?: string }>> =>
    api.post("/api/agents/replies/messages", { messageId: text, parts: [{ text }], contextId: text });
  const sent = [post("reply"), post("task")];
  while ((await api.get<TaskSummaryPage>("/api/tasks?agent=replies")).body.total < 2);
  const live = readEvents(`${server.url}/api/feed?audience=internal&after=0`, { until: untilEnded(3) });
  const ofQuick = async (): Promise<string> => {
    const { task } = await api.send("quick", "x");
    await readEvents(`${server.url}/api/feed?after=0&agent=quick`, { until: ({ data }) => data.includes(task) && data.includes("COMPLETED") });
    return task;
  };
  const first = await ofQuick();
  // Held back as they are, they are not in a feed up to now either, and one that comes back has not lost them.
  const before = await readEvents(`${server.url}/api/feed?live=false`, { until: ({ type }) => type === "end" });
  assert.deepEqual(
    framesOf(before.events).map(({ task }) => task),
    [first],
  );
  gate.resolve();
  const [reply, task] = await Promise.all(sent);
  assert.equal(reply?.body.task, undefined);
  const second = await ofQuick();
  const tasks = framesOf((await live).events);
  assert.deepEqual(new Set(tasks.map((frame) => frame.task)), new Set([first, second, task?.body.task]));
  const entries = tasks.filter((frame) => frame.task === task?.body.task).flatMap((frame) => frame.entries);
  assert.deepEqual(
    entries.map(({ seq }) => seq),
    entries.map((_, index) => index + 1),
  );
});

test("an agent that may reply without a task and is silent is in a feed once its task has been held long enough, also for a reader that comes back meanwhile", async (t) => {
  const silent = agentOf(
    // oxlint-disable-next-line require-yield
    async function* (_, signal) {
      await new Promise((resolve) => signal.addEventListener("abort", resolve));
    },
    { id: "silent", replies: "either" },
  );
  const server = await serving(t, [silent, quick], { limits: { replyHoldMs: 300, feedCheckpointMs: 1 } });
  const api = apiClient(server.url);
  const sending = api.send("silent", "x");
  while ((await api.get<TaskSummaryPage>("/api/tasks?agent=silent")).body.total === 0);
  // Cut off at each of its first checkpoints, most of them while the task is held.
  let cursor = "0";
  const seen = new Set<string>();
  for (let count = 0; count < 5 && seen.size === 0; count += 1) {
    const { events } = await readEvents(`${server.url}/api/feed?after=${cursor}`, { until: untilCheckpoint(2) });
    cursor = events.at(-1)?.lastEventId ?? "";
    for (const { task } of framesOf(events)) seen.add(task);
  }
  const { task } = await sending;
  if (!seen.has(task)) {
    const { events } = await readEvents(`${server.url}/api/feed`, { headers: { "last-event-id": cursor }, until: ({ type }) => type === "message" });
    assert.deepEqual(
      framesOf(events).map((frame) => [frame.task, frame.entries[0]?.seq]),
      [[task, 1]],
    );
  }
});

test("a place that the log has not reached, or entries that it has lost, are begun anew", async (t) => {
  const server = await serving(t, [asks, quick]);
  const api = apiClient(server.url);
  const { task } = await api.send("asks", "hello");
  await readEvents(`${server.url}/api/tasks/${task}/events`, { until: ({ data }) => data.includes("INPUT_REQUIRED") });
  const { events } = await readEvents(`${server.url}/api/feed`, { until: untilCheckpoint(2) });
  const [log = "", position = "", mark = ""] = (events.at(-1)?.lastEventId ?? "").split(".");
  assert.ok(mark.length > 8, mark);
  // As after a power loss: the reader was told of more than there is.
  const ahead = `${log}.${(Number.parseInt(position, 36) + 1000).toString(36)}`;
  const later = `${log}.${position}.${mark.slice(0, 8)}zz`;
  for (const after of [ahead, later]) {
    const reading = readEvents(`${server.url}/api/feed?after=${after}`, {
      until: ({ type, data }) => type === "message" && (JSON.parse(data) as FeedFrame).task === task,
    });
    await api.send("asks", "again", { taskId: task });
    const frame = framesOf((await reading).events).find((one) => one.task === task);
    assert.equal(frame?.entries[0]?.seq, 1, after);
  }
});

test("with a tail a feed begins with the last entries of what there is, and gives what begins later whole", async (t) => {
  const server = await serving(t, [counter, asks]);
  const api = apiClient(server.url);
  const { task: waiting } = await api.send("asks", "x");
  await readEvents(`${server.url}/api/tasks/${waiting}/events`, { until: ({ data }) => data.includes("INPUT_REQUIRED") });
  const whole = framesOf((await readEvents(`${server.url}/api/feed?audience=internal`, { until: untilCheckpoint(2) })).events);
  const head = whole[0]?.entries.at(-1)?.seq ?? 0;
  assert.ok(head > 2, "there is more than the tail");
  const tailed = readEvents(`${server.url}/api/feed?audience=internal&tail=2`, { until: ({ data }) => data.includes('"counter"') });
  const later = await api.send("counter", "x");
  const frames = framesOf((await tailed).events);
  assert.deepEqual(
    frames.filter(({ task }) => task === waiting).flatMap(({ entries }) => entries.map(({ seq }) => seq)),
    [head - 1, head],
  );
  assert.equal(frames.find(({ task }) => task === later.task)?.entries[0]?.seq, 1);
  const none = framesOf((await readEvents(`${server.url}/api/feed?tail=0&agent=asks`, { until: untilCheckpoint(1) })).events);
  assert.deepEqual(none, []);
});

test("bad queries of a feed are refused", async (t) => {
  const server = await serving(t, [quick]);
  for (const query of ["states=DONE", "live=maybe", "audience=me", "live=false&after=0", "task=1", "tail=-1", "tail=1001"]) {
    const { status } = await apiClient(server.url).get(`/api/feed?${query}`);
    assert.equal(status, 400, query);
  }
});
