import assert from "node:assert/strict";
import { test } from "node:test";
import { createHeapSaver } from "./heap-saver.ts";

test("much text of long entries turns the saver on at once, and a period with little turns it off", (t) => {
  t.mock.timers.enable({ apis: ["setInterval"] });
  const said: boolean[] = [];
  let time = 0;
  using saver = createHeapSaver({ now: () => time, heap: { save: (on) => said.push(on), collect: () => undefined } });
  const pass = (ms: number): void => {
    time += ms;
    t.mock.timers.tick(ms);
  };
  for (let second = 0; second < 10; second += 1) {
    saver.onLongEntries(100_000);
    pass(1000);
  }
  assert.deepEqual(said, [], "now and then a long entry");
  for (let entry = 0; entry < 10; entry += 1) saver.onLongEntries(100_000);
  assert.deepEqual(said, [true], "once");
  pass(1000);
  for (let entry = 0; entry < 10; entry += 1) saver.onLongEntries(100_000);
  pass(1000);
  assert.deepEqual(said, [true], "while they flow");
  pass(1000);
  assert.deepEqual(said, [true, false]);
  saver.onLongEntries(10_000_000);
  assert.deepEqual(said, [true, false, true], "again");
});

test("while it is on, the young generation is collected for each half a million units, and every fourth time all of it", () => {
  const collected: string[] = [];
  using saver = createHeapSaver({ heap: { save: () => undefined, collect: (what) => collected.push(what) } });
  saver.onLongEntries(600_000);
  assert.deepEqual(collected, [], "turning it on collects by itself");
  for (let entry = 0; entry < 50; entry += 1) saver.onLongEntries(53_000);
  assert.deepEqual(collected, ["young", "young", "young", "all", "young"]);
});

test("what was turned on is turned off with the store", () => {
  const said: boolean[] = [];
  const saver = createHeapSaver({ heap: { save: (on) => said.push(on), collect: () => undefined } });
  saver.onLongEntries(10_000_000);
  saver[Symbol.dispose]();
  saver[Symbol.dispose]();
  assert.deepEqual(said, [true, false]);
});

test("V8 takes the switch while it runs", () => {
  using saver = createHeapSaver();
  assert.doesNotThrow(() => saver.onLongEntries(10_000_000));
});
