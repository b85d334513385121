import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createMemoryStore } from "../src/lib/log/memory.ts";
import { createSqliteStore } from "../src/lib/log/sqlite.ts";
import type { Store } from "../src/lib/log/store.ts";
import type { NewEntry } from "../src/lib/model/entry.ts";
import type { StreamKey } from "../src/lib/model/key.ts";

/**
 * What an entry costs in the log alone, in µs of CPU of the whole process (checkpoint thread included): appended one a stream and tick, awaited,
 * with one live follower a stream; then catch-up of one long stream. Run: `node bench/log.ts [entries]`.
 */
const TOTAL = Number(process.argv[2] ?? 100_000);

function entry(n: number): NewEntry {
  const event = `{"artifactUpdate":{"taskId":"4f6d1e0a-7a6d-4a4e-9c45-0f6d1e0a7a6d","contextId":"1c2d1e0a-7a6d-4a4e-9c45-0f6d1e0a7a6d","artifact":{"artifactId":"a1","parts":[{"text":"@${n}# token"}]},"append":true}}`;
  return { gen: n, at: Date.now(), attempt: 1, audience: "public", event };
}

interface Cost {
  readonly cpu: number;
  readonly wall: number;
}

async function measure(count: number, work: () => Promise<void>): Promise<Cost> {
  const start = performance.now();
  const cpu = process.cpuUsage();
  await work();
  const used = process.cpuUsage(cpu);
  return { cpu: (used.user + used.system) / count, wall: ((performance.now() - start) * 1000) / count };
}

async function appending(store: Store, streams: number, total: number): Promise<Cost> {
  const keys: StreamKey[] = [];
  const followers: Promise<number>[] = [];
  for (let i = 0; i < streams; i += 1) {
    const key = { tenant: "t", user: "u", agent: "a", task: `${streams}-${i}-${Math.random()}` };
    await store.log.open(key, { owner: "bench", expect: 0 });
    keys.push(key);
    followers.push(consume(store, key));
  }
  const rounds = Math.ceil(total / streams);
  const cost = await measure(rounds * streams, async () => {
    for (let round = 1; round <= rounds; round += 1) {
      await Promise.all(keys.map((key) => store.log.append(key, { epoch: 1, firstSeq: round, entries: [entry(round)] })));
      await new Promise((resolve) => {
        setImmediate(resolve);
      });
    }
  });
  await Promise.all(keys.map((key) => store.log.append(key, { epoch: 1, firstSeq: rounds + 1, entries: [], seal: true })));
  for (const count of await Promise.all(followers)) if (count !== rounds) throw new Error(`A follower got ${count} of ${rounds} entries.`);
  return cost;
}

async function consume(store: Store, key: StreamKey): Promise<number> {
  let count = 0;
  for await (const batch of store.log.follow(key, { after: 0, signal: new AbortController().signal })) count += batch.length;
  return count;
}

/** Writes one long stream, batch by batch, comparing the first tenth with the last; then reads it all from the start. */
async function long(store: Store, total: number): Promise<void> {
  const key = { tenant: "t", user: "u", agent: "a", task: "long" };
  await store.log.open(key, { owner: "bench", expect: 0 });
  const tenths: Cost[] = [];
  for (let tenth = 0; tenth < 10; tenth += 1) {
    tenths.push(
      await measure(total / 10, async () => {
        for (let seq = (tenth * total) / 10 + 1; seq <= ((tenth + 1) * total) / 10; seq += 10) {
          await store.log.append(key, { epoch: 1, firstSeq: seq, entries: Array.from({ length: 10 }, (_, i) => entry(seq + i)) });
        }
      }),
    );
  }
  await store.log.append(key, { epoch: 1, firstSeq: total + 1, entries: [], seal: true });
  const first = await measure(total, async () => {
    await consume(store, key);
  });
  for (let done = 1; done > 0;) done = (await store.upkeep.compact({ budgetMs: 1000 })).merged;
  const compacted = await measure(total, async () => {
    await consume(store, key);
  });
  global.gc?.();
  console.log(
    `  one stream of ${total}: first tenth ${show(tenths[0])}, last ${show(tenths[9])}; catch-up ${rate(first)}/s, compacted ${rate(compacted)}/s, heap ${Math.round(process.memoryUsage().heapUsed / 1e6)} MB`,
  );
}

function show(cost: Cost | undefined): string {
  return `${cost?.cpu.toFixed(2)} µs CPU (${cost?.wall.toFixed(2)} wall)`;
}

function rate(cost: Cost): string {
  return Math.round(1e6 / cost.wall).toLocaleString("en");
}

async function run(name: string, store: Store): Promise<void> {
  console.log(name);
  await appending(store, 10, TOTAL / 5);
  for (const streams of [1, 50, 200])
    console.log(`  ${String(streams).padStart(3)} streams: ${show(await appending(store, streams, streams === 1 ? TOTAL / 2 : TOTAL))}`);
  await long(store, TOTAL * 2);
  await store[Symbol.asyncDispose]();
}

await run("memory", createMemoryStore());
for (const durability of ["process", "host"] as const) {
  const folder = await mkdtemp(join(tmpdir(), "ias-bench-"));
  await run(`sqlite, ${durability}`, createSqliteStore({ folder, durability }));
  await rm(folder, { recursive: true });
}
