import assert from "node:assert/strict";
import { copyFile, mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { test } from "node:test";
import { followTo, keyOf, notHung, numbered, openWriter, readAll, textEntries, textEntry } from "../../testing/log-support.ts";
import type { Change } from "../log.ts";
import { createSqliteStore } from "../sqlite.ts";
import type { Store } from "../store.ts";

// Calls without a pause between them are one group, one transaction: what a flush does there meets everything else.

async function withStore(run: (store: Store, image: () => Promise<string>) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), "ias-groups-"));
  const store = createSqliteStore({ folder });
  let images = 0;
  try {
    await run(store, async () => {
      images += 1;
      const image = join(folder, `image-${images}`);
      await mkdir(image);
      for (const file of ["log.db", "log.db-wal"]) await copyFile(join(folder, file), join(image, file));
      return image;
    });
  } finally {
    await store[Symbol.asyncDispose]();
    await rm(folder, { recursive: true });
  }
}

const compact = (store: Store) => store.upkeep.compact({ budgetMs: 1000 });

for (const [title, other] of [
  ["an open", (store: Store) => store.log.open(keyOf("t"), { owner: "w", expect: 1 })],
  ["a seal", (store: Store) => store.log.append(keyOf("t"), { epoch: 1, firstSeq: 11, entries: [], seal: true })],
  ["a truncation", (store: Store) => store.upkeep.truncate(keyOf("t"), { floor: 4, snapshot: "{}" })],
] as const) {
  void test(`a flush together with ${title}: a killed process' folder opens, reads and flushes again`, () =>
    withStore(async (store, image) => {
      const writer = await openWriter(store.log, keyOf("t"));
      await writer.write(textEntries(10));
      await Promise.all([compact(store), other(store)]);
      const floor = title === "a truncation" ? 4 : 0;
      const left = createSqliteStore({ folder: await image() });
      await compact(left);
      assert.deepEqual(await readAll(left.log, keyOf("t")), numbered(textEntries(10)).slice(floor));
      await left[Symbol.asyncDispose]();
    }));
}

void test("a flush together with a truncation and an append loses nothing, in any order", () =>
  withStore(async (store, image) => {
    for (const order of [0, 1, 2, 3, 4, 5]) {
      const key = keyOf(`t${order}`);
      const writer = await openWriter(store.log, key);
      await writer.write(textEntries(10));
      const calls = [() => compact(store), () => store.upkeep.truncate(key, { floor: 5, snapshot: "{}" }), () => writer.write(textEntries(2, 11))];
      const first = calls.splice(order % 3, 1);
      if (order >= 3) calls.reverse();
      await Promise.all([...first, ...calls].map((call) => call()));
      const all = numbered(textEntries(14)).slice(5);
      assert.deepEqual(await readAll(store.log, key), all.slice(0, 7), `order ${order}`);
      await writer.write(textEntries(2, 13));
      await compact(store);
      assert.deepEqual(await readAll(store.log, key), all, `order ${order}, flushed`);
    }
    const left = createSqliteStore({ folder: await image() });
    for (const order of [0, 1, 2, 3, 4, 5]) assert.deepEqual(await readAll(left.log, keyOf(`t${order}`)), numbered(textEntries(14)).slice(5));
    await left[Symbol.asyncDispose]();
  }));

void test("entries that are flushed by the commit that writes them keep the position of their change", () =>
  withStore(async (store, image) => {
    const writer = await openWriter(store.log, keyOf("t"));
    await writer.write(textEntries(10));
    await Promise.all([writer.write(textEntries(1, 11)), compact(store)]);
    await (await openWriter(store.log, keyOf("u"))).write(textEntries(1));
    await compact(store);
    const before = await firstChanges(store);
    const left = createSqliteStore({ folder: await image() });
    assert.deepEqual(await firstChanges(left), before);
    await left[Symbol.asyncDispose]();
  }));

void test("a removal together with a flush leaves no segment behind", () =>
  withStore(async (store, image) => {
    const writer = await openWriter(store.log, keyOf("t"));
    await writer.write(textEntries(10));
    await writer.send({ seal: true });
    const [removed] = await Promise.all([store.upkeep.remove(keyOf("t")), compact(store)]);
    assert.equal(removed, true);
    const database = new DatabaseSync(join(await image(), "log.db"));
    assert.deepEqual(database.prepare("SELECT stream, seq FROM segments").all(), []);
    database.close();
  }));

for (const [title, drop] of [
  ["removed", (store: Store) => store.upkeep.remove(keyOf("old"))],
  ["truncated", (store: Store) => store.upkeep.truncate(keyOf("old"), { floor: 10, snapshot: "{}" })],
] as const) {
  void test(`no reader gets entries of another stream that was read and then ${title}`, () =>
    withStore(async (store) => {
      const old = await openWriter(store.log, keyOf("old"));
      await old.write(Array.from({ length: 10 }, (_, i) => textEntry(`secret ${i}`)));
      await old.send({ seal: true });
      await compact(store);
      assert.equal((await readAll(store.log, keyOf("old"))).length, 10);
      assert.ok(await drop(store));
      const writer = await openWriter(store.log, keyOf("new"));
      await writer.write(textEntries(10));
      await compact(store);
      assert.deepEqual(await readAll(store.log, keyOf("new")), numbered(textEntries(10)));
      assert.deepEqual(await notHung(followTo(store.log, keyOf("new"), { after: 3, until: 10 }), "follow"), numbered(textEntries(10)).slice(3));
    }));
}

void test("a broken segment stands in the way of its readers only: not of a commit beside its merge, not of other streams' merges", () =>
  withStore(async (store, image) => {
    const writers = [await openWriter(store.log, keyOf("broken")), await openWriter(store.log, keyOf("sound"))];
    for (let i = 0; i < 8; i += 1) {
      for (const writer of writers) await writer.write(textEntries(10, writer.next));
      if (i < 7) await compact(store);
    }
    const folder = await image();
    const database = new DatabaseSync(join(folder, "log.db"));
    database.exec("UPDATE segments SET body = 'x' WHERE stream = 1 AND seq = 20");
    database.close();
    const left = createSqliteStore({ folder });
    const writer = await openWriter(left.log, keyOf("third"));
    const [{ merged }] = await Promise.all([compact(left), writer.write(textEntries(1))]);
    assert.equal(merged, 80);
    await assert.rejects(readAll(left.log, keyOf("broken")), { name: "IasError", code: "corrupt" });
    assert.deepEqual(await readAll(left.log, keyOf("sound")), numbered(textEntries(80)));
    await left[Symbol.asyncDispose]();
  }));

void test("a store whose rows cannot be written any more is closed all the same", () =>
  withStore(async (_, image) => {
    const folder = await image();
    const store = createSqliteStore({ folder });
    await (await openWriter(store.log, keyOf("t"))).write(textEntries(3));
    const live = followTo(store.log, keyOf("t"), { after: 0 });
    const other = new DatabaseSync(join(folder, "log.db"));
    other.exec("CREATE TRIGGER refuse BEFORE UPDATE ON streams BEGIN SELECT raise(ROLLBACK, 'no room'); END");
    await store[Symbol.asyncDispose]();
    assert.equal((await notHung(live, "follower")).length, 3);
    other.exec("DROP TRIGGER refuse");
    other.close();
    const again = createSqliteStore({ folder });
    assert.deepEqual(await readAll(again.log, keyOf("t")), numbered(textEntries(3)));
    await again[Symbol.asyncDispose]();
  }));

async function firstChanges(store: Store): Promise<readonly Change[] | undefined> {
  const stop = new AbortController();
  const changes = store.log.changes({ after: 0, signal: stop.signal })[Symbol.asyncIterator]();
  const { value } = await notHung(changes.next(), "changes");
  stop.abort();
  return value;
}
