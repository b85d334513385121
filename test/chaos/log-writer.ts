import { createSqliteStore } from "../../src/lib/log/sqlite.ts";
import { joinKey, keyText } from "../../src/lib/model/key.ts";
import { keyOf, rowOf, statusEntry, textEntry } from "../../src/lib/testing/log-support.ts";
import { createRandom } from "../../src/lib/model/random.ts";

/**
 * Writes to streams `s0` … until it is killed, or kills itself at the nth passing of a fail point. Says `<task> <head>` on stdout for each answered append.
 * Run by `log-kill.test.ts`: `node log-writer.ts <folder> <fail point | none> <n> <seed>`.
 */
const [folder = "", failPoint = "none", nth = "1", seed = "1"] = process.argv.slice(2);
const random = createRandom(Number(seed));
let passed = 0;
const store = createSqliteStore({
  folder,
  maxBlockLength: 6000,
  maxIdleStreams: 2,
  checkpointBytes: 60_000,
  failPoint(name) {
    if (name !== failPoint) return;
    passed += 1;
    if (passed >= Number(nth)) process.kill(process.pid, "SIGKILL");
  },
});

async function write(task: string): Promise<void> {
  const key = keyOf(task);
  const page = await store.log.read(key, { after: 0, maxBytes: 0 });
  const opened = await store.log.open(key, { owner: "writer", expect: page?.epoch ?? 0 });
  if (!opened.ok) throw new Error(`${task} could not be opened: ${opened.reason}`);
  for (let seq = opened.nextSeq; ;) {
    const count = 1 + Math.floor(random() * 6);
    const entries = Array.from({ length: count }, (_, i) => textEntry(`${task}:${seq + i}`, { gen: seq + i, at: seq + i }));
    const last = seq + count - 1;
    const hasStatus = random() < 0.3;
    if (hasStatus) entries[count - 1] = statusEntry("TASK_STATE_WORKING", { gen: last, at: last });
    const answer = await store.log.append(key, {
      epoch: opened.epoch,
      firstSeq: seq,
      entries,
      ...(hasStatus && { index: rowOf(key, { statusAt: last }) }),
      ...(random() < 0.5 && { state: { version: "v", data: String(last) } }),
      records: [{ key: `${joinKey("task", keyText(key))}/tail`, value: String(last) }],
    });
    if (answer.kind !== "ok") throw new Error(`${task} ${seq}: ${answer.kind}`);
    await say(`${task} ${answer.head}\n`);
    seq += count;
    await new Promise((resolve) => {
      setImmediate(resolve);
    });
  }
}

/** Waits while the pipe is full: it does not block once a worker thread has made `process.stdout`. */
function say(line: string): Promise<void> {
  return new Promise((resolve, reject) => {
    process.stdout.write(line, (error) => (error ? reject(error) : resolve()));
  });
}

async function compact(): Promise<void> {
  for (;;) {
    await store.upkeep.compact({ budgetMs: 50 });
    await new Promise((resolve) => {
      setTimeout(resolve, 5);
    });
  }
}

await Promise.all([compact(), ...Array.from({ length: 8 }, (_, i) => write(`s${i}`))]);
