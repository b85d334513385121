import assert from "node:assert/strict";
import { test } from "node:test";
import { createOutbox, type Lane } from "./outbox.ts";

/** A pipe that takes nothing until it is told. */
function startPipe() {
  const state = { held: 0, sent: [] as string[], paused: false };
  const outbox = createOutbox({
    buffered: () => state.held,
    send(text) {
      state.held += text.length;
      state.sent.push(text);
    },
    pause() {
      state.paused = true;
    },
    resume() {
      state.paused = false;
    },
  });
  const take = (bytes: number): void => {
    state.held -= bytes;
    outbox.sent();
  };
  return { state, outbox, take };
}

async function send(lane: Lane, texts: readonly string[]): Promise<void> {
  for (const text of texts) {
    for (let wait = lane.credit() ?? lane.turn(); wait !== undefined; wait = lane.credit() ?? lane.turn()) await wait;
    lane.send(text);
  }
}

const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
const KB = (name: string): string => name.padEnd(64 * 1024, ".");
const names = (sent: readonly string[]): string[] => sent.map((text) => text.replace(/\.+$/, ""));

test("lanes that wait for room send one message each in turn, however many a lane has", async () => {
  const { state, outbox, take } = startPipe();
  const [fast, slow, late] = [outbox.lane(Infinity), outbox.lane(Infinity), outbox.lane(Infinity)];
  const done = Promise.all([send(fast, ["f1", "f2", "f3", "f4", "f5", "f6"].map(KB)), send(slow, [KB("s1"), KB("s2")])]);
  await settled();
  assert.deepEqual(names(state.sent), ["f1", "f2"]);
  const last = send(late, [KB("l1")]);
  for (let turns = 0; turns < 10; turns += 1) {
    take(Math.min(state.held, 64 * 1024));
    await settled();
  }
  await Promise.all([done, last]);
  assert.deepEqual(names(state.sent), ["f1", "f2", "f3", "s1", "l1", "f4", "s2", "f5", "f6"]);
});

test("never more than one message over the high water, with a thousand lanes that want to send", async () => {
  const { state, outbox, take } = startPipe();
  const lanes = Array.from({ length: 1000 }, () => outbox.lane(Infinity));
  const done = Promise.all(lanes.map((lane, n) => send(lane, [KB(`${n}a`), KB(`${n}b`)])));
  let most = 0;
  while (state.sent.length < 2000) {
    await settled();
    most = Math.max(most, state.held);
    take(state.held);
  }
  await done;
  assert.ok(most < 128 * 1024 + 64 * 1024, String(most));
});

test("a lane without credit waits alone, and may pass below zero by one message", async () => {
  const { state, outbox } = startPipe();
  const [poor, rich] = [outbox.lane(3), outbox.lane(100)];
  const done = Promise.all([send(poor, ["12345", "6"]), send(rich, ["a", "b", "c"])]);
  await settled();
  assert.deepEqual(state.sent.toSorted(), ["12345", "a", "b", "c"]);
  poor.grant(2);
  await settled();
  assert.equal(state.sent.length, 4);
  poor.grant(1);
  await done;
  assert.equal(state.sent.at(-1), "6");
});

test("a lane that closes in the line, or at its turn, leaves the turn to the next", async () => {
  const { state, outbox, take } = startPipe();
  const [one, two, three, four] = [outbox.lane(Infinity), outbox.lane(Infinity), outbox.lane(Infinity), outbox.lane(Infinity)];
  await send(one, [KB("1"), KB("2")]);
  const [waitTwo, waitThree] = [two.turn(), three.turn()];
  const last = send(four, ["4"]);
  two.close();
  await waitTwo;
  take(128 * 1024);
  await waitThree;
  three.close();
  await last;
  assert.deepEqual(names(state.sent), ["1", "2", "4"]);
  const none = outbox.lane(0);
  const credit = none.credit();
  none.close();
  await credit;
  assert.equal(none.turn(), undefined);
});

test("a peer that asks for more than it takes is not read from until it has taken it", () => {
  const { state, outbox, take } = startPipe();
  for (let n = 0; n < 16; n += 1) outbox.say(KB(String(n)));
  assert.equal(state.paused, true);
  take(800 * 1024);
  assert.equal(state.paused, true);
  take(200 * 1024);
  assert.equal(state.paused, false);
});

test("a lane says how much credit is missing when it begins to wait, and at each grant that is not enough", async () => {
  const { state, outbox } = startPipe();
  const missing: number[] = [];
  const lane = outbox.lane(1, (bytes) => missing.push(bytes));
  assert.ok(lane.hasCredit);
  const done = send(lane, ["12345", "6"]);
  await settled();
  assert.deepEqual([state.sent, missing, lane.hasCredit], [["12345"], [5], false]);
  for (const _ of [1, 2, 3, 4]) lane.grant(1);
  await settled();
  assert.deepEqual([state.sent.length, missing], [1, [5, 4, 3, 2, 1]]);
  lane.grant(1);
  await done;
  assert.deepEqual(
    [state.sent, missing],
    [
      ["12345", "6"],
      [5, 4, 3, 2, 1],
    ],
  );
});
