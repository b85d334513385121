import assert from "node:assert/strict";
import test from "node:test";
import type { BlobStore } from "../media/blobs.ts";
import { createMemoryBlobs } from "../media/memory.ts";
import { blobCases } from "./blob-conformance.ts";

/** Ways to be wrong that an adapter could have. */
const WRONG: Readonly<Record<string, (good: BlobStore) => Partial<BlobStore>>> = {
  "ranges include their end": (good) => ({
    read: (owner, sha256, { start, end } = {}) =>
      good.read(owner, sha256, { ...(start !== undefined && { start }), ...(end !== undefined && { end: end + 1 }) }),
  }),
  "owners share their bytes": (good) => {
    const one = { tenant: "", user: "", agent: "" };
    return {
      put: (key, content) => good.put({ ...key, ...one }, content),
      refer: (key, sha256) => good.refer({ ...key, ...one }, sha256),
      size: (_, sha256) => good.size(one, sha256),
      read: (_, sha256, range) => good.read(one, sha256, range),
      release: (key) => good.release({ ...key, ...one }),
    };
  },
  "names are folded": (good) => ({
    size: (owner, sha256) => good.size({ tenant: owner.tenant.toLowerCase(), user: owner.user, agent: owner.agent.toUpperCase() }, sha256),
  }),
  "the first release removes": (good) => ({
    refer: async () => true,
    put: (key, content) => good.put({ ...key, task: "" }, content),
    release: (key) => good.release({ ...key, task: "" }),
  }),
  "nothing is ever removed": () => ({ release: async () => undefined }),
  "anything may be referred to": () => ({ refer: async () => true }),
  "a content that breaks off is kept": (good) => ({
    async put(key, content) {
      const chunks: Uint8Array[] = [];
      try {
        for await (const chunk of content instanceof Uint8Array ? [content] : content) chunks.push(chunk);
      } catch (error) {
        await good.put(key, Buffer.concat(chunks));
        throw error;
      }
      return good.put(key, Buffer.concat(chunks));
    },
  }),
  "there is no limit": () => {
    const endless = createMemoryBlobs();
    return { put: endless.put.bind(endless), size: endless.size.bind(endless), read: endless.read.bind(endless) };
  },
};

for (const [what, spoil] of Object.entries(WRONG)) {
  test(`the suite notices a store where ${what}`, async () => {
    const noticed: string[] = [];
    for (const { title, run } of blobCases) {
      const good = createMemoryBlobs({ maxBlobBytes: 1000 });
      try {
        await run({ ...good, ...spoil(good) });
      } catch {
        noticed.push(title);
      }
    }
    assert.notDeepEqual(noticed, []);
    assert.ok(noticed.length < blobCases.length, "and not because nothing works");
  });
}
