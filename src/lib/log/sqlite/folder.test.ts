import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { chmod, copyFile, mkdir, mkdtemp, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync, StatementSync } from "node:sqlite";
import { test } from "node:test";
import { followTo, keyOf, notHung, numbered, openWriter, readAll, rowOf, statusEntry, textEntries, turn } from "../../testing/log-support.ts";
import { LEASE_MS, type Change, type Page } from "../log.ts";
import { createSqliteStore } from "../sqlite.ts";
import type { Store } from "../store.ts";

async function withFolder(run: (folder: string) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), "ias-folder-"));
  try {
    await run(folder);
  } finally {
    await rm(folder, { recursive: true });
  }
}

void test("a data folder has one owner: the second is told the process that holds it", () =>
  withFolder(async (folder) => {
    const holder = spawn(process.execPath, [
      "--expose-gc",
      "--input-type=module",
      "-e",
      `import { createSqliteStore } from ${JSON.stringify(new URL("../sqlite.ts", import.meta.url).href)};
       createSqliteStore({ folder: ${JSON.stringify(folder)} });
       setTimeout(() => {
         gc();
         console.log("held");
       });
       setInterval(() => {}, 1000);`,
    ]);
    await notHung(once(holder.stdout, "data"), "holder");
    assert.throws(
      () => createSqliteStore({ folder }),
      (error: Error & { code?: string; details?: Record<string, string> }) => {
        assert.deepEqual([error.name, error.code, error.details?.["pid"]], ["IasError", "conflict", String(holder.pid)]);
        assert.match(error.message, new RegExp(`process ${holder.pid} on .*, started \\d{4}-`));
        return true;
      },
    );
    const reader = createSqliteStore({ folder, readOnly: true });
    assert.deepEqual(await reader.index.list({ limit: 10 }), { tasks: [], total: 0, more: false });
    await reader[Symbol.asyncDispose]();
    holder.kill("SIGKILL");
    await once(holder, "exit");
    await createSqliteStore({ folder })[Symbol.asyncDispose]();
  }));

void test("a folder that is made is for this user alone; one that is there keeps its permissions", () =>
  withFolder(async (folder) => {
    const modeOf = async (...path: readonly string[]): Promise<number> => (await stat(join(folder, ...path))).mode & 0o777;
    const given = join(folder, "given");
    await mkdir(given);
    await chmod(given, 0o750);
    for (const [name, path] of [
      ["given", given],
      ["made", join(folder, "made", "data")],
    ] as const) {
      const store = createSqliteStore({ folder: path });
      await openWriter(store.log, keyOf("t"));
      if (name === "made") {
        assert.deepEqual(
          [await modeOf("made", "data"), await modeOf("made", "data", "log.db"), await modeOf("made", "data", "log.db-wal")],
          [0o700, 0o600, 0o600],
        );
      } else assert.equal(await modeOf("given"), 0o750);
      await store[Symbol.asyncDispose]();
    }
  }));

void test("a data folder has one owner within a process too, and is free after disposal", () =>
  withFolder(async (folder) => {
    const store = createSqliteStore({ folder });
    assert.throws(() => createSqliteStore({ folder }), { name: "IasError", code: "conflict" });
    await store[Symbol.asyncDispose]();
    await createSqliteStore({ folder })[Symbol.asyncDispose]();
  }));

void test("read-only: what it once met is neither kept nor looked at again, and followers and changes miss nothing", (t) =>
  withFolder(async (folder) => {
    await using owner = createSqliteStore({ folder, maxBlockLength: 1000 });
    const count = 900;
    for (let at = 0; at < count; at += 1) {
      const writer = await openWriter(owner.log, keyOf(`t${at}`));
      await writer.write([statusEntry("TASK_STATE_COMPLETED")], { index: rowOf(keyOf(`t${at}`), { state: "TASK_STATE_COMPLETED" }) });
    }
    const live = await openWriter(owner.log, keyOf("live"));
    await live.write(textEntries(10));
    const quiet = await openWriter(owner.log, keyOf("quiet"));
    await quiet.write(textEntries(100));
    // To the reader's clock all leases have ended: it keeps no stream for its owner's sake.
    await using reader = createSqliteStore({ folder, readOnly: true, now: () => Date.now() + 10 * LEASE_MS });
    const followed = followTo(reader.log, keyOf("live"), { after: 5 });
    const changes = reader.log.changes({ after: 0, signal: new AbortController().signal })[Symbol.asyncIterator]();
    const told = new Set<string>();
    const listen = async (): Promise<void> => {
      for (const { key } of (await changes.next()).value ?? []) told.add(key.task);
    };
    while (told.size < count + 2) await notHung(listen(), "changes");
    for (let at = 0; at < count; at += 1) assert.equal((await readAll(reader.log, keyOf(`t${at}`))).length, 1);
    await live.write(textEntries(5));
    const rows = t.mock.method(StatementSync.prototype, "get");
    assert.equal((await readAll(reader.log, keyOf("live"))).length, 15);
    assert.ok(rows.mock.callCount() < 400, `${rows.mock.callCount()} rows were read for one commit`);
    rows.mock.restore();
    told.clear();
    await quiet.write(textEntries(3));
    assert.equal((await readAll(reader.log, keyOf("quiet"))).length, 103);
    while (!told.has("quiet")) await notHung(listen(), "a change of a stream that was let go");
    await live.write([statusEntry("TASK_STATE_COMPLETED")], { index: rowOf(keyOf("live"), { state: "TASK_STATE_COMPLETED" }) });
    assert.deepEqual(
      (await notHung(followed, "follow")).map(({ seq }) => seq),
      [6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16],
    );
  }));

void test("read-only: sees the owner's commits while it writes, flushes and compacts; follows; writes nothing", () =>
  withFolder(async (folder) => {
    // A reader knows a lease by the time of the commit, some ms after the owner's.
    const now = (): number => 1_767_225_600_000;
    const owner = createSqliteStore({ folder, now, maxBlockLength: 20_000 });
    const early = await openWriter(owner.log, keyOf("early"));
    await early.write([statusEntry("TASK_STATE_WORKING"), ...textEntries(99)], { index: rowOf(keyOf("early")), records: [{ key: "k", value: "1" }] });
    const reader = createSqliteStore({ folder, now, readOnly: true });
    const written = [statusEntry("TASK_STATE_WORKING"), ...textEntries(99)];
    assert.equal(reader.log.id, owner.log.id);
    assert.deepEqual(await readAll(reader.log, keyOf("early")), numbered(written));
    const live = followTo(reader.log, keyOf("early"), { after: 50 });
    const late = await openWriter(owner.log, keyOf("late"));
    for (let round = 0; round < 40; round += 1) {
      const entries = textEntries(20, early.next);
      written.push(...entries);
      await early.write(entries);
      await late.write(textEntries(5, late.next));
      if (round % 10 === 0) await owner.upkeep.compact({ budgetMs: 1000 });
      assert.equal((await reader.log.read(keyOf("early"), { after: 0, maxBytes: 0 }))?.head, early.next - 1);
      if (round % 7 === 0) assert.deepEqual(await readAll(reader.log, keyOf("late")), numbered(textEntries(late.next - 1)));
    }
    const done = rowOf(keyOf("early"), { state: "TASK_STATE_COMPLETED" });
    written.push(statusEntry("TASK_STATE_COMPLETED"));
    await early.write([statusEntry("TASK_STATE_COMPLETED")], { index: done });
    assert.deepEqual(await notHung(live, "follow of a reader"), numbered(written).slice(50));
    assert.deepEqual(await reader.index.list({ limit: 10 }), await owner.index.list({ limit: 10 }));
    assert.equal((await reader.records.get("k"))?.value, "1");
    const changes = reader.log.changes({ after: 0, signal: new AbortController().signal })[Symbol.asyncIterator]();
    const seen = await notHung(changes.next(), "changes");
    assert.deepEqual(
      (seen.value ?? []).map((change: { key: { task: string }; seq: number }) => [change.key.task, change.seq]),
      [
        ["late", late.next - 1],
        ["early", early.next - 1],
      ],
    );
    const next = changes.next();
    await late.write(textEntries(1));
    assert.equal((await notHung(next, "next change")).value?.[0]?.seq, late.next - 1);
    for (const refused of [
      reader.log.open(keyOf("x"), { owner: "w", expect: 0 }),
      reader.log.append(keyOf("late"), { epoch: 1, firstSeq: 1, entries: [] }),
      reader.records.put({ key: "k", value: "2" }),
      reader.records.delete("k"),
      reader.upkeep.compact({ budgetMs: 1 }),
    ]) {
      await assert.rejects(refused, { name: "IasError", code: "forbidden" });
    }
    assert.equal(await owner.upkeep.remove(keyOf("early")), true);
    assert.equal(await reader.log.read(keyOf("early"), { after: 0 }), undefined);
    await owner[Symbol.asyncDispose]();
    assert.deepEqual(
      await readAll(reader.log, keyOf("late")),
      numbered(textEntries(late.next - 2)).concat({ ...numbered(textEntries(1))[0], seq: late.next - 1 } as never),
    );
    await reader[Symbol.asyncDispose]();
  }));

void test("read-only: a page begins right after the floor that it names, whatever the owner truncates meanwhile", () =>
  withFolder(async (folder) => {
    const owner = spawn(process.execPath, [
      "--input-type=module",
      "-e",
      `import { createSqliteStore } from ${JSON.stringify(new URL("../sqlite.ts", import.meta.url).href)};
       import { keyOf, openWriter, textEntries } from ${JSON.stringify(new URL("../../testing/log-support.ts", import.meta.url).href)};
       const store = createSqliteStore({ folder: ${JSON.stringify(folder)}, maxBlockLength: 3000 });
       const writer = await openWriter(store.log, keyOf("t"));
       console.log("writing");
       for (let round = 0; round < 1500; round += 1) {
         await writer.write(textEntries(20, writer.next));
         if (writer.next > 60) await store.upkeep.truncate(keyOf("t"), { floor: writer.next - 31, snapshot: "{}" });
         if (round % 10 === 0) await store.upkeep.compact({ budgetMs: 50 });
       }
       await store[Symbol.asyncDispose]();`,
    ]);
    const exit = once(owner, "exit");
    await notHung(once(owner.stdout, "data"), "owner");
    const reader = createSqliteStore({ folder, readOnly: true });
    while (owner.exitCode === null) {
      for (let i = 0; i < 50; i += 1) {
        const page = await reader.log.read(keyOf("t"), { after: 0 });
        if (page !== undefined && page.head > page.floor) assert.equal(page.entries[0]?.seq, page.floor + 1);
      }
      await turn();
    }
    assert.deepEqual(await exit, [0, null]);
    await reader[Symbol.asyncDispose]();
  }));

void test("read-only: a folder without a log is named", () =>
  withFolder(async (folder) => {
    assert.throws(() => createSqliteStore({ folder, readOnly: true }), { name: "IasError", code: "not-found" });
  }));

void test("damage is named: no database, a newer schema, a lost block, a broken segment", () =>
  withFolder(async (folder) => {
    const path = join(folder, "log.db");
    await writeFile(path, "this is no database, but it is long enough to be taken for one".repeat(100));
    assert.throws(() => createSqliteStore({ folder }), { name: "IasError", code: "corrupt" });
    await rm(path);

    const store = createSqliteStore({ folder });
    const writer = await openWriter(store.log, keyOf("t"));
    await writer.write(textEntries(10));
    await writer.write(textEntries(10, 11));
    await writer.write(textEntries(10, 21));
    await store[Symbol.asyncDispose]();
    edit(path, "DELETE FROM blocks WHERE id = 2");
    assert.throws(() => createSqliteStore({ folder }), { name: "IasError", code: "corrupt", message: /Entry 11/ });
    edit(path, "DELETE FROM blocks");
    assert.throws(() => createSqliteStore({ folder }), { name: "IasError", code: "corrupt" });

    edit(path, "PRAGMA user_version = 999");
    assert.throws(() => createSqliteStore({ folder }), { name: "IasError", code: "configuration", message: /newer version/ });
    assert.throws(() => createSqliteStore({ folder, readOnly: true }), { name: "IasError", code: "configuration" });
  }));

void test("a broken segment fails its readers by name, and nobody else", () =>
  withFolder(async (folder) => {
    const store = createSqliteStore({ folder });
    for (const task of ["a", "b"]) await (await openWriter(store.log, keyOf(task))).write(textEntries(100));
    await store.upkeep.compact({ budgetMs: 1000 });
    await store[Symbol.asyncDispose]();
    edit(join(folder, "log.db"), "UPDATE segments SET body = 'x' WHERE stream = 1");
    const again = createSqliteStore({ folder });
    await assert.rejects(readAll(again.log, keyOf("a")), { name: "IasError", code: "corrupt" });
    await assert.rejects(followTo(again.log, keyOf("a"), { after: 0 }), { name: "IasError", code: "corrupt" });
    assert.equal((await readAll(again.log, keyOf("b"))).length, 100);
    await again[Symbol.asyncDispose]();
  }));

void test("a full disk (or `maxDatabaseBytes`) refuses the append by name; nothing is half written, and writing goes on when there is room", () =>
  withFolder(async (folder) => {
    const store = createSqliteStore({ folder, maxDatabaseBytes: 1024 * 1024 });
    const writer = await openWriter(store.log, keyOf("t"));
    await writer.write(textEntries(10));
    const live = followTo(store.log, keyOf("t"), { after: 0 });
    const big = Array.from({ length: 8 }, (_, i) => ({ key: `big/${i}`, value: "x".repeat(256 * 1024) }));
    const answers = await Promise.allSettled([
      writer.send({ entries: textEntries(5, 11), records: big }),
      writer.send({ firstSeq: 16, entries: textEntries(1, 16) }),
    ]);
    for (const answer of answers) {
      assert.equal(answer.status, "rejected");
      assert.deepEqual([answer.reason.name, answer.reason.code, answer.reason.reason, answer.reason.retryable], ["IasError", "unavailable", "DISK_FULL", true]);
    }
    assert.equal(await store.records.get("big/0"), undefined);
    await writer.write(textEntries(5, 11));
    await writer.send({ seal: true });
    assert.deepEqual(await notHung(live, "follower"), numbered(textEntries(15)));
    await store[Symbol.asyncDispose]();
    const again = createSqliteStore({ folder });
    assert.deepEqual(await readAll(again.log, keyOf("t")), numbered(textEntries(15)));
    await again[Symbol.asyncDispose]();
  }));

void test("what a killed process leaves opens with the same heads, leases, positions and rows", () =>
  withFolder(async (folder) => {
    const store = createSqliteStore({ folder, now: () => 1_767_225_600_000 });
    const first = await openWriter(store.log, keyOf("first"));
    const second = await openWriter(store.log, keyOf("second"));
    for (let i = 0; i < 20; i += 1) {
      await first.write(textEntries(3, first.next));
      if (i === 10) await store.upkeep.compact({ budgetMs: 1000 });
    }
    await second.write([statusEntry("TASK_STATE_WORKING")], { index: rowOf(second.key) });
    const image = join(folder, "image");
    await mkdir(image);
    for (const file of ["log.db", "log.db-wal"]) await copyFile(join(folder, file), join(image, file));
    const left = createSqliteStore({ folder: image, now: () => 1_767_225_600_000 });
    for (const key of [first.key, second.key]) {
      assert.deepEqual(await left.log.read(key, { after: 0 }), await store.log.read(key, { after: 0 }));
      assert.deepEqual(await left.index.get(key), await store.index.get(key));
    }
    assert.deepEqual(await firstChanges(left), await firstChanges(store));
    await left[Symbol.asyncDispose]();
    await store[Symbol.asyncDispose]();
  }));

void test("a lease that a killed process left is the one of its last entries", () =>
  withFolder(async (folder) => {
    let time = 1_767_225_600_000;
    const store = createSqliteStore({ folder, now: () => time });
    const writer = await openWriter(store.log, keyOf("t"));
    time += 4000;
    await writer.write(textEntries(1));
    const image = join(folder, "image");
    await mkdir(image);
    for (const file of ["log.db", "log.db-wal"]) await copyFile(join(folder, file), join(image, file));
    const left = createSqliteStore({ folder: image, now: () => time });
    assert.equal((await left.log.read(keyOf("t"), { after: 0 }))?.leaseEndsAt, time + LEASE_MS);
    await left[Symbol.asyncDispose]();
    await store[Symbol.asyncDispose]();
  }));

for (const durability of ["process", "host"] as const) {
  void test(`no reader sees an entry before its commit is as durable as promised (${durability})`, () =>
    withFolder(async (folder) => {
      const seen: Promise<Page | undefined>[] = [];
      let watching = false;
      const store: Store = createSqliteStore({
        folder,
        durability,
        failPoint(name) {
          if (watching && name === "after-commit") seen.push(store.log.read(keyOf("t"), { after: 0 }));
        },
      });
      const writer = await openWriter(store.log, keyOf("t"));
      await writer.write(textEntries(5));
      watching = true;
      await writer.write([statusEntry("TASK_STATE_COMPLETED")], { index: rowOf(keyOf("t"), { state: "TASK_STATE_COMPLETED" }) });
      const page = await seen[0];
      assert.deepEqual([page?.head, page?.entries.length, page?.sealed], [5, 5, false]);
      assert.equal((await store.log.read(keyOf("t"), { after: 0 }))?.head, 6);
      await store[Symbol.asyncDispose]();
    }));
}

async function firstChanges(store: Store): Promise<readonly Change[] | undefined> {
  const stop = new AbortController();
  const changes = store.log.changes({ after: 0, signal: stop.signal })[Symbol.asyncIterator]();
  const { value } = await notHung(changes.next(), "changes");
  stop.abort();
  return value;
}

function edit(path: string, sql: string): void {
  const database = new DatabaseSync(path);
  database.exec(sql);
  database.close();
}
