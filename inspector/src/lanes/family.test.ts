import assert from "node:assert/strict";
import { test } from "node:test";
import { signal } from "@preact/signals";
import type { StreamEntry } from "../../../src/lib/model/api.ts";
import { type ExtensionData, toMetadata } from "../../../src/lib/model/extension.ts";
import { createReplaySession } from "../replay/session.ts";
import type { Position } from "../replay/position.ts";
import { loadStream, type StreamStore } from "../state/stream.ts";
import { createFamily, createPastLanes } from "./family.ts";
import { createLanes, type Lanes } from "./model.ts";

const WORKING = { state: "TASK_STATE_WORKING" } as const;

/** A stream of `task`: the Task at `at`, then words 100 ms after each other. With `asks` its second entry asks that task's agent. */
function streamOf(task: string, at: number, words: number, asks?: string): StreamStore {
  const ids = { taskId: task, contextId: "c" };
  const base = (seq: number) => ({ seq, gen: 1, at: at + (seq - 1) * 100, attempt: 1, audience: "public" }) as const;
  const entries: StreamEntry[] = [{ ...base(1), event: { task: { id: task, contextId: "c", status: WORKING } } }];
  const asked: ExtensionData = { kind: "delegation", from: task, to: "helper", via: "a2a", task: asks ?? "" };
  if (asks !== undefined)
    entries.push({ ...base(2), audience: "extension", event: { statusUpdate: { ...ids, status: WORKING, metadata: toMetadata(asked) } } });
  for (let word = 0; word < words; word += 1) {
    const artifact = { artifactId: "a", parts: [{ text: "w " }] };
    entries.push({ ...base(entries.length + 1), event: { artifactUpdate: { ...ids, artifact, append: word > 0 } } });
  }
  return loadStream({ agent: `agent-${task}`, task, entries });
}

const tokens = (lanes: Lanes): Record<string, number> => Object.fromEntries(lanes.list().map(({ lane }) => [lane.id, lane.figures().tokens]));

test("the task of an agent that was asked is followed too, and stands under who asked", async () => {
  const parent = streamOf("parent", 1000, 3, "child");
  const family = createFamily(parent);
  const stop = family.follow(async (task) => streamOf(task, 1200, 5));
  await new Promise((resolve) => setImmediate(resolve));
  assert.deepEqual(
    family.lanes.list().map(({ lane, depth }) => [lane.id, depth]),
    [
      ["parent", 0],
      ["child", 1],
    ],
  );
  assert.equal(family.entryOf("child", 3)?.at, 1400);
  stop();
});

test("the numbers of a moment are those of what had come by then, in whatever order moments are looked at", () => {
  const parent = streamOf("parent", 1000, 60, "child");
  const child = streamOf("child", 1250, 40);
  const position = signal<Position | undefined>(undefined);
  const replay = createReplaySession(parent, { position, moveTo: () => {} });
  const past = createPastLanes();
  for (const [seq, after] of [
    [30, 0],
    [31, 50],
    [31, 0],
    [4, 0],
    [62, 90_000],
    [62, 0],
    [1, 0],
  ] as const) {
    position.value = { seq, after };
    const time = replay.time.peek() ?? 0;
    const only = createLanes();
    only.add({ agent: "agent-parent", task: "parent", context: "c" }, parent.entries.slice(0, seq));
    only.add(
      { agent: "agent-child", task: "child", context: "c" },
      child.entries.filter(({ at }) => at <= time),
    );
    only.advance(time);
    const found = past.at(replay.shown, [child], time);
    assert.deepEqual(tokens(found), tokens(only), `at ${seq} + ${after} ms`);
    assert.deepEqual(
      found.list().map(({ lane }) => lane.shown),
      only.list().map(({ lane }) => lane.shown),
      `at ${seq} + ${after} ms`,
    );
  }
});
