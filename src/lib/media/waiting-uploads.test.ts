import assert from "node:assert/strict";
import { test } from "node:test";
import { collect } from "../../../test/support/serving.ts";
import { createMemoryStore } from "../log/memory.ts";
import { createWaitingUploads } from "./waiting-uploads.ts";

const KB = 1024;
const caller = { tenant: "t", user: "u" };

function setUp() {
  let time = 5_000_000;
  const uploads = createWaitingUploads({
    records: createMemoryStore().records,
    limits: { maxWaitingUploadBytes: 100 * KB, uploadTtlMs: 1000 },
    now: () => time,
  });
  const add = async (sha256: string, size: number): Promise<void> => {
    const place = uploads.place(caller);
    await uploads.open(place);
    await uploads.add(place, { sha256, size });
  };
  return { uploads, add, pass: (ms: number) => (time += ms) };
}

test("a file counts once until a message takes it, at least 16 KiB, and for its caller alone", async () => {
  const { uploads, add } = setUp();
  await add("a", 30 * KB);
  await add("a", 30 * KB);
  await add("b", 1);
  assert.equal(await uploads.free(caller), 54 * KB);
  assert.equal(await uploads.free({ ...caller, user: "v" }), 100 * KB);
  await uploads.taken({ ...caller, user: "v" }, "a");
  await uploads.taken(caller, "a");
  await uploads.taken(caller, "a");
  assert.equal(await uploads.free(caller), 84 * KB);
});

test("a file that is uploaded again later counts later, and its first place is removed with its time", async () => {
  const { uploads, add, pass } = setUp();
  await add("a", 30 * KB);
  const first = uploads.place(caller);
  pass(1000);
  await add("a", 30 * KB);
  assert.equal(await uploads.free(caller), 70 * KB);
  assert.deepEqual(await collect(uploads.over()), []);
  pass(1000);
  assert.deepEqual(await collect(uploads.over()), [first]);
  assert.equal(await uploads.free(caller), 70 * KB);
  pass(1000);
  assert.equal(await uploads.free(caller), 100 * KB);
  await uploads.taken(caller, "a");
  assert.equal(await uploads.free(caller), 100 * KB);
});

test("what is on its way counts for all files of the caller at once", () => {
  const { uploads } = setUp();
  using first = uploads.receive(caller);
  {
    using second = uploads.receive(caller);
    first.count(10);
    assert.equal(second.count(5), 15);
  }
  assert.equal(first.count(1), 11);
});
