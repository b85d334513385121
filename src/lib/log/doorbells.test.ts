import assert from "node:assert/strict";
import test from "node:test";
import { createDoorbells, type Ringing } from "./doorbells.ts";

interface Stream extends Ringing {
  changed: number;
  ended: boolean;
}

function streamOf(number: number): Stream {
  return { key: { tenant: "t", user: "u", agent: "a", task: String(number) }, changed: 0, head: 1, gone: false, ended: false };
}

test("doorbells do not grow with the streams that have ended, and keep those that go on", () => {
  for (const ended of [10_000, 100_000]) {
    const bells = createDoorbells<Stream>({ mayForget: (stream) => stream.ended, keep: 1000 });
    const on = Array.from({ length: 10 }, (_, index) => streamOf(-index));
    let position = 0;
    for (const stream of on) bells.ring(stream, (position += 1));
    for (let number = 0; number < ended; number += 1) {
      const stream = streamOf(number);
      bells.ring(stream, (position += 1));
      stream.ended = true;
    }
    const { changes } = bells.since(0, Infinity, undefined);
    assert.ok(changes.length <= 2010, `${changes.length} are kept`);
    assert.ok(bells.floor >= ended - 2000 && bells.floor < position);
    assert.deepEqual(
      changes.slice(0, 10).map((change) => change.key.task),
      on.map(({ key }) => key.task),
    );
    // Above the floor nothing is missing.
    assert.equal(changes.filter((change) => change.position > bells.floor).length, position - bells.floor);
  }
});
