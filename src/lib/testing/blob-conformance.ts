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

/** One requirement of the contract: `run` gets an empty store with `maxBlobBytes` 1,000 and throws if it is not met. */
export interface BlobCase {
  readonly title: string;
  readonly run: (blobs: BlobStore) => Promise<void>;
}

/** Proves that an adapter keeps the contract of `BlobStore`: call it in a test file of the adapter. */
export function runBlobConformance(name: string, { create }: BlobConformanceOptions): void {
  for (const { title, run } of blobCases) {
    void test(`${name}: ${title}`, async () => {
      await using blobs = await create({ maxBlobBytes: 1000 });
      await run(blobs);
    });
  }
}

/** The requirements, one by one. */
export const blobCases: readonly BlobCase[] = [
  {
    title: "bytes come back by their hash, whole and in ranges",
    run: async (blobs) => {
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
    },
  },

  {
    title: "a stream of chunks is one blob, and so is nothing",
    run: async (blobs) => {
      const blob = await blobs.put(KEY, chunks("ab", "", "cd"));
      assert.equal(await text(blobs, KEY, blob.sha256), "abcd");
      const empty = await blobs.put(KEY, new Uint8Array());
      assert.equal(empty.size, 0);
      assert.equal(await text(blobs, KEY, empty.sha256), "");
    },
  },

  {
    title: "the caller may reuse its buffer",
    run: async (blobs) => {
      const bytes = Buffer.from("first");
      const { sha256 } = await blobs.put(KEY, bytes);
      bytes.fill("x");
      assert.equal(await text(blobs, KEY, sha256), "first");
    },
  },

  {
    title: "content over the limit is refused and leaves nothing",
    run: async (blobs) => {
      for (const content of [Buffer.alloc(1001), chunks("x".repeat(999), "yy")]) {
        await assert.rejects(blobs.put(KEY, content), (error) => error instanceof IasError && error.code === "too-large");
      }
      assert.equal(await blobs.size(KEY, createHash("sha256").update(Buffer.alloc(1001)).digest("hex")), undefined);
      assert.equal((await blobs.put(KEY, Buffer.alloc(1000))).size, 1000);
    },
  },

  {
    title: "a content that breaks off leaves nothing",
    run: async (blobs) => {
      const broken = (async function* () {
        yield Buffer.from("half");
        throw new Error("cut off");
      })();
      await assert.rejects(blobs.put(KEY, broken), /cut off/);
      assert.equal(await blobs.size(KEY, createHash("sha256").update("half").digest("hex")), undefined);
    },
  },

  {
    title: "owners are kept apart, whatever their names",
    run: async (blobs) => {
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
    },
  },

  {
    title: "names of any length and form are separate tasks",
    run: async (blobs) => {
      const long = "ü/".repeat(128);
      const { sha256 } = await blobs.put({ ...KEY, task: `${long}1` }, Buffer.from("long"));
      await blobs.refer({ ...KEY, task: `${long}2` }, sha256);
      await blobs.release({ ...KEY, task: `${long}1` });
      assert.equal(await text(blobs, KEY, sha256), "long");
    },
  },

  {
    title: "bytes go with the last task that refers to them",
    run: async (blobs) => {
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
    },
  },

  {
    title: "what is not a hash is never found",
    run: async (blobs) => {
      for (const name of ["", "..", "../../etc/passwd", "A".repeat(64), "0".repeat(63)]) {
        assert.equal(await blobs.size(KEY, name), undefined);
        assert.equal(await blobs.read(KEY, name), undefined);
        assert.equal(await blobs.refer(KEY, name), false);
      }
    },
  },

  {
    title: "puts and releases of one owner at the same time lose nothing",
    run: async (blobs) => {
      const works: Promise<unknown>[] = [];
      for (let n = 0; n < 20; n += 1) {
        works.push(blobs.put({ ...KEY, task: `t${n}` }, Buffer.from("contested")));
        if (n % 2 === 1) works.push(blobs.release({ ...KEY, task: `t${n - 1}` }));
      }
      await Promise.all(works);
      assert.equal(await text(blobs, KEY, createHash("sha256").update("contested").digest("hex")), "contested");
    },
  },
];

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
