import assert from "node:assert/strict";
import { test } from "node:test";
import { createReplay, extend, isPlaying, pause, play, positionAt, seek, setSpeed } from "./clock.ts";

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
