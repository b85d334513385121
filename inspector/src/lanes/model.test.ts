import assert from "node:assert/strict";
import { test } from "node:test";
import type { Artifact, StreamResponse, TaskState } from "../../../src/lib/model/a2a.ts";
import type { StreamEntry } from "../../../src/lib/model/api.ts";
import { type ExtensionData, toMetadata } from "../../../src/lib/model/extension.ts";
import { type Lane, phaseAt } from "./lane.ts";
import { createLanes, type Lanes } from "./model.ts";

/** Entries of one task, at given times. */
function writer(task = "task-1", agent = "team") {
  const ids = { taskId: task, contextId: "context" };
  const stream = { agent, task, context: "context" };
  const entries: StreamEntry[] = [];
  let state: TaskState = "TASK_STATE_SUBMITTED";
  const put = (at: number, event: StreamResponse, audience: StreamEntry["audience"] = "public"): void =>
    void entries.push({ seq: entries.length + 1, gen: 1, at, attempt: 1, audience, event });
  return {
    stream,
    entries,
    start: (at: number) => put(at, { task: { id: task, contextId: "context", status: { state } } }),
    status(at: number, next: TaskState) {
      state = next;
      put(at, { statusUpdate: { ...ids, status: { state } } });
    },
    text: (at: number, text: string) => {
      const artifact: Artifact = { artifactId: "answer", parts: [{ text }] };
      put(at, { artifactUpdate: { ...ids, artifact, append: true } });
    },
    aside: (at: number, data: ExtensionData) => put(at, { statusUpdate: { ...ids, status: { state }, metadata: toMetadata(data) } }, "extension"),
  };
}

const named = (lanes: Lanes, id: string): Lane => {
  const found = lanes.list().find(({ lane }) => lane.id === id)?.lane;
  assert.ok(
    found,
    `${id} is not among ${lanes
      .list()
      .map(({ lane }) => lane.id)
      .join(", ")}`,
  );
  return found;
};
const marks = (lane: Lane): string[] => lane.marks.map(({ kind }) => kind);

test("a turn's phases, first token, ticks and numbers come from its entries alone", () => {
  const w = writer();
  w.start(1000);
  w.status(1100, "TASK_STATE_WORKING");
  for (let index = 0; index < 11; index += 1) w.text(1600 + index * 20, "word ");
  w.status(2000, "TASK_STATE_COMPLETED");
  const lanes = createLanes();
  lanes.add(w.stream, w.entries);
  const lane = named(lanes, "task-1");
  assert.deepEqual(
    [1050, 1300, 1700, 1850, 2500].map((at) => phaseAt(lane, at)),
    ["queued", "prefill", "generating", "generating", "none"],
  );
  assert.equal(lane.ticks.length, 11);
  assert.equal(lane.ticks.nearest(1600, 5)?.seq, 3);
  const { tokens, firstTokenMs, gapP50, gapP95, gapMost } = lane.figures();
  assert.deepEqual({ tokens, firstTokenMs, gapP50, gapP95, gapMost }, { tokens: 11, firstTokenMs: 500, gapP50: 20, gapP95: 20, gapMost: 20 });
  assert.deepEqual(marks(lane), ["message", "first-token", "end"]);
  assert.equal(lane.isOver, true);
  assert.equal(lane.state, "TASK_STATE_COMPLETED");
});

test("entries in pieces make the same lanes as all at once, and a repeat changes nothing", () => {
  const w = writer();
  w.start(0);
  w.status(10, "TASK_STATE_WORKING");
  for (let index = 0; index < 20; index += 1) w.text(100 + index * 30, "x");
  const whole = createLanes();
  whole.add(w.stream, w.entries);
  const pieces = createLanes();
  for (const entry of w.entries) pieces.add(w.stream, [entry]);
  pieces.add(w.stream, w.entries.slice(3, 9));
  assert.deepEqual(named(pieces, "task-1").figures(), named(whole, "task-1").figures());
  assert.equal(named(pieces, "task-1").ticks.length, 20);
});

test("time that passes between two pieces of an old stream is no silence of its lanes; a stream that stays old is judged", () => {
  const w = writer();
  w.start(0);
  w.status(0, "TASK_STATE_WORKING");
  w.text(100, "a");
  w.text(200, "b");
  const lanes = createLanes();
  lanes.add(w.stream, w.entries);
  lanes.advance(60_000, 1000);
  const lane = named(lanes, "task-1");
  assert.equal(lane.shown, "generating");
  w.text(300, "c");
  lanes.add(w.stream, w.entries);
  lanes.advance(60_900, 1000);
  assert.equal(lane.shown, "generating", "more came");
  assert.equal(phaseAt(lane, 30_000), "generating");
  lanes.advance(62_000, 1000);
  assert.equal(lane.shown, "stalled");
});

test("silence becomes slow and stalled at the very moment, found later or by the clock", () => {
  const w = writer();
  w.start(0);
  w.status(0, "TASK_STATE_WORKING");
  w.text(1000, "a");
  w.text(1100, "b");
  const lanes = createLanes({ thresholds: { gapMs: 10_000 } });
  lanes.add(w.stream, w.entries);
  lanes.advance(3000);
  const lane = named(lanes, "task-1");
  assert.equal(lane.shown, "generating");
  assert.ok((lane.silence(3000)?.heat ?? 0) > 0, "heat grows before it is slow");
  lanes.advance(20_000);
  assert.equal(lane.shown, "stalled");
  assert.deepEqual(
    [6000, 6200, 11_000, 11_200].map((at) => phaseAt(lane, at)),
    ["generating", "slow", "slow", "stalled"],
  );
  w.text(25_000, "c");
  lanes.add(w.stream, w.entries);
  assert.equal(lane.shown, "generating");
  assert.deepEqual(
    lane.silences.map(({ from, to, heat }) => [from, to, heat]),
    [
      [0, 1000, 0.08],
      [1100, 25_000, 1],
    ].filter(([, to]) => to !== 1000 || lane.silences.length === 2),
  );
});

test("what the owner of the turn judged is shown until content comes", () => {
  const w = writer();
  w.start(0);
  w.status(0, "TASK_STATE_WORKING");
  w.text(100, "a");
  const stall = { activity: "generating", threshold: "gapMs", limitMs: 500, silenceMs: 600, bytesSilenceMs: 600, lastSeq: 3, contents: 1, tokens: 1 };
  w.aside(700, { kind: "liveness", phase: "stalled", stall });
  const lanes = createLanes();
  lanes.add(w.stream, w.entries);
  const lane = named(lanes, "task-1");
  assert.equal(lane.shown, "stalled");
  w.text(900, "b");
  lanes.add(w.stream, w.entries);
  assert.equal(lane.shown, "generating");
  assert.ok(marks(lane).includes("stalled"));
});

test("a child agent has a lane under its parent, rests when its call has its result, and works again", () => {
  const w = writer();
  const path = ["researcher"];
  w.start(0);
  w.status(0, "TASK_STATE_WORKING");
  w.aside(100, { kind: "tool-call", call: "c1", name: "ask_researcher", idempotent: true });
  w.aside(110, { kind: "tool-call", call: "c1", name: "ask_researcher", idempotent: true, arguments: "{}" });
  w.aside(120, { kind: "delegation", from: "team", to: "researcher", via: "tool", path });
  for (let index = 0; index < 5; index += 1) w.aside(200 + index * 10, { kind: "text", text: "x", path });
  w.aside(300, { kind: "tool-result", call: "c1", name: "ask_researcher", failed: false });
  w.text(400, "a");
  const lanes = createLanes();
  lanes.add(w.stream, w.entries);
  const [root, child] = lanes.list();
  assert.deepEqual([root?.depth, child?.depth, child?.lane.parent], [0, 1, "task-1"]);
  const lane = named(lanes, "task-1/researcher");
  assert.equal(lane.ticks.length, 5);
  assert.deepEqual(
    [150, 240, 350].map((at) => phaseAt(lane, at)),
    ["prefill", "generating", "none"],
  );
  assert.deepEqual(
    [90, 105, 240, 410].map((at) => phaseAt(named(lanes, "task-1"), at)),
    ["prefill", "tool", "child-working", "generating"],
  );
  assert.equal(named(lanes, "task-1").ticks.length, 1);
  assert.deepEqual(
    marks(named(lanes, "task-1")).filter((kind) => kind === "tool"),
    ["tool"],
    "a call that is told twice is one mark",
  );
  w.aside(500, { kind: "text", text: "again", path });
  w.status(600, "TASK_STATE_COMPLETED");
  lanes.add(w.stream, w.entries);
  assert.equal(phaseAt(lane, 550), "generating");
  assert.equal(lane.figures().tokens, 6);
  assert.equal(lane.isOver, true);
});

test("a child's lane begins at the call that started it: its delegation is told with its first word", () => {
  const w = writer();
  const [helper, other] = [["helper"], ["helper", "other"]];
  w.start(0);
  w.status(0, "TASK_STATE_WORKING");
  w.aside(100, { kind: "tool-call", call: "c1", name: "ask_helper", idempotent: true });
  w.aside(700, { kind: "delegation", from: "team", to: "helper", via: "tool", path: helper });
  w.aside(700, { kind: "text", text: "x", path: helper });
  w.aside(800, { kind: "tool-call", call: "c1", name: "ask_other", idempotent: true, path: helper });
  w.aside(1000, { kind: "delegation", from: "helper", to: "other", via: "tool", path: other });
  w.aside(1000, { kind: "text", text: "y", path: other });
  w.aside(1100, { kind: "tool-result", call: "c1", name: "ask_other", failed: false, path: helper });
  w.aside(1200, { kind: "tool-result", call: "c1", name: "ask_helper", failed: false });
  w.aside(2000, { kind: "tool-call", call: "c2", name: "ask_helper", idempotent: true });
  w.aside(2500, { kind: "delegation", from: "team", to: "helper", via: "tool", path: helper });
  w.aside(2500, { kind: "text", text: "z", path: helper });
  const lanes = createLanes();
  lanes.add(w.stream, w.entries);
  const [first, second] = [named(lanes, "task-1/helper"), named(lanes, "task-1/helper/other")];
  assert.deepEqual(
    [first, second].map((lane) => [lane.startedAt, lane.figures().firstTokenMs]),
    [
      [100, 600],
      [800, 200],
    ],
  );
  assert.deepEqual(
    [50, 400, 750, 1500, 2200, 2500].map((at) => phaseAt(first, at)),
    ["none", "prefill", "generating", "none", "prefill", "generating"],
    "called again, it works again since then",
  );
});

test("after a hand-off the answer is the other agent's lane", () => {
  const w = writer();
  w.start(0);
  w.status(0, "TASK_STATE_WORKING");
  w.aside(100, { kind: "delegation", from: "team", to: "numbers", via: "handoff" });
  w.text(200, "4");
  w.text(220, "2");
  w.status(300, "TASK_STATE_COMPLETED");
  const lanes = createLanes();
  lanes.add(w.stream, w.entries);
  assert.equal(named(lanes, "task-1").ticks.length, 0);
  assert.equal(phaseAt(named(lanes, "task-1"), 210), "child-working");
  const numbers = named(lanes, "task-1/→numbers");
  assert.equal(numbers.agent, "numbers");
  assert.equal(numbers.ticks.length, 2);
  assert.equal(numbers.isOver, true);
});

test("a delegated task stands under the lane that delegated it, whichever comes first", () => {
  const parent = writer("parent", "relay");
  parent.start(0);
  parent.status(0, "TASK_STATE_WORKING");
  parent.aside(10, { kind: "delegation", from: "relay", to: "team", via: "a2a", task: "child" });
  const child = writer("child", "team");
  child.start(20);
  child.text(30, "x");
  for (const both of [
    [parent, child],
    [child, parent],
  ]) {
    const lanes = createLanes();
    for (const { stream, entries } of both) lanes.add(stream, entries);
    assert.deepEqual(
      lanes.list().map(({ lane, depth }) => [lane.id, lane.agent, depth, lane.isRemote]),
      [
        ["parent", "relay", 0, false],
        ["child", "team", 1, false],
      ],
    );
    assert.equal(named(lanes, "child").ticks.length, 1);
  }
  const alone = createLanes();
  alone.add(parent.stream, parent.entries);
  assert.equal(named(alone, "child").isRemote, true, "its entries are elsewhere");
});

test("the extent is of the lanes that are here: it shrinks with each that goes, and ends with the last", () => {
  const lanes = createLanes();
  assert.equal(lanes.extent, undefined);
  for (const [task, from, to] of [
    ["a", 1000, 5000],
    ["b", 3000, 4000],
    ["c", 3500, 9000],
  ] as const) {
    const w = writer(task);
    w.start(from);
    w.text(to, "x");
    lanes.add(w.stream, w.entries);
  }
  assert.deepEqual(lanes.extent, { from: 1000, to: 9000 });
  lanes.remove("nobody");
  lanes.remove("a");
  assert.deepEqual(lanes.extent, { from: 3000, to: 9000 });
  lanes.remove("c");
  assert.deepEqual(lanes.extent, { from: 3000, to: 4000 });
  lanes.remove("b");
  assert.equal(lanes.extent, undefined);
  const next = writer("d");
  next.start(35_000);
  lanes.add(next.stream, next.entries);
  assert.deepEqual(lanes.extent, { from: 35_000, to: 35_000 }, "a new lane begins where its time does");
});

test("tasks that name each other as their parents are shown once each", () => {
  const lanes = createLanes();
  for (const [own, other] of [
    ["a", "b"],
    ["b", "a"],
  ] as const) {
    const w = writer(own);
    w.start(0);
    w.aside(1, { kind: "delegation", from: own, to: other, via: "a2a", task: other });
    lanes.add(w.stream, w.entries);
  }
  assert.deepEqual(
    lanes
      .list()
      .map(({ lane }) => lane.id)
      .sort(),
    ["a", "b"],
  );
});

test("what no version of ours wrote breaks nothing", () => {
  const w = writer();
  w.start(0);
  w.aside(1, { kind: "liveness", phase: "stalled" } as never);
  w.aside(2, { kind: "next-year", path: 7 } as never);
  w.aside(3, { kind: "usage", path: [{}] } as never);
  w.text(4, "x");
  const lanes = createLanes();
  lanes.add(w.stream, w.entries);
  assert.equal(named(lanes, "task-1").ticks.length, 1);
});
