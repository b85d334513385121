import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { createSqliteStore } from "../../src/lib/log/sqlite.ts";
import { decodeEvent } from "../../src/lib/model/entry.ts";
import { joinKey, keyText } from "../../src/lib/model/key.ts";
import { assertDense, keyOf, readAll } from "../../src/lib/testing/log-support.ts";
import { createRandom } from "../../src/lib/model/random.ts";

const WRITER = fileURLToPath(new URL("./log-writer.ts", import.meta.url));
const FAIL_POINTS = ["before-commit", "after-commit", "during-flush", "during-compaction", "during-checkpoint"] as const;
const SEED = Number(process.env["SEED"] ?? Date.now() % 1_000_000);

for (const failPoint of [...FAIL_POINTS, "none"] as const) {
  void test(`a store killed ${failPoint === "none" ? "at random times" : failPoint.replace("-", " ")} keeps every answered entry once, and index, records and states agree (SEED=${SEED})`, async () => {
    const folder = await mkdtemp(join(tmpdir(), "ias-kill-"));
    const random = createRandom(SEED);
    const acknowledged = new Map<string, number>();
    try {
      for (let round = 0; round < 4; round += 1) {
        await writeUntilKilled(folder, failPoint, random, acknowledged);
        await check(folder, acknowledged);
      }
      assert.ok([...acknowledged.values()].reduce((sum, head) => sum + head, 0) > 0, "something was written");
    } finally {
      await rm(folder, { recursive: true });
    }
  });
}

async function writeUntilKilled(folder: string, failPoint: string, random: () => number, acknowledged: Map<string, number>): Promise<void> {
  // Commits are many, checkpoints and flushes few.
  const nth = 1 + Math.floor(random() * (failPoint.endsWith("commit") ? 150 : 6));
  const child = spawn(process.execPath, [WRITER, folder, failPoint, String(nth), String(Math.floor(random() * 1e6))], { stdio: ["ignore", "pipe", "inherit"] });
  const exit = once(child, "exit");
  let lines = 0;
  const lastLine = Math.floor(random() * 600);
  for await (const line of createInterface({ input: child.stdout })) {
    const [task = "", head] = line.split(" ");
    acknowledged.set(task, Math.max(acknowledged.get(task) ?? 0, Number(head)));
    lines += 1;
    if (failPoint === "none" && lines === lastLine + 1) child.kill("SIGKILL");
  }
  const [, signal] = await exit;
  assert.equal(signal, "SIGKILL", "the writer ends only by being killed");
}

async function check(folder: string, acknowledged: ReadonlyMap<string, number>): Promise<void> {
  const store = createSqliteStore({ folder });
  try {
    for (const [task, answered] of acknowledged) {
      const key = keyOf(task);
      const entries = await readAll(store.log, key);
      const head = entries.length;
      assert.ok(head >= answered, `${task}: ${answered} were answered, ${head} are there`);
      assertDense(entries, 0, head);
      let lastStatus = 0;
      for (const entry of entries) {
        const event = decodeEvent(entry);
        assert.deepEqual([entry.gen, entry.at], [entry.seq, entry.seq]);
        if ("statusUpdate" in event) lastStatus = entry.seq;
        else assert.ok("artifactUpdate" in event && event.artifactUpdate.artifact.parts[0]?.text === `${task}:${entry.seq}`);
      }
      assert.equal((await store.log.read(key, { after: head }))?.head, head);
      assert.equal((await store.records.get(`${joinKey("task", keyText(key))}/tail`))?.value, String(head), "each batch writes its last seq as a record");
      const listed = await store.index.get(key);
      assert.deepEqual([listed?.statusAt ?? 0, listed?.head ?? head], [lastStatus, head]);
    }
    const { total, tasks } = await store.index.list({ limit: 1000 });
    assert.equal(total, tasks.length, "counters agree with the rows");
  } finally {
    await store[Symbol.asyncDispose]();
  }
}
