import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import test from "node:test";
import type { BlobStore } from "../media/blobs.ts";
import { IasError } from "../model/errors.ts";
import type { StreamKey } from "../model/key.ts";

/** How the suite gets an empty store; it disposes each. */
export interface BlobConformanceOptions {
  readonly create: (limits: { readonly maxBlobBytes: number }) => Promise<BlobStore>;
}

const KEY: StreamKey = { tenant: "t", user: "u", agent: "a", task: "one" };

/** Proves that an adapter keeps the contract of `BlobStore`: call it in a test file of the adapter. */
export function runBlobConformance(name: string, { create }: BlobConformanceOptions): void {
  const check = (title: string, work: (blobs: BlobStore) => Promise<void>): void =>
    void test(`${name}: ${title}`, async () => {
      await using blobs = await create({ maxBlobBytes: 1000 });
      await work(blobs);
    });

  check("bytes come back by their hash, whole and in ranges", async (blobs) => {
    const bytes = Buffer.from("0123456789");
    const blob = await blobs.put(KEY, bytes);
    assert.deepEqual(blob, { sha256: createHash("sha256").update(bytes).digest("hex"), size: 10 });
    assert.equal(await blobs.size(KEY, blob.sha256), 10);
    assert.equal(await text(blobs, KEY, blob.sha256), "0123456789");
    assert.equal(await text(blobs, KEY, blob.sha256, { start: 3 }), "3456789");
    assert.equal(await text(blobs, KEY, blob.sha256, { start: 3, end: 5 }), "34");
    assert.equal(await text(blobs, KEY, blob.sha256, { start: 8, end: 50 }), "89");
    assert.equal(await text(blobs, KEY, blob.sha256, { start: 10 }), "");
    assert.equal(await text(blobs, KEY, blob.sha256, { start: 4, end: 4 }), "");
  });

  check("a stream of chunks is one blob, and so is nothing", async (blobs) => {
    const blob = await blobs.put(KEY, chunks("ab", "", "cd"));
    assert.equal(await text(blobs, KEY, blob.sha256), "abcd");
    const empty = await blobs.put(KEY, new Uint8Array());
    assert.equal(empty.size, 0);
    assert.equal(await text(blobs, KEY, empty.sha256), "");
  });

  check("the caller may reuse its buffer", async (blobs) => {
    const bytes = Buffer.from("first");
    const { sha256 } = await blobs.put(KEY, bytes);
    bytes.fill("x");
    assert.equal(await text(blobs, KEY, sha256), "first");
  });

  check("content over the limit is refused and leaves nothing", async (blobs) => {
    for (const content of [Buffer.alloc(1001), chunks("x".repeat(999), "yy")]) {
      await assert.rejects(blobs.put(KEY, content), (error) => error instanceof IasError && error.code === "too-large");
    }
    assert.equal(await blobs.size(KEY, createHash("sha256").update(Buffer.alloc(1001)).digest("hex")), undefined);
    assert.equal((await blobs.put(KEY, Buffer.alloc(1000))).size, 1000);
  });

  check("a content that breaks off leaves nothing", async (blobs) => {
    const broken = (async function* () {
      yield Buffer.from("half");
      throw new Error("cut off");
    })();
    await assert.rejects(blobs.put(KEY, broken), /cut off/);
    assert.equal(await blobs.size(KEY, createHash("sha256").update("half").digest("hex")), undefined);
  });

  check("owners are kept apart, whatever their names", async (blobs) => {
    const { sha256 } = await blobs.put({ tenant: "a/b", user: "..", agent: "C", task: "x" }, Buffer.from("mine"));
    for (const [tenant, user, agent] of [
      ["a", "b/..", "C"],
      ["a/b", "..", "c"],
      ["A/B", "..", "C"],
      ["a/b", ".", "C"],
      ["a/b/..", "", "C"],
      ["a%2Fb", "..", "C"],
    ] as const) {
      assert.equal(await blobs.size({ tenant, user, agent }, sha256), undefined);
      assert.equal(await blobs.read({ tenant, user, agent }, sha256), undefined);
      assert.equal(await blobs.refer({ tenant, user, agent, task: "x" }, sha256), false);
    }
    assert.equal(await text(blobs, { tenant: "a/b", user: "..", agent: "C" }, sha256), "mine");
  });

  check("names of any length and form are separate tasks", async (blobs) => {
    const long = "ü/".repeat(128);
    const { sha256 } = await blobs.put({ ...KEY, task: `${long}1` }, Buffer.from("long"));
    await blobs.refer({ ...KEY, task: `${long}2` }, sha256);
    await blobs.release({ ...KEY, task: `${long}1` });
    assert.equal(await text(blobs, KEY, sha256), "long");
  });

  check("bytes go with the last task that refers to them", async (blobs) => {
    const two = { ...KEY, task: "two" };
    const three = { ...KEY, task: "three" };
    const { sha256 } = await blobs.put(KEY, Buffer.from("shared"));
    await blobs.put(two, Buffer.from("shared"));
    assert.equal(await blobs.refer(three, sha256), true);
    await blobs.release(KEY);
    await blobs.release(KEY);
    await blobs.release(two);
    assert.equal(await text(blobs, KEY, sha256), "shared");
    await blobs.release(three);
    assert.equal(await blobs.size(KEY, sha256), undefined);
    assert.equal(await blobs.refer(KEY, sha256), false);
    await blobs.put(KEY, Buffer.from("shared"));
    assert.equal(await text(blobs, KEY, sha256), "shared");
  });

  check("what is not a hash is never found", async (blobs) => {
    for (const name of ["", "..", "../../etc/passwd", "A".repeat(64), "0".repeat(63)]) {
      assert.equal(await blobs.size(KEY, name), undefined);
      assert.equal(await blobs.read(KEY, name), undefined);
      assert.equal(await blobs.refer(KEY, name), false);
    }
  });

  check("puts and releases of one owner at the same time lose nothing", async (blobs) => {
    const works: Promise<unknown>[] = [];
    for (let n = 0; n < 20; n += 1) {
      works.push(blobs.put({ ...KEY, task: `t${n}` }, Buffer.from("contested")));
      if (n % 2 === 1) works.push(blobs.release({ ...KEY, task: `t${n - 1}` }));
    }
    await Promise.all(works);
    assert.equal(await text(blobs, KEY, createHash("sha256").update("contested").digest("hex")), "contested");
  });
}

async function* chunks(...texts: readonly string[]): AsyncGenerator<Uint8Array, void, undefined> {
  for (const piece of texts) yield Buffer.from(piece);
}

async function text(blobs: BlobStore, owner: Omit<StreamKey, "task">, sha256: string, range?: { start?: number; end?: number }): Promise<string> {
  const content = await blobs.read(owner, sha256, range);
  assert.ok(content !== undefined, "the blob is there");
  const parts: Uint8Array[] = [];
  for await (const chunk of content) parts.push(chunk);
  return Buffer.concat(parts).toString();
}
