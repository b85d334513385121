import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { countAt, createReplay, extend, inOrder, isPlaying, pause, play, positionAt, seek, seqAt, setSpeed, timeOf } from "./clock.ts";

test("it plays at its speed and stands at the end", () => {
  let replay = play(setSpeed(createReplay(1000, 11_000), 5, 0), 100);
  assert.equal(positionAt(replay, 100), 1000);
  assert.equal(positionAt(replay, 1100), 6000);
  assert.equal(isPlaying(replay, 1100), true);
  assert.equal(positionAt(replay, 99_999), 11_000);
  assert.equal(isPlaying(replay, 99_999), false);
  replay = play(replay, 99_999);
  assert.equal(positionAt(replay, 99_999), 1000, "from the end it begins anew");
});

test("pausing, seeking and changing speed lose no moment", () => {
  let replay = play(createReplay(0, 10_000), 0);
  replay = setSpeed(replay, 10, 300);
  assert.equal(positionAt(replay, 300), 300);
  replay = pause(replay, 400);
  assert.equal(positionAt(replay, 99_999), 1300);
  replay = seek(replay, 5000, 500);
  assert.equal(isPlaying(replay, 600), false, "a seek does not start what stood still");
  replay = seek(play(replay, 1000), 2000, 1100);
  assert.equal(positionAt(replay, 1200), 3000);
  assert.equal(setSpeed(replay, 900, 0).speed, 50);
});

test("a stream that goes on makes the replay longer, not faster", () => {
  const replay = extend(createReplay(0, 100), 0, 900);
  assert.deepEqual([replay.to, positionAt(replay, 0)], [900, 0]);
});

test("a seq stands for a moment and a moment for a seq", () => {
  const lists = fc.array(fc.nat({ max: 50 }), { minLength: 1, maxLength: 60 }).map((gaps) => {
    let at = 0;
    return gaps.map((gap, index) => ({ seq: 2 * index + 1, at: (at += gap) }));
  });
  fc.assert(
    fc.property(lists, fc.nat(), (entries, pick) => {
      const entry = entries[pick % entries.length];
      assert.ok(entry);
      const at = timeOf(entries, entry.seq);
      assert.equal(at, entry.at);
      // Of entries at the same moment the last one is shown.
      assert.ok(seqAt(entries, at ?? 0) >= entry.seq);
      assert.equal(
        entries.slice(0, countAt(entries, at ?? 0)).every((one) => one.at <= entry.at),
        true,
      );
    }),
  );
  assert.equal(seqAt([{ seq: 1, at: 10 }], 5), 0);
  assert.equal(timeOf([], 5), undefined);
});

test("times that step back are put in order", () => {
  assert.deepEqual(
    inOrder([
      { seq: 1, at: 5 },
      { seq: 2, at: 3 },
      { seq: 3, at: 9 },
    ]).map(({ at }) => at),
    [5, 5, 9],
  );
});
