import assert from "node:assert/strict";
import { test } from "node:test";
import type { StreamEntry } from "../../../src/lib/model/api.ts";
import { createLanes, type Lanes } from "./model.ts";
import { figuresOf, toldRows } from "./told.ts";

/** A task that says a token each 100 ms until `until`. */
function talking(until: number): Lanes {
  const ids = { taskId: "t", contextId: "c" };
  const entry = (seq: number, at: number, event: StreamEntry["event"]): StreamEntry => ({ seq, gen: 1, at, attempt: 1, audience: "public", event });
  const entries = [entry(1, 0, { statusUpdate: { ...ids, status: { state: "TASK_STATE_WORKING" } } })];
  for (let at = 100; at <= until; at += 100) {
    entries.push(entry(entries.length + 1, at, { artifactUpdate: { ...ids, artifact: { artifactId: "a", parts: [{ text: "x" }] }, append: true } }));
  }
  const lanes = createLanes();
  lanes.add({ agent: "a", task: "t", context: "c" }, entries);
  return lanes;
}

test("while the page hears nothing no rate is told, but the numbers that stay true", () => {
  const rows = talking(2000).list();
  const [heard, cut] = [true, false].map((isHeard) => toldRows(rows, { past: undefined, isHeard }).map(figuresOf)[0]);
  assert.equal(heard?.tokens, 20);
  assert.equal(Math.round(heard.rate ?? 0), 10);
  assert.deepEqual(cut, { ...heard, rate: undefined });
});

test("what is told of a moment in the past is as of then, whether the page hears or not", () => {
  const past = talking(1500);
  const [row] = toldRows(talking(2000).list(), { past, isHeard: false });
  assert.ok(row);
  assert.equal(figuresOf(row)?.tokens, 15);
  assert.equal(Math.round(figuresOf(row)?.rate ?? 0), 10);
  const [before] = toldRows(talking(2000).list(), { past: createLanes(), isHeard: false });
  assert.ok(before);
  assert.equal(figuresOf(before), undefined, "it had not begun");
});
