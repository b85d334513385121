import assert from "node:assert/strict";
import { joinKey } from "../model/key.ts";
import type { LogCase } from "./log-support.ts";

/** Small versioned documents (SEMANTICS 11). */
export const recordsCases: readonly LogCase[] = [
  {
    title: "records: put, get and delete, with versions from 1",
    async run({ store: { records } }) {
      assert.equal(await records.get("k"), undefined);
      assert.deepEqual(await records.put({ key: "k", value: '{"a":1}' }), { ok: true, version: 1 });
      assert.deepEqual(await records.put({ key: "k", value: '{"a":"🙂"}' }), { ok: true, version: 2 });
      assert.deepEqual(await records.get("k"), { key: "k", value: '{"a":"🙂"}', version: 2 });
      assert.equal(await records.delete("k"), true);
      assert.equal(await records.delete("k"), false);
      assert.equal(await records.get("k"), undefined);
      assert.deepEqual(await records.put({ key: "k", value: "1" }), { ok: true, version: 1 });
    },
  },
  {
    title: "records: `ifVersion` holds or the record that stands there is returned",
    async run({ store: { records } }) {
      assert.deepEqual(await records.put({ key: "k", value: "1", ifVersion: 1 }), { ok: false, found: undefined });
      assert.deepEqual(await records.put({ key: "k", value: "1", ifVersion: 0 }), { ok: true, version: 1 });
      assert.deepEqual(await records.put({ key: "k", value: "2", ifVersion: 0 }), { ok: false, found: { key: "k", value: "1", version: 1 } });
      assert.deepEqual(await records.put({ key: "k", value: "2", ifVersion: 1 }), { ok: true, version: 2 });
      assert.equal(await records.delete("k", { ifVersion: 1 }), false);
      assert.equal(await records.delete("k", { ifVersion: 2 }), true);
    },
  },
  {
    title: "records: of many writers at once on one version, one wins",
    async run({ store: { records } }) {
      const answers = await Promise.all(Array.from({ length: 20 }, (_, i) => records.put({ key: "k", value: `${i}`, ifVersion: 0 })));
      assert.equal(answers.filter((answer) => answer.ok).length, 1);
    },
  },
  {
    title: "records: one whose time is over does not exist, for get, put, delete and list",
    async run({ store: { records }, clock }) {
      for (const key of ["a", "b", "c", "d"]) await records.put({ key, value: "1", ttlMs: 1000 });
      await records.put({ key: "e", value: "1" });
      clock.advance(999);
      assert.equal((await records.list("", { limit: 10 })).length, 5);
      clock.advance(1);
      assert.equal(await records.get("a"), undefined);
      assert.deepEqual(await records.put({ key: "b", value: "2", ifVersion: 0 }), { ok: true, version: 1 });
      assert.equal(await records.delete("c"), false);
      assert.deepEqual(
        (await records.list("", { limit: 10 })).map((record) => record.key),
        ["b", "e"],
      );
      clock.advance(1e9);
      assert.equal((await records.get("b"))?.value, "2", "written without a time to live, it is kept");
    },
  },
  {
    title: "records: lists a folder in key order, by pages",
    async run({ store: { records } }) {
      const names = ["a", "b/c", "b", "ü", "a%", "z", "_", "A"];
      for (const name of names) await records.put({ key: joinKey("push", "t1", name), value: `"${name}"` });
      await records.put({ key: joinKey("push", "t10", "a"), value: "1" });
      await records.put({ key: joinKey("pusha"), value: "1" });
      const prefix = `${joinKey("push", "t1")}/`;
      const expected = names.map((name) => joinKey("push", "t1", name)).sort();
      assert.deepEqual(
        (await records.list(prefix, { limit: 1000 })).map((record) => record.key),
        expected,
      );
      const paged: string[] = [];
      for (let after: string | undefined; ;) {
        const page = await records.list(prefix, { limit: 3, ...(after !== undefined && { after }) });
        paged.push(...page.map((record) => record.key));
        after = page.at(-1)?.key;
        if (page.length < 3) break;
      }
      assert.deepEqual(paged, expected);
    },
  },
  {
    title: "records: limits have named errors",
    async run({ store: { records } }) {
      await assert.rejects(records.put({ key: "k", value: "x".repeat(256 * 1024 + 1) }), { name: "IasError", code: "too-large" });
      await assert.rejects(records.put({ key: "", value: "1" }), { name: "IasError", code: "invalid-request" });
      await assert.rejects(records.list("", { limit: 0 }), { name: "IasError", code: "invalid-request" });
      await assert.rejects(records.list("", { limit: 1001 }), { name: "IasError", code: "invalid-request" });
      assert.equal(await records.get("k"), undefined);
    },
  },
];
