import assert from "node:assert/strict";
import { it, mock } from "node:test";
import { createCloser } from "./closer.ts";
import { createHeartbeatWheel } from "./heartbeat.ts";

it("a wheel beats each member once a period, with one timer that runs only while there are members", (t) => {
  mock.timers.enable({ apis: ["setInterval"] });
  t.after(() => mock.timers.reset());
  using wheel = createHeartbeatWheel({ periodMs: 1000, slots: 10 });
  const beats = [0, 0];
  const leave = wheel.add(() => (beats[0] = (beats[0] ?? 0) + 1));
  mock.timers.tick(500);
  wheel.add(() => (beats[1] = (beats[1] ?? 0) + 1));
  mock.timers.tick(500);
  assert.deepEqual(beats, [1, 0]);
  mock.timers.tick(500);
  assert.deepEqual(beats, [1, 1]);
  assert.equal(wheel.size, 2);
  leave();
  leave();
  assert.equal(wheel.size, 1);
  mock.timers.tick(3000);
  assert.deepEqual(beats, [1, 4]);
});

it("a closer closes in reverse order, all of it, once, and throws the first failure", async () => {
  const closed: string[] = [];
  const closer = createCloser();
  for (const name of ["a", "b", "c"]) {
    closer.add(async () => {
      closed.push(name);
      if (name !== "a") throw new Error(name);
    });
  }
  await assert.rejects(closer.close(), /c/);
  await closer.close();
  assert.deepEqual(closed, ["c", "b", "a"]);
});
