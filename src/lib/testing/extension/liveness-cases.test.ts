import assert from "node:assert/strict";
import { test } from "node:test";
import type { StreamResponse } from "../../model/a2a.ts";
import { type LivenessFacts, toMetadata } from "../../model/extension.ts";
import { checkEpisodes, checkSparing } from "./liveness-cases.ts";

const ids = { taskId: "t", contextId: "c" };
const piece: StreamResponse = { artifactUpdate: { ...ids, artifact: { artifactId: "a", parts: [{ text: "x" }] } } };
const told = (facts: LivenessFacts): StreamResponse => ({
  statusUpdate: { ...ids, status: { state: "TASK_STATE_WORKING" }, metadata: toMetadata({ kind: "liveness", ...facts }) },
});
const slow = told({ phase: "slow", by: "silence", activity: "generating", silenceMs: 1 });
const stall = { activity: "generating", threshold: "gapMs", limitMs: 1, silenceMs: 2, bytesSilenceMs: 2, lastSeq: 3, contents: 1, tokens: 1 };
const stalled = told({ phase: "stalled", stall });
const recovered = (from: "slow" | "stalled"): StreamResponse => told({ phase: "recovered", from, activity: "generating" });

test("a stream with an entry a token is refused, one with few is taken", () => {
  const beat = told({ phase: "generating", tokens: 1 });
  assert.throws(() => checkSparing([piece, beat, piece, beat]), /2 liveness entries for 2 pieces/);
  checkSparing([piece, piece, beat]);
  checkSparing([]);
});

test("episodes are told once, in order and whole", () => {
  checkEpisodes([piece, slow, stalled, recovered("stalled"), slow, recovered("slow"), stalled]);
  assert.throws(() => checkEpisodes([slow, slow]), /slow while slow/);
  assert.throws(() => checkEpisodes([stalled, stalled]), /stalled twice/);
  assert.throws(() => checkEpisodes([stalled, slow]), /slow while stalled/);
  assert.throws(() => checkEpisodes([recovered("slow")]), /recovered from slow while ok/);
  assert.throws(() => checkEpisodes([told({ phase: "stalled" } as unknown as LivenessFacts)]), /stall\.limitMs/);
});
