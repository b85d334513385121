import assert from "node:assert/strict";
import test from "node:test";
import { type ReadonlySignal, signal as signalOf } from "@preact/signals";
import { pageNow } from "./frame.ts";
import type { Conditions } from "./transport.ts";
import { worsen } from "./worse.ts";

const LATE: Conditions = { latencyMs: 300 };

async function* every(ms: number, count: number, made: number[] = []): AsyncGenerator<number> {
  for (let n = 0; n < count; n += 1) {
    await new Promise((resolve) => setTimeout(resolve, ms));
    made.push(pageNow());
    yield n;
  }
}

const options = (conditions: Conditions | undefined) => under(signalOf(conditions), 100);

function under(conditions: ReadonlySignal<Conditions | undefined>, size: number) {
  return { sizeOf: () => size, conditions, signal: new AbortController().signal };
}

test("a far network brings each piece late, and not each after the one before", async () => {
  const made: number[] = [];
  const late: number[] = [];
  const got: number[] = [];
  for await (const piece of worsen(every(20, 20, made), options(LATE))) {
    late.push(pageNow() - (made[got.length] ?? 0));
    got.push(piece);
  }
  assert.deepEqual(got, [...Array(20).keys()]);
  assert.ok(Math.min(...late) >= 295, `too early: ${Math.min(...late)}`);
  // One after the other the last would be 20 times as late.
  assert.ok((late.at(-1) ?? 0) < 3000, `the last came ${late.at(-1)} ms late`);
});

test("a thin network is read no faster than it lets through", async () => {
  let read = 0;
  async function* flood(): AsyncGenerator<number> {
    for (;;) yield (read += 1);
  }
  let taken = 0;
  for await (const _ of worsen(flood(), options({ bytesPerSecond: 10_000 }))) if ((taken += 1) === 10) break;
  assert.ok(read <= 12, `${read} pieces were read for ${taken}`);
});

test("what the source throws comes after what it gave", async () => {
  async function* broken(): AsyncGenerator<number> {
    yield 1;
    throw new Error("cut");
  }
  const got: number[] = [];
  await assert.rejects(async () => {
    for await (const piece of worsen(broken(), options({ latencyMs: 20 }))) got.push(piece);
  }, /cut/);
  assert.deepEqual(got, [1]);
});

test("who leaves early leaves the source", async () => {
  let closed = false;
  async function* held(): AsyncGenerator<number> {
    try {
      for (let n = 0; ; n += 1) yield n;
    } finally {
      closed = true;
    }
  }
  for await (const _ of worsen(held(), options(undefined))) break;
  await new Promise((resolve) => setImmediate(resolve));
  assert.equal(closed, true);
});

for (const [name, from, to] of [
  ["a thin network that is good again", { bytesPerSecond: 1000 }, undefined],
  ["a thin network that is a little less thin", { bytesPerSecond: 1000 }, { bytesPerSecond: 2_000_000 }],
  ["a far network that is near again", { latencyMs: 60_000 }, undefined],
] as const) {
  test(`${name} brings at once what waited, in order and whole`, { timeout: 20_000 }, async () => {
    const conditions = signalOf<Conditions | undefined>(from);
    async function* five(): AsyncGenerator<number> {
      for (let n = 0; n < 5; n += 1) yield n;
    }
    // The first is on its way by then; as the network was it would take a minute.
    setTimeout(() => (conditions.value = to), 100);
    const got: number[] = [];
    for await (const piece of worsen(five(), under(conditions, 60_000))) got.push(piece);
    assert.deepEqual(got, [0, 1, 2, 3, 4]);
  });
}

test("what waits on the way is left at once when it is aborted", { timeout: 20_000 }, async () => {
  const over = new AbortController();
  async function* one(): AsyncGenerator<number> {
    yield 1;
  }
  setTimeout(() => over.abort(new Error("left")), 50);
  await assert.rejects(async () => {
    for await (const _ of worsen(one(), { ...under(signalOf({ bytesPerSecond: 1 }), 60_000), signal: over.signal }));
  }, /left/);
});
