import assert from "node:assert/strict";
import { setTimeout as delay } from "node:timers/promises";
import test from "node:test";
import type { Source } from "./source.ts";
import { takeTurns } from "./take-turns.ts";

/** Streams that never end: a piece a millisecond, numbered by the cursor. */
function endless(): { readonly source: Source; readonly most: () => number } {
  let open = 0;
  let most = 0;
  return {
    most: () => most,
    source: async function* ({ after = "0" }, signal) {
      most = Math.max(most, (open += 1));
      try {
        for (let n = Number(after) + 1; ; n += 1) {
          await delay(1, undefined, { signal });
          yield { kind: "entries", cursor: String(n), entries: [] };
        }
      } finally {
        open -= 1;
      }
    },
  };
}

test("streams that never end share few connections, and none misses a piece or gets one twice", async () => {
  const { source, most } = endless();
  const limited = takeTurns(source, { max: 2, sliceMs: 5 });
  const read = async (task: string): Promise<string[]> => {
    const cursors: string[] = [];
    for await (const piece of limited({ kind: "task", task }, new AbortController().signal)) {
      if (piece.kind === "entries") cursors.push(piece.cursor ?? "");
      if (cursors.length === 30) break;
    }
    return cursors;
  };
  const all = await Promise.all(["a", "b", "c", "d", "e", "f"].map(read));
  const wanted = Array.from({ length: 30 }, (_, n) => String(n + 1));
  for (const cursors of all) assert.deepEqual(cursors, wanted);
  assert.equal(most(), 2);
});

test("one that waits can be given up, and its place is not lost", async () => {
  const limited = takeTurns(endless().source, { max: 1, sliceMs: 60_000 });
  const first = limited({ kind: "task", task: "a" }, new AbortController().signal);
  await first.next();
  const stop = new AbortController();
  const second = limited({ kind: "task", task: "b" }, stop.signal).next();
  stop.abort(new Error("enough"));
  await assert.rejects(second, /enough/);
  const third = limited({ kind: "task", task: "c" }, new AbortController().signal);
  const waiting = third.next();
  await first.return();
  assert.equal((await waiting).done, false);
  await third.return();
});
