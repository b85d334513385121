import assert from "node:assert/strict";
import { test } from "node:test";
import { signal } from "@preact/signals";
import { startLiveness } from "../../../src/lib/liveness/liveness.ts";
import type { StreamResponse, TaskState } from "../../../src/lib/model/a2a.ts";
import type { StreamEntry } from "../../../src/lib/model/api.ts";
import { type ExtensionData, toMetadata } from "../../../src/lib/model/extension.ts";
import { createLanes } from "../lanes/model.ts";
import { createShown, type Moment } from "../replay/shown.ts";
import { createJudge } from "./judge.ts";
import { createPulse } from "./pulse.ts";
import { loadStream } from "./stream.ts";
import { phaseHeard, verdictAfter } from "./verdict.ts";

const IDS = { taskId: "t", contextId: "c" };
const T0 = 1_700_000_000_000;
/** Far below the page's own thresholds, so that it calls nothing stalled by itself. */
const STEP_MS = 100;

const becomes = (state: TaskState): StreamResponse => ({ statusUpdate: { ...IDS, status: { state } } });
const aside = (data: ExtensionData): StreamResponse => ({ statusUpdate: { ...IDS, status: { state: "TASK_STATE_WORKING" }, metadata: toMetadata(data) } });
const word: StreamResponse = { artifactUpdate: { ...IDS, artifact: { artifactId: "a", parts: [{ text: "word " }] }, append: true } };
const stall = { activity: "generating", threshold: "gapMs", limitMs: 90, silenceMs: 95, bytesSilenceMs: 95, lastSeq: 3, contents: 2, tokens: 2 } as const;
const stalled = aside({ kind: "liveness", phase: "stalled", stall });
const slow = aside({ kind: "liveness", phase: "slow", by: "silence", activity: "generating", silenceMs: 50 });
const recovered = aside({ kind: "liveness", phase: "recovered", from: "stalled", activity: "generating" });
const note = aside({ kind: "note", name: "n", value: 1 });
const tool = aside({ kind: "tool-call", call: "1", name: "look", arguments: "{}", idempotent: true });

const begun = [becomes("TASK_STATE_SUBMITTED"), becomes("TASK_STATE_WORKING"), word, word];

/** What every place of the page shows after the last of `events`: the lane, the task's head, its replay, and Home's row. */
function shownBy(events: readonly StreamResponse[]): Record<string, string | undefined> {
  const entries: StreamEntry[] = events.map((event, index) => ({ seq: index + 1, gen: 0, at: T0 + index * STEP_MS, attempt: 1, audience: "public", event }));
  const judge = createJudge();
  const pulse = createPulse();
  const lanes = createLanes();
  for (const entry of entries) {
    judge.take(entry, entry.at + 5);
    pulse.take(entry, entry.at + 5);
  }
  const stream = loadStream({ agent: "a", task: "t", entries });
  const replayed = createShown(stream, signal<Moment | undefined>({ count: entries.length, time: T0 + entries.length * STEP_MS }));
  lanes.add({ agent: "a", task: "t", context: "c" }, entries);
  return { lane: lanes.list()[0]?.lane.shown, judge: judge.phase, head: stream.phase.value, replay: replayed.phase.value, row: pulse.phase };
}

for (const [name, events, phase] of [
  ["the owner's word counts where the page finds nothing", [stalled], "stalled"],
  ["the owner's slow counts, too", [slow], "slow"],
  ["the newest word counts", [slow, stalled], "stalled"],
  ["it stands while nothing is made", [stalled, note], "stalled"],
  ["content ends it", [stalled, word], "generating"],
  ["another phase ends it", [stalled, tool], "tool"],
  ["the owner takes it back", [stalled, recovered], "generating"],
  ["a wait for a person ends it", [stalled, becomes("TASK_STATE_INPUT_REQUIRED")], "waiting-input"],
] as const) {
  test(`${name}: in the lane, the head, the replay and the row`, () => {
    assert.deepEqual(shownBy([...begun, ...events]), { lane: phase, judge: phase, head: phase, replay: phase, row: phase });
  });
}

test("an ended task is not stalled, whatever was said before", () => {
  const { lane: _, ...shown } = shownBy([...begun, stalled, becomes("TASK_STATE_FAILED")]);
  assert.deepEqual(shown, { judge: "ended", head: "ended", replay: "ended", row: "ended" });
});

test("what the reader finds itself is not made better, and what we hold up is not called silent", () => {
  const liveness = startLiveness(0, "prefill");
  assert.equal(phaseHeard({ liveness: { ...liveness, health: "stalled" }, verdict: "slow" }), "stalled");
  assert.equal(phaseHeard({ liveness: { ...liveness, throttled: true }, verdict: "stalled" }), "throttled");
  assert.equal(phaseHeard({ liveness: { ...liveness, health: "slow" }, verdict: undefined }), "slow");
  assert.equal(verdictAfter("slow", undefined), "slow");
});
