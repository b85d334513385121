import assert from "node:assert/strict";
import { copyFileSync, mkdirSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { joinKey, keyText, type StreamKey } from "../../model/key.ts";
import { keyOf, notHung, readAll, rowOf, statusEntry, textEntry } from "../../testing/log-support.ts";
import type { Batch } from "../log.ts";
import { createMemoryStore } from "../memory.ts";
import { createSqliteStore } from "../sqlite.ts";
import type { Store } from "../store.ts";
import { createRandom } from "../../model/random.ts";

/**
 * Random calls, many in one turn (so in one transaction, together with flushes and merges that are under way), given to the SQLite store and to the memory
 * store, which is the model. Copies of the folder, made at commits, are what a killed process leaves: each must open and say the same. Some commits fail.
 */
const SEED = Number(process.env["SEED"] ?? 7);
const RUNS = Number(process.env["RUNS"] ?? 3);
const BURSTS = 60;
const TASKS = 5;
const FAILURE = /injected/;

type Call = (store: Store) => Promise<unknown>;

interface Image {
  readonly folder: string;
  readonly committed: boolean;
}

for (let run = 0; run < RUNS; run += 1) {
  const seed = SEED + run;
  void test(`any calls, kills and failing commits: the log says what the model says (SEED=${seed})`, async () => {
    const root = await mkdtemp(join(tmpdir(), "ias-model-"));
    try {
      await play(root, createRandom(seed));
    } finally {
      await rm(root, { recursive: true });
    }
  });
}

async function play(root: string, random: () => number): Promise<void> {
  let time = 1_767_225_600_000;
  const now = () => time;
  const below = (limit: number) => Math.floor(random() * limit);
  const model = createMemoryStore({ now });
  let images: Image[] = [];
  let made = 0;
  let copies = false;
  let folder = join(root, "data");

  const openStore = () =>
    createSqliteStore({
      folder,
      now,
      maxBlockLength: 500 + below(8000),
      maxIdleStreams: 1 + below(3),
      checkpointBytes: 20_000,
      failPoint(name) {
        if (name !== "before-commit" && name !== "after-commit") return;
        if (copies && random() < 0.2) {
          made += 1;
          const image = copyData(folder, join(root, `image-${made}`));
          images.push({ folder: image, committed: name === "after-commit" });
        }
        if (copies && name === "before-commit" && random() < 0.03) throw new Error("injected");
      },
    });

  let store = openStore();
  let compaction: Promise<unknown> = Promise.resolve();
  try {
    for (let burst = 0; burst < BURSTS; burst += 1) {
      time += below(3000);
      const before = await snapshot(store, true);
      const calls = await makeBurst(model, random);
      const upkeep = random() < 0.5 ? below(calls.length + 1) : -1;
      if (upkeep >= 0) await compaction;
      copies = true;
      const answers = await settle(
        calls.map((call, place) => {
          // Not awaited: it goes on under the next bursts.
          if (place === upkeep) compaction = store.upkeep.compact({ budgetMs: 1000 }).catch((error: unknown) => assert.match(String(error), FAILURE));
          return call(store);
        }),
      );
      copies = random() < 0.5;
      const failed = answers.some((answer) => FAILURE.test(String(answer)));
      if (!failed) assert.deepEqual(answers, await settle(calls.map((call) => call(model))), `answers of burst ${burst}`);
      const after = await snapshot(store, true);
      assert.deepEqual(await snapshot(store, false), await snapshot(model, false), `burst ${burst}`);
      const reader = createSqliteStore({ folder, now, readOnly: true });
      assert.deepEqual(await snapshot(reader, false), await snapshot(model, false), `reader, burst ${burst}`);
      await reader[Symbol.asyncDispose]();
      copies = false;
      await compaction;
      let next: string | undefined;
      for (const image of images) {
        const again: string[] = [];
        const left = createSqliteStore({
          folder: image.folder,
          now,
          failPoint(name) {
            if (name === "during-flush") again.push(copyData(image.folder, `${image.folder}-${again.length}`));
          },
        });
        const says = await snapshot(left, true);
        assert.deepEqual(says, image.committed || !same(says, before) ? after : before, `burst ${burst}: ${image.folder}`);
        if (random() < 0.5) await left.upkeep.compact({ budgetMs: 1000 });
        assert.deepEqual(await snapshot(left, true), says, `burst ${burst}: flushed after a kill`);
        for (const twice of again) {
          const third = createSqliteStore({ folder: twice, now });
          await third.upkeep.compact({ budgetMs: 1000 });
          assert.deepEqual(await snapshot(third, true), says, `burst ${burst}: killed in the first flush after a kill`);
          await third[Symbol.asyncDispose]();
        }
        await left[Symbol.asyncDispose]();
        if (same(says, after)) next = image.folder;
      }
      images = [];
      const killed = next !== undefined && random() < 0.3;
      if (killed) {
        await store[Symbol.asyncDispose]();
        folder = next ?? folder;
        store = openStore();
      }
      if (killed || failed) {
        // Batches that were parked may be gone, which an open makes of them in both.
        const opens = await makeOpens(model);
        assert.deepEqual(await settle(opens.map((call) => call(store))), await settle(opens.map((call) => call(model))));
      }
    }
  } finally {
    copies = false;
    await compaction;
    await store[Symbol.asyncDispose]();
  }
}

/** In this order: what a checkpoint moves meanwhile is in the WAL too. */
function copyData(from: string, to: string): string {
  mkdirSync(to);
  for (const file of ["log.db", "log.db-wal"]) copyFileSync(join(from, file), join(to, file));
  return to;
}

/** Answers, or what was thrown, as text where it matters. */
async function settle(calls: readonly Promise<unknown>[]): Promise<unknown[]> {
  const settled = await Promise.allSettled(calls);
  return settled.map((answer) => (answer.status === "fulfilled" ? answer.value : String(answer.reason)));
}

const KEYS: readonly StreamKey[] = Array.from({ length: TASKS }, (_, i) => keyOf(`t${i}`, { tenant: `tenant${i % 2}` }));

/** One to eight calls that suit the model's present state, most of them. What a call of the same turn cannot yet see is left out: removing what is just sealed. */
async function makeBurst(model: Store, random: () => number): Promise<Call[]> {
  const below = (limit: number) => Math.floor(random() * limit);
  const calls: Call[] = [];
  const closed = new Set<StreamKey>();
  const next = new Map<StreamKey, number>();
  for (let i = 1 + below(8); i > 0; i -= 1) {
    const key = KEYS[below(TASKS)] ?? keyOf("t");
    if (closed.has(key)) continue;
    const page = await model.log.read(key, { after: 0, maxBytes: 0 });
    const epoch = page?.epoch ?? 0;
    const head = page?.head ?? 0;
    const kind = random();
    if (page === undefined || kind < 0.06) {
      const expect = random() < 0.15 ? "expired" : random() < 0.1 ? 1 : epoch;
      calls.push((store) => store.log.open(key, { owner: `owner ${i}`, expect }));
      // The epoch is known only after the burst.
      if (page === undefined) closed.add(key);
    } else if (page.sealed && kind < 0.4) {
      calls.push((store) => store.upkeep.remove(key));
      closed.add(key);
    } else if (kind < 0.14 && head > 0) {
      // Entries of the same turn have no reader yet, and cannot be truncated.
      const floor = 1 + below(head + (!next.has(key) && random() < 0.1 ? 1 : 0));
      calls.push((store) => store.upkeep.truncate(key, { floor, snapshot: `{"floor":${floor}}` }));
    } else if (kind < 0.2) {
      const write = { key: joinKey("task", keyText(key), `r${below(3)}`), value: String(random()), ...(random() < 0.3 && { ttlMs: 5000 }) };
      const drop = random() < 0.2;
      calls.push((store) => (drop ? store.records.delete(write.key) : store.records.put(write)));
    } else {
      const expected = next.get(key) ?? head + 1;
      const firstSeq = Math.max(1, expected + (random() < 0.1 ? below(7) - 3 : 0));
      const batch = makeBatch(key, epoch - (random() < 0.03 ? 1 : 0), firstSeq, random);
      if (firstSeq === expected) next.set(key, expected + batch.entries.length);
      calls.push((store) => store.log.append(key, batch));
      if (batch.seal === true) closed.add(key);
    }
  }
  return calls;
}

function makeBatch(key: StreamKey, epoch: number, firstSeq: number, random: () => number): Batch {
  const count = Math.floor(random() * 12);
  const entries = Array.from({ length: count }, (_, i) =>
    textEntry(`${key.task}/${epoch}/${firstSeq + i}/${random()}`, { gen: firstSeq + i, at: firstSeq + i }),
  );
  const hasStatus = random() < 0.3;
  if (hasStatus) entries.push(statusEntry("TASK_STATE_WORKING", { gen: firstSeq + count, at: firstSeq }));
  return {
    epoch,
    firstSeq,
    entries,
    ...(hasStatus && { index: rowOf(key, { statusAt: firstSeq + count, context: `c${Math.floor(random() * 2)}` }) }),
    ...(random() < 0.3 && { state: { version: "v", data: String(random()) } }),
    ...(random() < 0.3 && { records: [{ key: joinKey("task", keyText(key), "tail"), value: String(firstSeq) }] }),
    ...(random() < 0.08 && { seal: true }),
  };
}

/** Takes every stream that goes on. */
async function makeOpens(model: Store): Promise<Call[]> {
  const calls: Call[] = [];
  for (const key of KEYS) {
    const page = await model.log.read(key, { after: 0, maxBytes: 0 });
    if (page !== undefined && !page.sealed) calls.push((store) => store.log.open(key, { owner: "after a kill", expect: page.epoch }));
  }
  return calls;
}

/** All that can be read, but leases, whose times a kill may make a second older. */
async function snapshot(store: Store, withChanges: boolean): Promise<object> {
  const streams = [];
  for (const key of KEYS) {
    const page = await store.log.read(key, { after: 0, maxBytes: 0 });
    if (page === undefined) continue;
    const { head, floor, sealed, epoch, owner, snapshot: folded } = page;
    const row = await store.index.get(key);
    streams.push({
      key,
      head,
      floor,
      sealed,
      epoch,
      owner,
      folded,
      entries: await readAll(store.log, key, { maxBytes: 1500 }),
      row: row && { ...row, leaseEndsAt: 0 },
    });
  }
  const { tasks, total } = await store.index.list({ limit: 100 });
  const records = await store.records.list("", { limit: 1000 });
  return {
    streams,
    tasks: tasks.map((task) => ({ ...task, leaseEndsAt: 0 })),
    total,
    records,
    ...(withChanges && {
      changes: await readChanges(
        store,
        streams.map(({ key }) => keyText(key)),
      ),
    }),
  };
}

/** The newest change of each of `tasks`; the bells may still ring for streams that are gone. */
async function readChanges(store: Store, tasks: readonly string[]): Promise<object> {
  const newest = new Map<string, object>();
  const stop = new AbortController();
  const read = async (): Promise<void> => {
    if (tasks.length === 0) return;
    for await (const changes of store.log.changes({ after: 0, signal: stop.signal })) {
      for (const { position, key, seq } of changes) newest.set(keyText(key), { position, seq });
      if (tasks.every((task) => newest.has(task))) return;
    }
  };
  await notHung(read(), "changes");
  stop.abort();
  return tasks.map((task) => newest.get(task));
}

function same(a: object, b: object): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}
