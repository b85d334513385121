import assert from "node:assert/strict";
import { test } from "node:test";
import type { StreamEntry } from "../../../src/lib/model/api.ts";
import { addEntry, countOf, createFiguresBook, startFigures } from "./figures.ts";
import { openStream } from "./stream.ts";
import { createTranscript } from "./transcript.ts";
import type { Told, Transport } from "./transport.ts";

// How much of a stream the page keeps. Frames come at once here, and not with pictures.
Object.assign(globalThis, { requestAnimationFrame: (run: () => void) => setImmediate(run) });

const ids = { taskId: "t", contextId: "c" };

function entryOf(seq: number): StreamEntry {
  const base = { seq, gen: 1, at: 1000 + 20 * seq, attempt: 1, audience: "public" } as const;
  if (seq === 1) return { ...base, event: { task: { id: "t", contextId: "c", status: { state: "TASK_STATE_WORKING" } } } };
  return { ...base, event: { artifactUpdate: { ...ids, artifact: { artifactId: "a", parts: [{ text: `w${seq} ` }] }, append: seq > 2 } } };
}

/** A stream of `last` entries, a hundred at a time. It counts what was read of it. */
function endless(last: number, read: { count: number }): Transport {
  return async function* ({ agent, task }): AsyncGenerator<Told> {
    yield { kind: "opened", stream: { agent, task, opening: "fresh", cursor: "log.0" } };
    while (read.count < last) {
      const entries = Array.from({ length: 100 }, (_, index) => entryOf(read.count + index + 1));
      read.count += 100;
      yield { kind: "entries", entries, cursor: `log.${read.count}` };
      await new Promise((resolve) => setImmediate(() => setImmediate(resolve)));
    }
    yield { kind: "end" };
  };
}

function until(done: () => boolean): Promise<void> {
  return new Promise((resolve) => {
    const look = (): void => {
      if (done()) resolve();
      else setImmediate(look);
    };
    look();
  });
}

const words = (from: number, to: number): string => Array.from({ length: to - from + 1 }, (_, index) => `w${from + index} `).join("");

test("of a stream without end the newest entries are kept; what they said before is in the snapshot, and the numbers are of all", async () => {
  const read = { count: 0 };
  const stream = openStream("agent", "endless", { transport: endless(20_000, read), maxBytes: 500_000 });
  let most = 0;
  let generations = 0;
  const stops = [stream.version.subscribe(() => (most = Math.max(most, stream.entries.length))), stream.generation.subscribe(() => (generations += 1))];
  await until(() => stream.connection.peek().kind === "ended");
  assert.ok(most < 1300, `${most} entries at the most`);
  assert.ok(generations > 10 && generations < 100, `${generations} times some were let go, not with each entry`);
  const first = stream.entries[0]?.seq ?? 0;
  assert.equal(stream.entries.at(-1)?.seq, 20_000);
  assert.equal(stream.entries.length, stream.arrivals.length);
  assert.deepEqual([countOf(stream), stream.before.value.count], [20_000, first - 1]);
  assert.equal(stream.liveness.value.tokens, 19_999);
  assert.equal(stream.snapshot.value?.artifacts?.[0]?.parts[0]?.text, words(2, first - 1));
  // As a view reads it.
  const transcript = createTranscript();
  transcript.restore(stream.snapshot.value, first - 1);
  for (const entry of stream.entries) transcript.apply(entry);
  assert.equal(transcript.blocks.map((block) => (block.kind === "text" ? block.text : "")).join(""), words(2, 20_000));
  assert.equal(stream.wire.value.missed + stream.wire.value.repeated, 0);
  for (const stop of stops) stop();
  stream.close();
});

test("what is looked at is kept: where there is no room the server is read no further, and on when it is let go", async () => {
  const read = { count: 0 };
  const stream = openStream("agent", "pinned", { transport: endless(10_000, read), maxBytes: 500_000 });
  const unpin = stream.pin(100);
  await until(() => stream.isHeld.value);
  const held = read.count;
  assert.ok(held < 1600, `${held} were read`);
  assert.deepEqual([stream.entries[0]?.seq, stream.generation.value], [1, 0]);
  unpin();
  await until(() => stream.connection.peek().kind === "ended");
  assert.equal(read.count, 10_000);
  assert.deepEqual([stream.entries.at(-1)?.seq, stream.isHeld.value, stream.wire.value.missed], [10_000, false, 0]);
  stream.close();
});

test("numbers of a place are the same whether what was before is kept or only known by its numbers", () => {
  const entries = Array.from({ length: 3000 }, (_, index) => entryOf(index + 1));
  const whole = createFiguresBook(startFigures());
  const before = entries.slice(0, 1100).reduce(addEntry, startFigures());
  const rest = createFiguresBook(before);
  for (const count of [1900, 600, 1, 0, 513, 512, 1024, 1900]) {
    const time = (entries[1100 + count - 1]?.at ?? 0) + 100;
    assert.deepEqual(rest.at(entries.slice(1100), count, time), whole.at(entries, 1100 + count, time), `${count} after the 1100th`);
  }
});
